package galbuild

import (
	"context"

	"galbuild/cmd/internal/targets"
	"galbuild/publish"
)

type rollbackCmd struct {
	Target string `arg:"" optional:"" complete:"path" help:"The target: ${targets}."`
	DryRun bool   `help:"Print what would be done, and change nothing."`
	targets.Flags
}

// Validate implements Kong's hook.
func (r *rollbackCmd) Validate() error { return r.Check(r.Target) }

// Run switches back to the previous generation.
func (r *rollbackCmd) Run(ctx context.Context, e *env) error {
	at, err := r.Open(e.target)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	result, err := publish.Rollback(ctx, at, publish.Options{DryRun: r.DryRun})
	if err != nil {
		return explainPublish(err)
	}
	e.printVersions(result)
	return e.printResult(result)
}
