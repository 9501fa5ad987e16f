package galbuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/dustin/go-humanize"

	"galbuild/build"
	"galbuild/build/history"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/usage"
	"galbuild/publish/bundle"
)

type importCmd struct {
	Tarball string `arg:"" type:"file" help:"A tarball that galbuild export wrote, or any part of one; - is standard input."`

	Output      string            `short:"o" name:"output" default:"site" type:"newsite" placeholder:"SITE" help:"Folder of the site."`
	Trust       []string          `sep:"none" type:"file" placeholder:"KEY" help:"Import only a tarball that is signed with one of these minisign public keys. A folder stands for the *.pub files in it."`
	AllowOlder  bool              `help:"Import a tarball that is not newer than what was imported before."`
	MaxRemovals build.MaxRemovals `placeholder:"N|N%" help:"Change nothing if more versions of the site than this would vanish without a decision (default: 20%, and more than ten)."`
	policyFlags
	keepFlag
	authorFlags
	Sums string `type:"existingfile" placeholder:"FILE" help:"The SHA256SUMS of the tarball, if it is not next to it."`
}

// Validate implements Kong's hook.
func (i *importCmd) Validate() error {
	_, err := i.author()
	return errors.Join(err, i.keepFlag.check())
}

// Run verifies the tarball, and makes its generation current.
func (i *importCmd) Run(ctx context.Context, e *env) error {
	if info, err := os.Stat(i.Tarball); err == nil && info.IsDir() {
		return hint.Add(fmt.Errorf("%s is a folder, not a tarball", i.Tarball), "name the file that galbuild export wrote; galbuild publish SITE -o TARGET copies a site's folder")
	}
	commit, err := e.commit(&i.authorFlags)
	if err != nil {
		return err
	}
	commit.Keep = i.KeepGenerations
	cfg := bundle.ImportConfig{Archive: i.Tarball, Sums: i.Sums, Trust: i.Trust, Site: i.Output, AllowOlder: i.AllowOlder, MaxRemovals: i.MaxRemovals, Commit: commit}
	if cfg.Policy, err = i.change(); err != nil {
		return err
	}
	if i.Tarball == "-" {
		cfg.Stream = e.stdin
	}
	bar := newProgress(e)
	cfg.Progress = bar.bytes("import", i.Tarball)
	before := folderBefore(i.Output)
	report, err := bundle.Import(ctx, cfg)
	bar.close()
	switch {
	case err != nil:
		return e.explainPolicy(i.explain(before.cleanUp(err)))
	case e.json:
		return e.printJSON(report)
	case e.quiet:
		return nil
	}
	if report.Signed && report.Signer == "" {
		terminal.Fprintln(e.stderr, "galbuild: warning: the signature was not verified; --trust KEY verifies it")
	}
	i.warnOlder(e, report)
	e.printPolicyDiff("the tarball", report.PolicyDiff)
	e.printExcluded(report.Excluded)
	return i.print(e, report)
}

// warnOlder warns about versions that the import removes or replaces. A tarball that is older than
// the site removes the versions that were added since, and its date cannot be trusted.
func (i *importCmd) warnOlder(e *env, r *bundle.Imported) {
	if r.WasCurrent {
		fmt.Fprintf(e.stderr, "galbuild: warning: generation %s was current in %s before; the import switched back to it\n", r.Generation, r.Site)
	}
	if len(r.Removed) > 0 {
		fmt.Fprintf(e.stderr, "galbuild: warning: the tarball may be older than the site: %s of the site %s not in it and no longer served: %s\n",
			plural(len(r.Removed), "version"), isOrAre(len(r.Removed)), firstOf(r.Removed, fewNames))
	}
	if len(r.Replaced) > 0 {
		fmt.Fprintf(e.stderr, "galbuild: warning: %s %s different content than before: %s\n",
			plural(len(r.Replaced), "version"), hasOrHave(len(r.Replaced)), firstOf(r.Replaced, fewNames))
	}
	if r.WasCurrent || len(r.Removed)+len(r.Replaced) > 0 {
		fmt.Fprintf(e.stderr, "galbuild: hint: galbuild rollback -o %s switches back to generation %s\n", i.Output, r.Previous)
	}
}

func isOrAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func hasOrHave(n int) string {
	if n == 1 {
		return "has"
	}
	return "have"
}

// fewNames is the largest number of versions in a warning.
const fewNames = 5

// explain adds hints to the errors of an import.
func (i *importCmd) explain(err error) error {
	name := i.Tarball
	if name == "-" {
		name = "standard input"
	}
	const unchanged = "; the site has not changed"
	if base, ok := errors.AsType[*bundle.BaseError](err); ok {
		return hint.Add(fmt.Errorf("%s: %w", name, err), "first import the tarball of generation %s; or export again without --since, or with --since and a copy of this site%s",
			strings.Join(base.Wants, " or "), unchanged)
	}
	if file, ok := errors.AsType[*fs.PathError](err); ok && errors.Is(err, fs.ErrNotExist) && file.Path == i.Tarball {
		return fmt.Errorf("%w%s", err, usage.SimilarFiles(i.Tarball))
	}
	if _, ok := errors.AsType[*history.OlderError](err); ok {
		return hint.Add(fmt.Errorf("%s is refused: %w", name, err), "--allow-older imports it all the same%s", unchanged)
	}
	if removals, ok := errors.AsType[*build.RemovalsError](err); ok {
		return explainRemovals(fmt.Errorf("%s is refused: %w", name, err), removals, "nothing has changed; check that the tarball is the right one")
	}
	_, malformed := errors.AsType[*bundle.FormatError](err)
	switch {
	case malformed:
		return hint.Add(fmt.Errorf("%s is refused: %w", name, err), "copy all of its parts again, with the %s next to them%s", bundle.SumsName, unchanged)
	case errors.Is(err, bundle.ErrUntrusted):
		return hint.Add(fmt.Errorf("%s is refused: %w", name, err), "copy %s and %s with the tarball, or name the key with --trust if you trust it%s",
			bundle.SumsName, bundle.SumsName+bundle.SignedSuffix, unchanged)
	case errors.Is(err, site.ErrDamaged):
		return hint.Add(err, "import a tarball of the whole site into a new folder")
	case errors.Is(err, bundle.ErrLeftOut):
		return hint.Add(err, "import a tarball of the whole site, exported without --since%s", unchanged)
	}
	return err
}

func (i *importCmd) print(e *env, r *bundle.Imported) error {
	signed := ""
	if r.Signer != "" {
		signed = ", signed by " + r.Signer
	}
	files := fmt.Sprintf("%s: %s verified%s, %s of content", r.Site, plural(r.Files, "file"), signed, humanize.Bytes(uint64(r.Bytes)))
	if !r.Changed {
		_, err := terminal.Fprintf(e.stdout, "%s\ngeneration %s, as before: nothing in the tarball is new\n", files, r.Generation)
		return err
	}
	terminal.Fprintf(e.stdout, "%s, %s of it new\n", files, humanize.Bytes(uint64(r.Written)))
	before := ""
	if r.Previous != "" {
		before = fmt.Sprintf(" (before: %s)", r.Previous)
	}
	_, err := terminal.Fprintf(e.stdout, "generation %s%s\n", r.Generation, before)
	return err
}
