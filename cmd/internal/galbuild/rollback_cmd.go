package galbuild

import (
	"context"
	"errors"
	"fmt"

	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
)

type rollbackCmd struct {
	Target string `arg:"" optional:"" complete:"path" help:"The target: ${targets}."`
	To     int64  `placeholder:"N" help:"The number of the generation in galbuild history (default: the one before the current one)."`
	DryRun bool   `help:"Print what would be done, and change nothing."`
	authorFlags
	targets.Flags
}

// Validate implements Kong's hook.
func (r *rollbackCmd) Validate() error {
	if _, err := r.author(); err != nil {
		return err
	}
	if r.To < 0 {
		return fmt.Errorf("--to=%d: want a number that galbuild history prints", r.To)
	}
	return r.Check(r.Target)
}

// Run makes an earlier generation current again.
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
	commit, err := e.commit(&r.authorFlags)
	if err != nil {
		return err
	}
	var result publish.Result
	err = e.inWorkspace(func(dir *site.Dir, bar *progress) error {
		result, err = publish.Rollback(ctx, at, dir, author, r.To, publish.Options{DryRun: r.DryRun, Progress: bar.showPublish, Commit: commit})
		return err
	})
	if gone, ok := errors.AsType[*publish.GoneError](err); ok {
		return explainGone(err, gone)
	}
	if err != nil {
		return explainPublish(err)
	}
	e.printExcluded(result.Excluded)
	e.printVersions(result)
	e.printUndone(result.Undone)
	return e.printResult(result)
}

// explainGone says which generations still have their files.
func explainGone(err error, gone *publish.GoneError) error {
	if len(gone.Kept) == 0 {
		return hint.Add(err, "no earlier generation has its files; --keep-generations keeps more of them")
	}
	var kept []string
	for _, n := range gone.Kept {
		kept = append(kept, fmt.Sprint(n))
	}
	return hint.Add(err, "those that have their files: --to %s; --keep-generations keeps more of them", firstOf(kept, 20))
}

// printUndone prints which decisions and settings a rollback has undone.
func (e *env) printUndone(u *publish.Undone) {
	if e.json || e.quiet || u == nil {
		return
	}
	for _, subject := range u.Removals {
		terminal.Fprintf(e.stdout, "undone: the removal of %s\n", subject)
	}
	for _, name := range u.Settings {
		terminal.Fprintf(e.stdout, "undone: changes of the setting %s\n", name)
	}
}
