package galbuild

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"galbuild/build"
	"galbuild/build/pack"
	"galbuild/build/pack/finding"
	"galbuild/build/pack/npm"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
	"galbuild/cmd/internal/usage"
)

// packageJSON is what makes a folder that of an extension.
const packageJSON = "package.json"

func isExtension(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, packageJSON))
	return err == nil && info.Mode().IsRegular()
}

// needExtension says what to do about a folder that is no extension's.
func needExtension(dir string) error {
	if isExtension(dir) {
		return nil
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hint.Add(fmt.Errorf("%s: no such folder%s", dir, usage.SimilarFiles(dir)), "name the extension's folder, or its next version: such as 1.2.3, or major, minor or patch")
	case err != nil:
		return err
	case !info.IsDir():
		return hint.Add(fmt.Errorf("%s is no folder", dir), "name the folder that holds the extension's %s", packageJSON)
	}
	if info, err := os.Stat(filepath.Join(dir, packageJSON)); err == nil {
		return fmt.Errorf("%s is no extension's folder: its %s is no file (mode %v)", dir, packageJSON, info.Mode())
	} else if !errors.Is(err, fs.ErrNotExist) {
		return explainPack(err)
	}
	err = fmt.Errorf("%s is no extension's folder: it has no %s", dir, packageJSON)
	if isSite(dir) {
		return hint.Add(err, "it is a gallery, which galbuild ls-remote -o %s lists", dir)
	}
	return hint.Add(err, "go to the folder that has it, or name that")
}

// A packing is an extension's folder on its way into packages.
type packing struct {
	e       *env
	flags   *packFlags
	dir     string
	version string                 // as on the command line
	dry     bool                   // package.json keeps its version, and there is no commit
	place   func(*pack.Plan) error // tells whether a package can go where it is to go; nil is yes

	times string // source of the time of the entries

	settings map[string]setting // where the keys of "vsce" in package.json go
	source   npm.Folder
	options  pack.Options
	odd      []finding.Finding // in the settings and flags

	refused []finding.Finding // why nothing is packed
}

func newPacking(e *env, flags *packFlags, dir, version string, settings map[string]setting) *packing {
	source := npm.Folder{Path: dir, Stdin: e.stdin, Output: e.stderr.Raw(), Terminal: terminal.Is(e.stdin)}
	return &packing{e: e, flags: flags, dir: dir, version: version, settings: settings, source: source}
}

// begin reads what package.json says about packing. The flags are complete then.
func (p *packing) begin() (*npm.Package, error) {
	if err := needExtension(p.dir); err != nil {
		return nil, err
	}
	pkg, err := p.source.Read()
	if err != nil {
		return nil, explainPack(err)
	}
	p.odd = p.flags.useless(p.version)
	given := *p.flags
	p.odd = append(p.odd, applySettings(pkg.Settings, p.settings)...)
	p.odd = append(p.odd, p.flags.unknownSecrets()...)
	if p.options, err = p.flags.options(p.dir); err == nil {
		return pkg, nil
	}
	if _, flags := given.options(p.dir); flags == nil {
		err = fmt.Errorf(`package.json: "vsce": %w`, err)
	}
	return nil, err
}

// prepare lets the extension build itself, and sets its version. Nothing is run
// for an extension that would be refused anyway.
func (p *packing) prepare(ctx context.Context, pkg *npm.Package, target string) error {
	next, err := p.next(pkg)
	if err != nil {
		return err
	}
	if p.flags.NoPackageJSON || p.dry {
		p.options.Version, next = next, ""
	}
	if pkg.Prepublish && !p.flags.NoPrepublish {
		if err := p.prepublish(ctx); err != nil {
			return err
		}
	}
	if next == "" {
		return nil
	}
	plan, err := p.read(ctx, target)
	if err == nil && p.place != nil {
		err = p.place(plan)
	}
	if err != nil {
		return err // and there is no commit and no tag
	}
	const only = "change the version in the package only with --no-update-package-json"
	return p.run("install Node.js, or "+only, "see its output; nothing was packed; or "+only, func() error {
		return p.source.SetVersion(ctx, next, p.flags.Message, !p.flags.NoGitTag)
	})
}

// next returns the version to be, "" if it stays.
func (p *packing) next(pkg *npm.Package) (string, error) {
	if p.version == "" || p.version == pkg.Version {
		return "", nil
	}
	next, err := npm.NextVersion(pkg.Version, p.version)
	switch {
	case errors.Is(err, npm.ErrUnsupported):
		return "", hint.Add(err, "name the version itself")
	case next == pkg.Version:
		return "", err
	}
	return next, err
}

// prepublish runs the extension's own build, unless package.json is bad already.
func (p *packing) prepublish(ctx context.Context) error {
	found, err := pack.Check(ctx, os.DirFS(p.dir), p.options) // the build may make the files
	if err != nil {
		return explainRead(p.dir, err)
	}
	found = slices.DeleteFunc(found, func(f finding.Finding) bool { return !strings.HasPrefix(f.Where, packageJSON) })
	if refused(found) {
		return p.refuse(found)
	}
	if err := p.keepTimes(ctx); err != nil {
		return err
	}
	tool, err := p.source.Tool(p.flags.Yarn)
	if err != nil {
		return explainPack(err)
	}
	if !p.e.quiet {
		terminal.Fprintf(p.e.stderr, "Executing prepublish script '%s'...\n", npm.PrepublishCommand(tool))
	}
	const unbuilt = "pack the folder as it is with --no-prepublish"
	return p.run("install "+withRuntime(tool)+", or "+unbuilt, "see its output; nothing was packed; or "+unbuilt, func() error {
		return p.source.Prepublish(ctx, tool)
	})
}

// withRuntime returns what must be installed for a package manager.
func withRuntime(tool string) string {
	if tool == "bun" {
		return tool
	}
	return "Node.js and " + tool
}

// run runs a tool. missing is the hint if the tool is not installed, and failed the hint if
// it fails. With -q, its output is shown only if it fails.
func (p *packing) run(missing, failed string, do func() error) error {
	var kept bytes.Buffer
	if p.e.quiet {
		p.source.Output = &kept
	}
	err := do()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return hint.Add(err, "%s", missing)
	case err != nil && !errors.Is(err, context.Canceled):
		_, _ = p.e.stderr.Raw().Write(kept.Bytes())
		return hint.Add(err, "%s", failed)
	}
	return explainPack(err)
}

// read reads the folder, tells what is odd and refuses what is wrong.
func (p *packing) read(ctx context.Context, target string) (*pack.Plan, error) {
	o := p.options
	o.Platform = target
	o.Time = p.time(ctx)
	bar := newProgress(p.e)
	defer bar.close()
	o.Progress = func(done, total int64) {
		bar.show(build.Progress{Stage: "read", Done: done, Total: total, Name: p.dir})
	}
	plan, err := pack.Read(ctx, os.DirFS(p.dir), o)
	bar.close()
	if err != nil {
		return nil, explainRead(p.dir, err)
	}
	plan.Findings = append(plan.Findings, galleries(plan.Files)...)
	if refused(plan.Findings) {
		return plan, p.refuse(plan.Findings)
	}
	if p.e.verbose {
		terminal.Fprintf(p.e.stderr, "galbuild: the time of all entries is %s, %s\n", plan.Time().Format(time.RFC3339), p.times)
	}
	return plan, nil
}

// galleries finds those that lie in the extension's folder, which grows with each
// package of it that they take.
func galleries(files []pack.File) (odd []finding.Finding) {
	for _, f := range files {
		if dir, ok := strings.CutSuffix(f.Source, "/"+site.CurrentPath); ok {
			odd = append(odd, finding.Warning(dir, "name it in .vscodeignore, or keep it elsewhere", "is a gallery, and goes into the package"))
		}
	}
	return odd
}

// errRefused is what was told on stderr already.
var errRefused = errors.New("nothing was packed")

func (p *packing) refuse(found []finding.Finding) error {
	p.refused = found
	p.e.printFindings(slices.Concat(p.odd, found))
	n := len(slices.DeleteFunc(slices.Clone(found), func(f finding.Finding) bool { return f.Warning }))
	return fmt.Errorf("%s: %s: %w", p.dir, plural(n, "error"), errRefused)
}

func refused(found []finding.Finding) bool {
	return slices.ContainsFunc(found, func(f finding.Finding) bool { return !f.Warning })
}

// printFindings tells what is wrong, then what is odd: after all that has the same
// way out, that.
func (e *env) printFindings(found []finding.Finding) {
	errs := slices.DeleteFunc(slices.Clone(found), func(f finding.Finding) bool { return f.Warning })
	warnings := slices.DeleteFunc(slices.Clone(found), func(f finding.Finding) bool { return !f.Warning })
	shown := someLines
	if e.verbose {
		shown = len(warnings)
	}
	e.printKind("error", errs, len(errs))
	if !e.quiet {
		e.printKind("warning", warnings, shown)
	}
}

// printKind tells the first of the findings, by their ways out.
func (e *env) printKind(kind string, found []finding.Finding, first int) {
	shown := found[:min(first, len(found))]
	var ways []string
	for _, f := range shown {
		if !slices.Contains(ways, f.Hint) {
			ways = append(ways, f.Hint)
		}
	}
	for _, way := range ways {
		for _, f := range shown {
			if f.Hint == way {
				terminal.Fprintf(e.stderr, "galbuild: %s: %s\n", kind, f)
			}
		}
		if way != "" {
			terminal.Fprintf(e.stderr, "galbuild: hint: %s\n", way)
		}
	}
	if more := len(found) - len(shown); more > 0 {
		terminal.Fprintf(e.stderr, "galbuild: … and %d more; -v prints them all, --json lists them\n", more)
	}
}

// explainRead says which folder it was that could not be read: errors name what is
// in it.
func explainRead(dir string, err error) error {
	if errors.Is(err, context.Canceled) || dir == "." {
		return explainPack(err)
	}
	return explainPack(fmt.Errorf("%s: %w", dir, err))
}

// explainPack adds the way out of what packing can run into.
func explainPack(err error) error {
	switch {
	case err == nil || hint.Has(err):
		return err
	case errors.Is(err, context.Canceled):
		return hint.Add(errors.New("interrupted"), "nothing was packed")
	case errors.Is(err, fs.ErrPermission):
		return hint.Add(err, "the user running galbuild must be able to read the extension's folder; nothing was packed")
	case errors.Is(err, fs.ErrNotExist):
		return hint.Add(err, "something else is writing there: run it again when that is done; nothing was packed")
	}
	return err
}

// dirAndVersion sorts out the arguments [DIR] [VERSION] as vsce's users give them: a
// single one that reads like a version is one, ./1.2.3 is a folder.
func dirAndVersion(first, second string) (dir, version string) {
	if second == "" && npm.IsVersion(first) {
		return ".", first
	}
	return cmp.Or(first, "."), second
}
