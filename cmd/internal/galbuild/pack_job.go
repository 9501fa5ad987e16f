package galbuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"galbuild/build/pack"
	"galbuild/build/pack/finding"
	"galbuild/build/pack/npm"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/terminal"
)

// A packJob makes packages of an extension's folder. The settings are complete after begin,
// package.json has its new version after prepare, and read can then be called for each platform.
type packJob struct {
	e        *env
	settings packSettings
	dir      string
	version  string                 // the next version as on the command line, or ""
	dry      bool                   // do not change the version in package.json, and make no commit
	accept   func(*pack.Plan) error // returns an error if a package cannot be written to its file; may be nil

	folder   npm.Folder
	options  pack.Options
	origin   string            // of the time of the entries, for messages
	warnings []finding.Finding // about flags and settings
	refused  []finding.Finding // errors and warnings of a folder that is not packed
}

func newPackJob(e *env, settings packSettings, dir, version string) *packJob {
	folder := npm.Folder{Path: dir, Stdin: e.stdin, Output: e.stderr.Raw(), Terminal: terminal.Is(e.stdin)}
	return &packJob{e: e, settings: settings, dir: dir, version: version, folder: folder}
}

// begin reads package.json and completes the settings with it.
func (j *packJob) begin() (*npm.Package, error) {
	if err := needExtension(j.dir); err != nil {
		return nil, err
	}
	pkg, err := j.folder.Read()
	if err != nil {
		return nil, explainPack(err)
	}
	j.options, j.warnings, err = j.settings.complete(pkg, j.dir, j.version)
	return pkg, err
}

// prepare runs the extension's own build and sets its version. Nothing is run for an extension
// that would be refused in any case.
func (j *packJob) prepare(ctx context.Context, pkg *npm.Package, platform string) error {
	next, err := j.next(pkg)
	if err != nil {
		return err
	}
	flags := j.settings.flags
	if flags.NoPackageJSON || j.dry {
		j.options.Version, next = next, ""
	}
	if pkg.Prepublish && !flags.NoPrepublish {
		if err := j.prepublish(ctx); err != nil {
			return err
		}
	}
	if next == "" {
		return nil
	}
	plan, err := j.read(ctx, platform)
	if err == nil && j.accept != nil {
		err = j.accept(plan)
	}
	if err != nil {
		return err // before npm makes a commit and a tag
	}
	const only = "change the version in the package only with --no-update-package-json"
	return j.run("install Node.js, or "+only, "see its output; nothing was packed; or "+only, func() error {
		return j.folder.SetVersion(ctx, next, flags.Message, !flags.NoGitTag)
	})
}

// next returns the new version, or "" if the version does not change.
func (j *packJob) next(pkg *npm.Package) (string, error) {
	if j.version == "" || j.version == pkg.Version {
		return "", nil
	}
	next, err := npm.NextVersion(pkg.Version, j.version)
	switch {
	case errors.Is(err, npm.ErrUnsupported):
		return "", hint.Add(err, "name the version itself")
	case next == pkg.Version:
		return "", err
	}
	return next, err
}

// prepublish runs the extension's own build, unless package.json has errors.
func (j *packJob) prepublish(ctx context.Context) error {
	found, err := pack.Check(ctx, os.DirFS(j.dir), j.options)
	if err != nil {
		return explainRead(j.dir, err)
	}
	// The build may write files, so findings about other files are left to read.
	found = slices.DeleteFunc(found, func(f finding.Finding) bool { return !strings.HasPrefix(f.Where, packageJSON) })
	if slices.ContainsFunc(found, isError) {
		return j.refuse(found)
	}
	if err := j.keepTimes(ctx); err != nil {
		return err
	}
	tool, err := j.folder.Tool(j.settings.flags.Yarn)
	if err != nil {
		return explainPack(err)
	}
	j.e.printScript(npm.PrepublishCommand(tool))
	const unbuilt = "pack the folder as it is with --no-prepublish"
	return j.run("install "+withRuntime(tool)+", or "+unbuilt, "see its output; nothing was packed; or "+unbuilt, func() error {
		return j.folder.Prepublish(ctx, tool)
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
func (j *packJob) run(missing, failed string, do func() error) error {
	var output bytes.Buffer
	if j.e.quiet {
		j.folder.Output = &output
	}
	err := do()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return hint.Add(err, "%s", missing)
	case err != nil && !errors.Is(err, context.Canceled):
		_, _ = j.e.stderr.Raw().Write(output.Bytes())
		return hint.Add(err, "%s", failed)
	}
	return explainPack(err)
}

// read plans the package for a platform. If the folder has errors, it returns both a plan and an
// error.
func (j *packJob) read(ctx context.Context, platform string) (*pack.Plan, error) {
	o := j.options
	o.Platform = platform
	o.Time = j.time(ctx)
	show, end := j.e.packProgress("read", j.dir)
	o.Progress = show
	plan, err := pack.Read(ctx, os.DirFS(j.dir), o)
	end()
	if err != nil {
		return nil, explainRead(j.dir, err)
	}
	plan.Findings = append(plan.Findings, galleries(plan.Files)...)
	if slices.ContainsFunc(plan.Findings, isError) {
		return plan, j.refuse(plan.Findings)
	}
	j.e.printTime(plan.Time(), j.origin)
	return plan, nil
}

// write writes a package and returns its size in bytes.
func (j *packJob) write(ctx context.Context, plan *pack.Plan, file string) (size int64, err error) {
	show, end := j.e.packProgress("pack", filepath.Base(file))
	defer end()
	return writeVSIX(ctx, plan, file, show)
}

// galleries returns a warning for each gallery among the files: the package would contain it, and
// each package that is published to it would make the next one larger.
func galleries(files []pack.File) (warnings []finding.Finding) {
	for _, f := range files {
		if dir, ok := strings.CutSuffix(f.Source, "/"+site.CurrentPath); ok {
			warnings = append(warnings, finding.Warning(dir, "list it in .vscodeignore, or move it out of the folder", "is a gallery, and becomes part of the package"))
		}
	}
	return warnings
}

// errRefused is the error for a folder with errors, which have been printed.
var errRefused = errors.New("nothing was packed")

// refuse prints findings with errors, and returns the error for them.
func (j *packJob) refuse(found []finding.Finding) error {
	j.refused = found
	j.e.printFindings(slices.Concat(j.warnings, found))
	n := len(slices.DeleteFunc(slices.Clone(found), isWarning))
	return fmt.Errorf("%s: %s: %w", j.dir, plural(n, "error"), errRefused)
}

// explainRead adds the folder to an error that names only a file in it, and a hint.
func explainRead(dir string, err error) error {
	if errors.Is(err, context.Canceled) || dir == "." {
		return explainPack(err)
	}
	return explainPack(fmt.Errorf("%s: %w", dir, err))
}

// explainPack adds a hint to an error of packing.
func explainPack(err error) error {
	switch {
	case err == nil || hint.Has(err):
		return err
	case errors.Is(err, context.Canceled):
		return hint.Add(errors.New("interrupted"), "nothing was packed")
	case errors.Is(err, fs.ErrPermission):
		return hint.Add(err, "the user running galbuild must be able to read the extension's folder; nothing was packed")
	case errors.Is(err, fs.ErrNotExist):
		return hint.Add(err, "another program may be changing the folder: run the command again when it has ended; nothing was packed")
	}
	return err
}
