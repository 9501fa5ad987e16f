package galbuild

import (
	"context"
	"errors"
	"path/filepath"
	"slices"

	"galbuild/build/pack"
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

// Run packs an extension's folder.
func (c *packageCmd) Run(ctx context.Context, e *env) error {
	dir, version := dirAndVersion(c.Dir, c.Version)
	job := newPackJob(e, packSettings{&c.packFlags, c.keys()}, dir, version)
	job.accept = func(plan *pack.Plan) error {
		_, err := c.file(dir, plan)
		return err
	}
	plan, err := c.plan(ctx, job)
	if err != nil {
		if len(job.refused) > 0 {
			err = errors.Join(err, e.printJSON(newPackaged(plan, slices.Concat(job.refused, job.warnings))))
		}
		return err
	}
	return c.write(ctx, job, plan)
}

// keys returns the fields for the settings of "vsce" in package.json.
func (c *packageCmd) keys() map[string]setting {
	keys := c.packFlags.keys()
	keys["target"], keys["packagePath"] = &c.Target, &c.settingOut
	return keys
}

// plan returns the plan of the package. If the folder has errors, it may return both a plan and an
// error.
func (c *packageCmd) plan(ctx context.Context, job *packJob) (*pack.Plan, error) {
	pkg, err := job.begin()
	if err != nil {
		return nil, err
	}
	if err := checkTargets("package.json: vsce.target", c.Target); err != nil {
		return nil, err
	}
	if err := job.prepare(ctx, pkg, c.Target); err != nil {
		return nil, err
	}
	return job.read(ctx, c.Target)
}

// file returns the path of the package. It is an error if the file must not be written.
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

func (c *packageCmd) write(ctx context.Context, job *packJob, plan *pack.Plan) error {
	file, err := c.file(job.dir, plan)
	if err != nil {
		return err
	}
	found := slices.Concat(job.warnings, plan.Findings)
	job.e.printFindings(found)
	job.e.printFiles(filepath.Base(file), plan)
	size, err := job.write(ctx, plan, file)
	if err != nil {
		return err
	}
	result := newPackaged(plan, found)
	result.Path, result.Bytes = file, size
	return job.e.printPackaged(result)
}
