package galbuild

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"galbuild/build"
	"galbuild/build/site"
	"galbuild/build/units"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish/inbox"
	"galbuild/publish/target"
)

type acceptCmd struct {
	Target string `arg:"" optional:"" complete:"path" help:"The target of the gallery, whose inbox is read: ${targets}."`
	From   string `complete:"path" placeholder:"TARGET" help:"Read the inbox of another target."`

	MaxSubmissions int        `default:"100" placeholder:"N" help:"Number of submissions of each publisher to read in this run."`
	MaxBytes       units.Size `default:"4GiB" placeholder:"SIZE" help:"Total size of the packages of each publisher to read in this run."`

	from *targets.Remote // of the inbox, or nil

	policyFlags
	authorFlags
	transfer
	targets.Flags
	limitFlags
}

// Validate implements Kong's hook.
func (a *acceptCmd) Validate() error {
	if err := a.transfer.check(); err != nil {
		return err
	}
	if a.MaxSubmissions < 1 || a.MaxBytes < 1 {
		return errors.New("--max-submissions and --max-bytes: must be at least 1")
	}
	if _, err := a.limits(); err != nil {
		return err
	}
	if _, err := a.author(); err != nil {
		return err
	}
	if err := a.Check(a.Target); err != nil || a.From == "" {
		return err
	}
	var err error
	a.from, err = a.At(a.From)
	return err
}

// Run accepts the packages in an inbox, and refuses those that do not belong there.
func (a *acceptCmd) Run(ctx context.Context, e *env) error {
	before := targetBefore(&a.Flags)
	return before.cleanUp(a.run(ctx, e))
}

func (a *acceptCmd) run(ctx context.Context, e *env) error {
	add := addCmd{policyFlags: a.policyFlags, authorFlags: a.authorFlags, transfer: a.transfer, limitFlags: a.limitFlags, Flags: a.Flags}
	var err error
	if add.restorer, err = a.author(); err != nil {
		return err
	}
	cfg, err := add.config(e)
	if err != nil {
		return err
	}
	gallery, err := a.Open(e.target)
	if err != nil {
		return err
	}
	defer closeTarget(gallery)
	box := gallery
	if a.from != nil {
		if box, err = a.from.Open(e.target); err != nil {
			return err
		}
		defer closeTarget(box)
	}
	commit, err := e.commit(&a.authorFlags)
	if err != nil {
		return err
	}
	report, made, err := a.accept(ctx, e, box, gallery, cfg, commit)
	if made != nil && !e.quiet {
		e.printWarnings(made.Report.Warnings)
	}
	if err != nil && len(report.Submissions) > 0 {
		err = errors.Join(err, e.printJSON(report))
	}
	if err != nil {
		return e.explainPolicy(explainPublish(err))
	}
	if err := e.printAccepted(report); err != nil {
		return err
	}
	if report.Failed > 0 {
		return hint.Add(fmt.Errorf("%s could not be read", plural(report.Failed, "submission")), "the others are done, and the next run reads these again")
	}
	return nil
}

// accept runs [inbox.Accept] in a workspace.
func (a *acceptCmd) accept(ctx context.Context, e *env, box, gallery target.Target, cfg build.Config, commit site.Commit) (report inbox.Report, made *build.Result, err error) {
	err = e.inWorkspace(func(dir *site.Dir, bar *progress) error {
		cfg.Progress = bar.show
		report, made, err = inbox.Accept(ctx, box, gallery, dir, inbox.Options{
			Options: a.options(bar, commit), Build: cfg,
			Limits: inbox.Limits{Submissions: a.MaxSubmissions, Bytes: int64(a.MaxBytes)},
		})
		return err
	})
	return report, made, err
}

// printAccepted prints what became of submissions.
func (e *env) printAccepted(r inbox.Report) error {
	if e.json {
		return e.printJSON(r)
	}
	e.printSkipped(r.Skipped)
	would := ""
	if r.DryRun {
		would = "would be "
	}
	if e.quiet {
		return nil
	}
	for i := range r.Submissions {
		s := &r.Submissions[i]
		name, state := cmp.Or(s.Package, s.PackageKey()), string(s.State)
		switch s.State {
		case inbox.Accepted:
			terminal.Fprintf(e.stdout, "%s%s  %s, submitted by %s with the key %s\n", would, state, name, s.By, s.KeyName)
		case inbox.Waiting:
			terminal.Fprintf(e.stdout, "%s  %s: %s\n", state, name, describeResult(s.Result))
		default:
			terminal.Fprintf(e.stdout, "%s%s  %s: %s\n", would, state, name, s.Reason)
		}
	}
	if r.Generation == "" { // nothing was accepted, and there is no gallery yet
		return nil
	}
	return e.printResult(r.Result)
}
