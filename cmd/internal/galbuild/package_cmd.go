package galbuild

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"galbuild/build/pack"
	"galbuild/build/pack/finding"
	"galbuild/cmd/internal/terminal"
)

type packageCmd struct {
	Dir     string `arg:"" optional:"" type:"file" help:"The extension's folder (default: the current one)."`
	Version string `arg:"" optional:"" help:"The next version, such as 1.2.3, or major, minor or patch. A single argument of this form is the version."`

	Out    string `short:"o" type:"newfile" placeholder:"PATH" help:"File for the package, or a folder for it (default: NAME[-PLATFORM]-VERSION.vsix in the current folder)."`
	Target string `short:"t" placeholder:"PLATFORM" help:"Package for this platform only, such as linux-x64."`
	packFlags

	settingOut string // "packagePath" of "vsce", below the extension's folder
}

// Validate implements Kong's hook.
func (c *packageCmd) Validate() error {
	if err := c.packFlags.check(); err != nil {
		return err
	}
	return checkTargets("--target", c.Target)
}

// packed is what package prints as JSON.
type packed struct {
	Path      string            `json:"path"`  // "" if nothing was packed
	Bytes     int64             `json:"bytes"` // of the package
	Publisher string            `json:"publisher"`
	Name      string            `json:"name"`
	Version   string            `json:"version"`
	Platform  string            `json:"targetPlatform"` // "" for all
	Files     []packedFile      `json:"files"`
	Findings  []finding.Finding `json:"findings"`
}

type packedFile struct {
	Path   string `json:"path"`             // in the package
	Source string `json:"source,omitempty"` // path from the extension's folder; may begin with ../
	Size   int64  `json:"size"`             // in bytes
}

// Run packs an extension's folder.
func (c *packageCmd) Run(ctx context.Context, e *env) error {
	dir, version := dirAndVersion(c.Dir, c.Version)
	p := newPacking(e, &c.packFlags, dir, version, c.flags())
	p.place = func(plan *pack.Plan) error {
		_, err := c.file(dir, plan)
		return err
	}
	plan, err := c.plan(ctx, p)
	if errors.Is(err, errRefused) && e.json {
		return errors.Join(err, e.printJSON(newPacked(plan, slices.Concat(p.refused, p.odd))))
	}
	if err != nil {
		return err
	}
	return c.write(ctx, p, plan)
}

// flags are where the keys of "vsce" in package.json go.
func (c *packageCmd) flags() map[string]setting {
	all := c.settings()
	all["target"], all["packagePath"] = &c.Target, &c.settingOut
	return all
}

// plan may return a plan with an error: of what was refused.
func (c *packageCmd) plan(ctx context.Context, p *packing) (*pack.Plan, error) {
	pkg, err := p.begin()
	if err != nil {
		return nil, err
	}
	if err := checkTargets("package.json: vsce.target", c.Target); err != nil {
		return nil, err
	}
	if err := p.prepare(ctx, pkg, c.Target); err != nil {
		return nil, err
	}
	return p.read(ctx, c.Target)
}

// file returns where the package goes, if it can go there.
func (c *packageCmd) file(dir string, plan *pack.Plan) (string, error) {
	out := c.Out
	if out == "" && c.settingOut != "" {
		out = filepath.Join(dir, filepath.FromSlash(c.settingOut))
	}
	file, err := outputFile(out, plan)
	if err != nil {
		return "", err
	}
	return file, checkOutput(file, dir, plan)
}

func (c *packageCmd) write(ctx context.Context, p *packing, plan *pack.Plan) error {
	e := p.e
	file, err := c.file(p.dir, plan)
	if err != nil {
		return err
	}
	e.printFindings(slices.Concat(p.odd, plan.Findings))
	e.printFiles(filepath.Base(file), plan)
	size, err := e.writePackage(ctx, plan, file)
	if err != nil {
		return err
	}
	if e.json {
		result := newPacked(plan, slices.Concat(plan.Findings, p.odd))
		result.Path, result.Bytes = file, size
		return e.printJSON(result)
	}
	if e.quiet {
		return nil
	}
	_, err = terminal.Fprintf(e.stdout, " DONE  Packaged: %s (%d files, %s)\n", file, len(plan.Files), kilobytes(size))
	return err
}

// newPacked describes a plan, which may be nil.
func newPacked(plan *pack.Plan, found []finding.Finding) packed {
	r := packed{Files: []packedFile{}, Findings: append([]finding.Finding{}, found...)}
	if plan == nil {
		return r
	}
	r.Publisher, r.Name, r.Version, r.Platform = plan.Publisher, plan.Name, plan.Version, plan.Platform
	r.Files = packedFiles(plan.Files)
	return r
}

func packedFiles(files []pack.File) []packedFile {
	list := []packedFile{}
	for _, f := range files {
		list = append(list, packedFile{f.Entry, f.Source, f.Size})
	}
	return list
}

// printFiles shows what a package will hold, as vsce does.
func (e *env) printFiles(name string, plan *pack.Plan) {
	if e.json || e.quiet {
		return
	}
	var files []treeFile
	for _, f := range plan.Files {
		files = append(files, treeFile{f.Entry, shownSize(f)})
	}
	lines, closed := drawTree(name, files, treeLines)
	terminal.Fprintln(e.stdout, " INFO  Files included in the VSIX:")
	terminal.Lines(e.stdout, lines)
	if closed {
		terminal.Fprintf(e.stdout, "\n=> Run galbuild ls --tree to see all included files.\n")
	}
	terminal.Fprintln(e.stdout)
}

// shownSize is 0 for what was written anew under another name, whose size vsce
// does not know.
func shownSize(f pack.File) int64 {
	entry := strings.TrimPrefix(f.Entry, "extension/")
	if f.Source == "" || f.Source != entry && (entry == "readme.md" || entry == "changelog.md") {
		return 0
	}
	return f.Size
}
