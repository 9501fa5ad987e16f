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

	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/version"
	"galbuild/publish/bundle"
	"galbuild/publish/image"
)

type imageCmd struct {
	Site string `arg:"" optional:"" type:"site" help:"Folder of a site to include. Without it, the image has galshim only, which serves the site that is mounted at /site."`

	Output   string   `short:"o" required:"" type:"newfile" placeholder:"FILE" help:"Write the image to this file, whose name ends in .tar."`
	Galshim  []string `sep:"none" type:"file" placeholder:"FILE" help:"The program galshim for Linux, linked statically. Give it once for each architecture (default: the one next to galbuild)."`
	Galbuild []string `sep:"none" type:"file" placeholder:"FILE" help:"The program galbuild for Linux, to include as well, for the containers of the Helm chart that run it. Give it once for each architecture (default: none)."`
	CA       string   `name:"ca" type:"existingfile" placeholder:"FILE" help:"Include the certificates of authorities (PEM) in this file, such as /etc/ssl/certs/ca-certificates.crt. galshim needs them only for a site at an https address."`
	Name     string   `placeholder:"NAME[:TAG]" help:"Name of the image (default: galshim with its version, or gallery with the generation of the site)."`
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
		if err := c.checkSite(); err != nil {
			return err
		}
	}
	programs, tools, ver, err := c.programs()
	if err != nil {
		return err
	}
	bar := newProgress(e)
	written, err := image.Write(ctx, image.Config{
		Programs: programs, Galbuild: tools, Version: ver, CA: c.CA, Site: c.Site, Name: c.Name, Output: c.Output, Progress: bar.bytes("image", c.Site),
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

// checkSite returns an error unless the site can be served from an image alone.
func (c *imageCmd) checkSite() error {
	if err := needSite(c.Site); err != nil {
		return err
	}
	_, all, err := site.Read(c.Site)
	if err == nil && all.View {
		return hint.Add(fmt.Errorf("%s is a view, which has no files of packages: an image cannot serve it alone", c.Site),
			"make an image of its gallery, and mount the view: galshim --view NAME=FOLDER")
	}
	return err
}

// programs returns the galshim of each architecture, the galbuild of each if there is one, and
// their version.
func (c *imageCmd) programs() (galshim, galbuild []image.Program, ver string, err error) {
	files := c.Galshim
	if len(files) == 0 {
		own, err := nextToGalbuild()
		if err != nil {
			return nil, nil, "", err
		}
		files = []string{own}
	}
	if galshim, err = readPrograms("galshim", files); err != nil {
		return nil, nil, "", err
	}
	if galbuild, err = readPrograms("galbuild", c.Galbuild); err != nil {
		return nil, nil, "", err
	}
	if len(galbuild) > 0 {
		err = sameArchitectures(galshim, galbuild)
	}
	return galshim, galbuild, version.Of(galshim[0].Build), err
}

// readPrograms reads the files of a program. Each must be for another architecture, and all must
// have one version.
func readPrograms(name string, files []string) (all []image.Program, err error) {
	for _, file := range files {
		p, err := image.ReadProgram(file, name)
		if errors.Is(err, image.ErrLinked) {
			return nil, hint.Add(err, "an image has no libraries: build %s with CGO_ENABLED=0, as make build does", name)
		} else if err != nil {
			return nil, hint.Add(err, "name a %s for Linux with --%s FILE", name, name)
		}
		for _, q := range all {
			if q.Architecture == p.Architecture {
				return nil, hint.Add(fmt.Errorf("--%s=%s: is for %s, as %s is", name, file, p.Architecture, q.File), "give one %s for each architecture", name)
			}
			if err := sameVersion(p, q); err != nil {
				return nil, err
			}
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b image.Program) int { return strings.Compare(a.Architecture, b.Architecture) })
	return all, nil
}

// sameVersion returns an error if two programs have different versions.
func sameVersion(p, q image.Program) error {
	if a, b := version.Of(p.Build), version.Of(q.Build); a != b {
		return hint.Add(fmt.Errorf("--%s=%s: is version %s, and %s is %s", p.Name, p.File, a, q.File, b), "an image has the same version of all programs")
	}
	return nil
}

// sameArchitectures returns an error unless galbuild is given for the same architectures as
// galshim, and has the same version. Both are sorted.
func sameArchitectures(galshim, galbuild []image.Program) error {
	if a, b := architecturesOf(galshim), architecturesOf(galbuild); a != b {
		return hint.Add(fmt.Errorf("--galbuild: it is for %s, and galshim is for %s", b, a), "give both programs for each architecture")
	}
	return sameVersion(galbuild[0], galshim[0])
}

func architecturesOf(programs []image.Program) string {
	var all []string
	for _, p := range programs {
		all = append(all, p.Architecture)
	}
	return strings.Join(all, ", ")
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
	programs := "galshim"
	if len(c.Galbuild) > 0 {
		programs = "galshim, galbuild"
	}
	has := programs + " only; mount a site at /site, or name one with --index"
	if w.Generation != "" {
		has = fmt.Sprintf("%s and generation %s of %s", programs, w.Generation, c.Site)
	}
	terminal.Fprintf(e.stdout, "%s: image %s for %s\n", c.Output, w.Name, platforms)
	terminal.Fprintf(e.stdout, "it has %s\n", has)
	if c.CA == "" && w.Generation == "" {
		terminal.Fprintf(e.stdout, "it has no certificates of authorities; a site at an https address needs --ca\n")
	}
	_, err := terminal.Fprintf(e.stdout, "%s, %s; %s\n", plural(w.Layers, "layer"), humanize.Bytes(uint64(w.Bytes)), w.Digest)
	return err
}
