package galbuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aead.dev/minisign"
	"github.com/dustin/go-humanize"
	"golang.org/x/term"

	"galbuild/build"
	"galbuild/build/signkey"
	"galbuild/build/units"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/usage"
	"galbuild/publish/bundle"
)

type exportCmd struct {
	Site string `arg:"" default:"site" type:"site" help:"Folder of the site."`

	Output           string     `short:"o" required:"" type:"newfile" placeholder:"FILE" help:"Write the tarball to this file, which ends in .tar, .tar.gz or .tar.zst; - is standard output."`
	Since            []string   `sep:"none" type:"file" placeholder:"BASE" help:"Leave out what BASE contains: a site, an earlier tarball, or the SHA256SUMS of one. May be repeated; the receiving site may then have any of them."`
	Split            units.Size `placeholder:"SIZE" help:"Split the tarball into parts of this size, such as 700MB or 4GiB."`
	SignKey          string     `type:"existingfile" placeholder:"FILE" help:"Sign with this minisign secret key. Its password is read from $$GALBUILD_SIGN_PASSWORD, --sign-password-file or the terminal."`
	SignPasswordFile string     `type:"existingfile" placeholder:"FILE" help:"File with the password of the key."`
}

// Validate implements Kong's hook.
func (x *exportCmd) Validate() error {
	if x.Output == "-" && (x.Split > 0 || x.SignKey != "") {
		return errors.New("--split and --sign-key need files: name one with -o")
	}
	return checkArchive(x.Output)
}

// archiveSuffixes are the suffixes of the names of archives. They select the compression.
var archiveSuffixes = []string{".tar", ".tar.gz", ".tgz", ".tar.zst"}

// checkArchive returns an error if the file out cannot be an archive.
func checkArchive(out string) error {
	info, err := os.Stat(out)
	switch {
	case out == "-" || out == "": // Kong refuses an empty name
		return nil
	case err == nil && info.IsDir():
		return hint.Add(fmt.Errorf("--output=%s: is a folder, must be a file", out), "name the tarball, such as -o %s", filepath.Join(out, "gallery.tar.zst"))
	case !slices.ContainsFunc(archiveSuffixes, func(s string) bool { return strings.HasSuffix(out, s) }):
		return fmt.Errorf("--output=%s: the name must end in %s", out, usage.Or(archiveSuffixes))
	}
	return needFolder(filepath.Dir(out))
}

// needFolder returns an error if dir is not an existing folder.
func needFolder(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hint.Add(fmt.Errorf("%s: there is no such folder", dir), "create it, or name another one with -o")
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s is a file, not a folder", dir)
	}
	return nil
}

// Run writes the tarball, its listing and its signature.
func (x *exportCmd) Run(ctx context.Context, e *env) error {
	cfg := bundle.ExportConfig{Site: x.Site, Output: x.Output, Since: x.Since, Split: int64(x.Split)}
	if x.Output == "-" {
		cfg.Stream = e.stdout.Raw()
		e.json = false // stdout is the tarball
	}
	err := needSite(x.Site)
	if err != nil {
		return err
	}
	if cfg.SignKey, err = x.readKey(e); err != nil {
		return err
	}
	bar := newProgress(e)
	cfg.Progress = bar.bytes("export", x.Site)
	report, err := bundle.Export(ctx, cfg)
	bar.close()
	switch {
	case errors.Is(err, bundle.ErrPublicOnly):
		return hint.Add(bundle.ErrPublicOnly, "galbuild pull copies all of a site from its target, such as s3://BUCKET/PREFIX")
	case errors.Is(err, bundle.ErrDamaged):
		return hint.Add(err, "nothing was exported; galbuild verify %s lists the problems", x.Site)
	case errors.Is(err, context.Canceled):
		return hint.Add(errors.New("interrupted"), "nothing was exported")
	case isFull(err) && cfg.Stream != nil:
		return hint.Add(fmt.Errorf("standard output: %w", err), "the tarball on it is incomplete")
	case isFull(err):
		return hint.Add(err, "%s, or name another folder; nothing was exported", makeRoom(err))
	case err != nil || cfg.Stream != nil || e.quiet && !e.json:
		return err
	case e.json:
		return e.printJSON(report)
	}
	return printExported(e, x.Output, report)
}

func printExported(e *env, name string, r *bundle.Exported) error {
	var size int64
	for _, p := range r.Parts {
		size += p.Size
	}
	since := ""
	if len(r.Since) > 0 {
		since = ", new since " + strings.Join(r.Since, " or ")
	}
	parts := ""
	if len(r.Parts) > 1 {
		parts = " in " + plural(len(r.Parts), "part")
	}
	terminal.Fprintf(e.stdout, "%s: generation %s%s\n", name, r.Generation, since)
	terminal.Fprintf(e.stdout, "%s, %s of content; %s%s\n", plural(r.Files, "file"), humanize.Bytes(uint64(r.Bytes)), humanize.Bytes(uint64(size)), parts)
	signed := ""
	if r.Signature != "" {
		signed = " and " + r.Signature
	}
	_, err := terminal.Fprintf(e.stdout, "copy %s%s together with the tarball\n", r.Sums, signed)
	return err
}

// readKey returns the key to sign with, or nil if the tarball is not to be signed.
func (x *exportCmd) readKey(e *env) (*minisign.PrivateKey, error) {
	if x.SignKey == "" {
		return nil, nil
	}
	key, err := signkey.ReadSecret(x.SignKey, func() (string, error) { return x.password(e) })
	if errors.Is(err, signkey.ErrPassword) {
		err = hint.Add(err, "minisign -G makes keys; the password is taken from --sign-password-file, $%s or the terminal", signPassword)
	}
	return key, err
}

// signPassword is the environment variable with the password of the key.
const signPassword = "GALBUILD_SIGN_PASSWORD"

// password returns the password of the key, from a file, the environment or the terminal.
func (x *exportCmd) password(e *env) (string, error) {
	if x.SignPasswordFile != "" {
		text, err := os.ReadFile(x.SignPasswordFile)
		return string(bytes.TrimRight(text, "\r\n")), err
	}
	if password, ok := os.LookupEnv(signPassword); ok {
		return password, nil
	}
	f, ok := e.stdin.(interface {
		Fd() uintptr
		fs.File
	})
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return "", hint.Add(fmt.Errorf("%s: the key has a password", x.SignKey), "set $%s, or name a file with --sign-password-file", signPassword)
	}
	terminal.Fprintf(e.stderr, "Password of %s: ", x.SignKey)
	text, err := term.ReadPassword(int(f.Fd()))
	terminal.Fprintln(e.stderr)
	return string(text), err
}

// bytes returns a function that shows how many bytes are done.
func (p *progress) bytes(stage, name string) bundle.Progress {
	return func(done, total int64) {
		p.show(build.Progress{Stage: stage, Name: name, Done: done, Total: total})
	}
}
