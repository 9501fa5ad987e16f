package galbuild

import (
	"context"
	"errors"
	"fmt"
	"time"

	"galbuild/build"
	"galbuild/build/history"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish"
	"galbuild/publish/dbem"
	"galbuild/publish/target"
)

type pullCmd struct {
	From      string        `arg:"" optional:"" name:"target" complete:"path" help:"The target to copy: ${readable}."`
	Output    string        `short:"o" default:"site" type:"newsite" placeholder:"SITE" help:"Folder to copy to."`
	Layout    string        `enum:"site,dbem" default:"site" help:"Layout of the target: a gallery (site), or a repository of dbem (dbem). galbuild can build from the copy of a repository."`
	IndexOnly bool          `help:"Copy only the index, which is enough for galshim --no-files."`
	Follow    time.Duration `placeholder:"DURATION" help:"Keep running, and look for a new generation at this interval, such as 30s."`
	Jobs      int           `placeholder:"N" help:"Number of objects to download at a time (default: 16)."`

	warned      string            // the last warning
	AllowOlder  bool              `help:"Copy a generation that is not newer than what was copied before."`
	MaxRemovals build.MaxRemovals `placeholder:"N|N%" help:"Change nothing if more versions of the folder than this would vanish without a decision (default: 20%, and more than ten)."`
	keepFlag
	authorFlags
	targets.Remote
}

// Validate implements Kong's hook.
func (p *pullCmd) Validate() error {
	switch {
	case p.Layout == layoutDbem && (p.IndexOnly || p.Follow > 0):
		return errors.New("--index-only and --follow are for galleries, not for --layout dbem")
	case p.Jobs < 0:
		return fmt.Errorf("--jobs=%d: must not be negative", p.Jobs)
	case p.Follow < 0:
		return fmt.Errorf("--follow=%s: must not be negative", p.Follow)
	}
	if err := p.keepFlag.check(); err != nil {
		return err
	}
	if _, err := p.author(); err != nil {
		return err
	}
	return p.Check(p.From)
}

// pulled is the JSON document of pull.
type pulled struct {
	Target     string           `json:"target"`
	Site       string           `json:"site"`
	Generation string           `json:"generation"`
	Changed    bool             `json:"changed"`
	Excluded   []build.Excluded `json:"excluded"` // versions that decisions of the copy keep out
}

// Run copies a published site, or only its index, to a folder. With --follow, it copies new
// generations until ctx ends; errors after the first copy are only warnings.
func (p *pullCmd) Run(ctx context.Context, e *env) error {
	before := folderBefore(p.Output)
	return before.cleanUp(p.run(ctx, e))
}

func (p *pullCmd) run(ctx context.Context, e *env) error {
	from, err := p.OpenToRead(e.target)
	if err != nil {
		return err
	}
	if p.Layout == layoutDbem {
		return p.pullDbem(ctx, e, from)
	}
	dir, err := site.Lock(p.Output)
	if err != nil {
		return err
	}
	defer dir.Close()
	err = p.pull(ctx, e, from, dir)
	if err != nil && (p.Follow == 0 || !isRefused(err)) {
		return errors.Join(err, dir.Abandon())
	}
	p.warn(e, err)
	if p.Follow == 0 {
		return nil
	}
	tick := time.NewTicker(p.Follow)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := p.pull(ctx, e, from, dir); ctx.Err() == nil {
			p.warn(e, err)
		}
	}
}

// isRefused reports whether the folder refuses the generation of the target, which may soon have
// another one.
func isRefused(err error) bool {
	_, older := errors.AsType[*history.OlderError](err)
	_, removals := errors.AsType[*build.RemovalsError](err)
	return older || removals
}

// warn prints why a generation was not copied, if it was not, once for each reason.
func (p *pullCmd) warn(e *env, err error) {
	reason, next := "", ""
	if err != nil {
		reason, next = hint.Text(err)
	}
	if reason != "" && reason != p.warned {
		terminal.Fprintf(e.stderr, "galbuild: warning: %s; pull tries again in %s\n", reason, p.Follow)
		if next != "" {
			terminal.Fprintf(e.stderr, "galbuild: hint: %s\n", next)
		}
	}
	p.warned = reason
}

func (p *pullCmd) pull(ctx context.Context, e *env, from target.Target, dir *site.Dir) error {
	commit, err := e.commit(&p.authorFlags)
	if err != nil {
		return err
	}
	commit.Keep = p.KeepGenerations
	bar := newProgress(e)
	defer bar.close()
	pull, err := publish.Pull(ctx, from, dir, p.IndexOnly, publish.Options{Jobs: p.Jobs, Progress: bar.showPublish, AllowOlder: p.AllowOlder, MaxRemovals: p.MaxRemovals, Commit: commit})
	bar.close()
	if errors.Is(err, publish.ErrNothing) {
		if listed, _ := dbem.Read(ctx, from); listed != nil {
			return hint.Add(err, "it is a repository of dbem: galbuild pull --layout dbem copies it")
		}
	}
	if err != nil {
		return explainPull(err)
	}
	e.printExcluded(pull.Excluded)
	if e.json {
		err := e.printJSON(pulled{from.String(), dir.Root, pull.Generation, pull.Changed, append([]build.Excluded{}, pull.Excluded...)})
		if p.Follow > 0 {
			err = errors.Join(err, e.writeDocument(nil))
		}
		return err
	}
	if e.quiet || !pull.Changed && p.Follow > 0 {
		return nil
	}
	as := ""
	if !pull.Changed {
		as = ", as before"
	}
	_, err = terminal.Fprintf(e.stdout, "%s: generation %s of %s%s\n", dir.Root, pull.Generation, from, as)
	return err
}

// explainPull adds a hint to errors of copying a target to a folder.
func explainPull(err error) error {
	if errors.Is(err, context.Canceled) && !hint.Has(err) {
		return hint.Add(errors.New("interrupted"), "the folder still has the old generation; run it again to continue, nothing is downloaded twice")
	}
	if _, ok := errors.AsType[*history.OlderError](err); ok {
		return hint.Add(err, "--allow-older copies it all the same; the folder has not changed")
	}
	if removals, ok := errors.AsType[*build.RemovalsError](err); ok {
		return explainRemovals(err, removals, "nothing has changed; check that the target is the right one and complete")
	}
	return explainPublish(err)
}
