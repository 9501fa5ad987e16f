package galbuild

import (
	"context"

	"galbuild/build/site"
	"galbuild/cmd/internal/targets"
	"galbuild/publish"
)

type rollbackCmd struct {
	Target string `arg:"" optional:"" complete:"path" help:"The target: ${targets}."`
	DryRun bool   `help:"Print what would be done, and change nothing."`
	authorFlags
	targets.Flags
}

// Validate implements Kong's hook.
func (r *rollbackCmd) Validate() error {
	if _, err := r.author(); err != nil {
		return err
	}
	return r.Check(r.Target)
}

// Run switches back to the previous generation.
func (r *rollbackCmd) Run(ctx context.Context, e *env) error {
	at, err := r.Open(e.target)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	author, err := r.author()
	if err != nil {
		return err
	}
	var result publish.Result
	err = e.inWorkspace(func(dir *site.Dir, bar *progress) error {
		result, err = publish.Rollback(ctx, at, dir, author, publish.Options{DryRun: r.DryRun, Now: author.When, Progress: bar.showPublish})
		return err
	})
	if err != nil {
		return explainPublish(err)
	}
	e.printExcluded(result.Excluded)
	e.printVersions(result)
	return e.printResult(result)
}
