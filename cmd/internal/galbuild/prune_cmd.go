package galbuild

import (
	"context"
	"time"

	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/target"
)

type pruneCmd struct {
	Target string        `arg:"" optional:"" complete:"path" help:"The target: ${targets}."`
	Grace  time.Duration `default:"24h" help:"Only remove objects older than this."`
	DryRun bool          `help:"Print what would be removed, and change nothing."`
	targets.Flags
}

// Validate implements Kong's hook.
func (p *pruneCmd) Validate() error {
	if err := checkGrace(p.Grace); err != nil {
		return err
	}
	return p.Check(p.Target)
}

// Run removes the files that no generation needs.
func (p *pruneCmd) Run(ctx context.Context, e *env) error {
	at, err := p.Open(e.target)
	if err != nil {
		return err
	}
	defer closeTarget(at)
	return prune(ctx, e, at, p.Grace, p.DryRun)
}

func prune(ctx context.Context, e *env, at target.Target, grace time.Duration, dryRun bool) error {
	removed, err := publish.Prune(ctx, at, grace, publish.Options{DryRun: dryRun})
	if err != nil {
		return explainPublish(err)
	}
	if e.json {
		return e.printJSON(map[string]any{"target": at.String(), "removed": append([]string{}, removed...), "dryRun": dryRun})
	}
	if e.quiet {
		return nil
	}
	if e.verbose || dryRun {
		for _, key := range removed {
			terminal.Fprintln(e.stdout, "remove  "+key)
		}
	}
	would := ""
	if dryRun {
		would = "would be "
	}
	_, err = terminal.Fprintf(e.stdout, "%s: %s %sremoved\n", at, plural(len(removed), "object"), would)
	return err
}
