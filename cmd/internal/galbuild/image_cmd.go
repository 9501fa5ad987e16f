package galbuild

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/version"
	"galbuild/publish/bundle"
	"galbuild/publish/image"
)

type imageCmd struct {
	Site string `arg:"" optional:"" type:"site" help:"Folder of a site to include. Without it, the image has galshim only, which serves the site that is mounted at /site."`

	Output  string   `short:"o" required:"" type:"newfile" placeholder:"FILE" help:"Write the image to this file, whose name ends in .tar."`
	Galshim []string `sep:"none" type:"file" placeholder:"FILE" help:"The program galshim for Linux, linked statically. Give it once for each architecture (default: the one next to galbuild)."`
	CA      string   `name:"ca" type:"existingfile" placeholder:"FILE" help:"Include the certificates of authorities (PEM) in this file, such as /etc/ssl/certs/ca-certificates.crt. galshim needs them only for a site at an https address."`
	Name    string   `placeholder:"NAME[:TAG]" help:"Name of the image (default: galshim with its version, or gallery with the generation of the site)."`
}

// Validate implements Kong's hook.
func (c *imageCmd) Validate() error {
	if !strings.HasSuffix(c.Output, ".tar") {
		return hint.Add(fmt.Errorf("--output=%s: the name must end in .tar", c.Output), "galbuild image -o galshim.tar")
	}
	return needFolder(filepath.Dir(c.Output))
}

// Run writes the image.
func (c *imageCmd) Run(ctx context.Context, e *env) error {
	if c.Site != "" {
		if err := needSite(c.Site); err != nil {
			return err
		}
	}
	programs, ver, err := c.programs()
	if err != nil {
		return err
	}
	bar := newProgress(e)
	written, err := image.Write(ctx, image.Config{
		Programs: programs, Version: ver, CA: c.CA, Site: c.Site, Name: c.Name, Output: c.Output, Progress: bar.bytes("image", c.Site),
	})
	bar.close()
	switch {
	case errors.Is(err, context.Canceled):
		return hint.Add(errors.New("interrupted"), "no image was written")
	case errors.Is(err, bundle.ErrDamaged):
		return hint.Add(err, "no image was written; galbuild verify %s lists the problems", c.Site)
	case isFull(err):
		return hint.Add(err, "%s, or name another folder; no image was written", makeRoom(err))
	case err != nil:
		return err
	case e.json:
		return e.printJSON(written)
	case e.quiet:
		return nil
	}
	return c.print(e, written)
}

// programs returns the galshim of each architecture, and their version.
func (c *imageCmd) programs() (all []image.Program, ver string, err error) {
	files := c.Galshim
	if len(files) == 0 {
		own, err := nextToGalbuild()
		if err != nil {
			return nil, "", err
		}
		files = []string{own}
	}
	for _, file := range files {
		p, err := readGalshim(file, all)
		if err != nil {
			return nil, "", err
		}
		all, ver = append(all, p), version.Of(p.Build)
	}
	slices.SortFunc(all, func(a, b image.Program) int { return strings.Compare(a.Architecture, b.Architecture) })
	return all, ver, nil
}

// readGalshim reads a galshim, whose architecture must not be among the others, and whose version
// must be theirs.
func readGalshim(file string, others []image.Program) (image.Program, error) {
	p, err := image.ReadProgram(file)
	if errors.Is(err, image.ErrLinked) {
		return p, hint.Add(err, "an image has no libraries: build galshim with CGO_ENABLED=0, as make build does")
	} else if err != nil {
		return p, hint.Add(err, "name a galshim for Linux with --galshim FILE")
	}
	for _, q := range others {
		if q.Architecture == p.Architecture {
			return p, hint.Add(fmt.Errorf("--galshim=%s: is for %s, as %s is", file, p.Architecture, q.File), "give one galshim for each architecture")
		}
		if a, b := version.Of(p.Build), version.Of(q.Build); a != b {
			return p, hint.Add(fmt.Errorf("--galshim=%s: is version %s, and %s is %s", file, a, q.File, b), "an image has the same version for all architectures")
		}
	}
	return p, nil
}

// nextToGalbuild returns the galshim in the folder of the running program.
func nextToGalbuild() (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", hint.Add(err, "name galshim with --galshim FILE")
	}
	file := filepath.Join(filepath.Dir(own), "galshim")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return "", hint.Add(fmt.Errorf("%s: there is no galshim next to galbuild", file), "name one with --galshim FILE")
	}
	return file, nil
}

// print prints what the image has, and what it lacks.
func (c *imageCmd) print(e *env, w *image.Written) error {
	platforms := "linux/" + strings.Join(w.Architectures, ", linux/")
	has := "galshim only; mount a site at /site, or name one with --index"
	if w.Generation != "" {
		has = fmt.Sprintf("galshim and generation %s of %s", w.Generation, c.Site)
	}
	terminal.Fprintf(e.stdout, "%s: image %s for %s\n", c.Output, w.Name, platforms)
	terminal.Fprintf(e.stdout, "it has %s\n", has)
	if c.CA == "" && w.Generation == "" {
		terminal.Fprintf(e.stdout, "it has no certificates of authorities; a site at an https address needs --ca\n")
	}
	_, err := terminal.Fprintf(e.stdout, "%s, %s; %s\n", plural(w.Layers, "layer"), humanize.Bytes(uint64(w.Bytes)), w.Digest)
	return err
}
