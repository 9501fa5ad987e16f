package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"galbuild/publish/target"
)

// Options say how a plan is carried out. The zero value is ready for use.
type Options struct {
	DryRun   bool           // only tell what would be done
	Jobs     int            // objects at a time; 0 is 16
	Progress func(Progress) // called now and then, by several goroutines; nil is nobody
}

// Progress is how far a plan has come.
type Progress struct {
	Stage        string // "content", "paths", "pages", "generation" or "clean"
	Done, Total  int    // objects of the stage
	Sent, SentOf int64  // bytes of all stages
	Key          string // the object just done
}

// Run carries the plan out. It wraps target.ErrChanged if CURRENT has been replaced by
// somebody else since the old state was read; then nothing that counts has changed,
// and what was brought stays to be found by the next attempt.
func (p *Plan) Run(ctx context.Context, at target.Target, o Options) error {
	if p.IsEmpty() {
		return nil
	}
	_, bytes := p.Objects()
	r := &runner{at: at, Options: o, sentOf: bytes}
	for _, stage := range []func(context.Context) error{
		func(ctx context.Context) error { return r.put(ctx, "content", p.Blobs) },
		func(ctx context.Context) error { return r.link(ctx, "paths", p.Links) },
		func(ctx context.Context) error { return r.putIf(ctx, p.Begin) },
		func(ctx context.Context) error { return r.link(ctx, "pages", p.Pages) },
		func(ctx context.Context) error { return r.put(ctx, "pages", p.Answers) },
		func(ctx context.Context) error { return r.put(ctx, "generation", p.Generation) },
		func(ctx context.Context) error { return at.Swap(ctx, p.Replaces, p.Current) },
	} {
		if err := stage(ctx); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	p.counts = true
	ctx = context.WithoutCancel(ctx) // little is left to do, and it would be left for long
	remove := p.Remove
	if p.Begin.Key != "" {
		remove = append(remove, p.Begin.Key)
	}
	if err := errors.Join(r.putIf(ctx, p.Before), at.Delete(ctx, remove)); err != nil {
		return fmt.Errorf("%s: the new generation is served, but what it no longer needs is not all removed: %w", at, err)
	}
	return nil
}

type runner struct {
	Options
	at     target.Target
	sent   atomic.Int64
	sentOf int64
}

func (r *runner) putIf(ctx context.Context, o target.Object) error {
	if o.Key == "" {
		return nil
	}
	return r.at.Put(ctx, o)
}

func (r *runner) put(ctx context.Context, stage string, all []target.Object) error {
	return each(ctx, r, stage, all, func(ctx context.Context, o target.Object) (string, error) {
		err := r.at.Put(ctx, o)
		r.sent.Add(o.Size)
		return o.Key, err
	})
}

func (r *runner) link(ctx context.Context, stage string, all []Link) error {
	return each(ctx, r, stage, all, func(ctx context.Context, l Link) (string, error) {
		return l.Key, r.at.Copy(ctx, l.From, l.Object)
	})
}

// each does something with all of them, several at a time.
func each[T any](ctx context.Context, r *runner, stage string, all []T, do func(context.Context, T) (key string, err error)) error {
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(r.Jobs, 16))
	for _, one := range all {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			key, err := do(ctx, one)
			if r.Progress != nil {
				r.Progress(Progress{Stage: stage, Done: int(done.Add(1)), Total: len(all), Sent: r.sent.Load(), SentOf: r.sentOf, Key: key})
			}
			return err
		})
	}
	return group.Wait()
}
