package galbuild

import (
	"context"
	"errors"
	"time"

	"galbuild/build/site"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/target"
)

type pruneCmd struct {
	Target string        `arg:"" optional:"" complete:"path" help:"The target: ${targets}."`
	Grace  time.Duration `default:"24h" help:"Only remove objects older than this."`
	DryRun bool          `help:"Print what would be removed, and change nothing."`
	keepFlag
	targets.Flags
}

// Validate implements Kong's hook.
func (p *pruneCmd) Validate() error {
	if err := errors.Join(checkGrace(p.Grace), p.keepFlag.check()); err != nil {
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
	removed, err := prune(ctx, e, at, p.Grace, p.KeepGenerations, p.DryRun)
	if err != nil || !e.json {
		return err
	}
	return e.printJSON(pruned{at.String(), removed, p.DryRun})
}

// pruned is the JSON document of prune.
type pruned struct {
	Target  string   `json:"target"`
	Removed []string `json:"removed"` // keys of objects
	DryRun  bool     `json:"dryRun"`
}

// prune prunes a target, and prints what was removed unless that is for a JSON document. It
// returns the keys, not nil, of the objects that were removed or, in a dry run, would be.
func prune(ctx context.Context, e *env, at target.Target, grace time.Duration, keep int, dryRun bool) ([]string, error) {
	keys, err := publish.Prune(ctx, at, grace, publish.Options{DryRun: dryRun, Commit: site.Commit{Keep: keep}})
	if err != nil {
		return nil, explainPublish(err)
	}
	removed := append([]string{}, keys...)
	if e.json || e.quiet {
		return removed, nil
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
	return removed, err
}
