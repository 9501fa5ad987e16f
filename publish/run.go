package publish

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"galbuild/build"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/render"
)

// Options are the options of a change. The zero value is ready for use.
type Options struct {
	DryRun      bool               // only report what would be done
	MaxRemovals build.MaxRemovals  // how many versions may vanish without a decision, for [Site] and [Pull]
	Policy      build.PolicyChange // what [Site] does with the policy of the target
	Jobs        int                // objects transferred at once; 0 means 16
	Progress    func(Progress)     // called after each object, by several goroutines; may be nil
	Repair      bool               // [Site] sends everything again, also what the target should have
	AllowOlder  bool               // pull although something newer of the same history was pulled before
	Lines       *Lines             // what earlier calls of the command have read at the same target; may be nil
	Commit      site.Commit        // what the history says about it, and the time by which policies decide
}

// Progress is the progress of a plan.
type Progress struct {
	Stage        string // "content", "paths", "pages" or "generation"
	Done, Total  int    // objects of the stage
	Sent, SentOf int64  // bytes of all stages, sent so far and in total
	Key          string // of the object that was just completed
}

// Run applies the plan to a target, in the steps that [Plan] describes. If another publisher has
// replaced CURRENT since the state of the target was read, the error wraps [target.ErrChanged]. The
// caller then makes a new plan from the new state. The objects that were sent remain at the target.
// If the error wraps [render.ErrSwitched], the new generation is current and only step 7 has
// failed.
func (p *Plan) Run(ctx context.Context, at target.Target, o Options) error {
	if p.IsEmpty() {
		return nil
	}
	_, bytes := p.Objects()
	r := &runner{at: at, Options: o, sentOf: bytes}
	for _, stage := range []func(context.Context) error{
		func(ctx context.Context) error { return r.put(ctx, "content", p.Blobs) },
		func(ctx context.Context) error { return r.link(ctx, "paths", p.Links) },
		func(ctx context.Context) error { return r.putIf(ctx, p.Marker) },
		func(ctx context.Context) error { return r.link(ctx, "pages", p.Pages) },
		func(ctx context.Context) error { return r.put(ctx, "pages", p.Responses) },
		func(ctx context.Context) error { return r.put(ctx, "generation", p.Chunks) },
		func(ctx context.Context) error { return r.put(ctx, "generation", p.Generation) },
		func(ctx context.Context) error { return r.put(ctx, "generation", p.History) },
		func(ctx context.Context) error { return at.Swap(ctx, p.Replaces, p.Current) },
	} {
		if err := stage(ctx); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	p.switched = true
	ctx = context.WithoutCancel(ctx) // step 7 is short, and no later command completes it
	remove := p.Remove
	if p.Marker.Key != "" {
		remove = append(remove, p.Marker.Key)
	}
	if err := at.Delete(ctx, remove); err != nil {
		return fmt.Errorf("%s: %w, but removing old files failed: %w", at, render.ErrSwitched, err)
	}
	return nil
}

// A runner transfers objects and reports the progress.
type runner struct {
	Options
	at     target.Target
	sent   atomic.Int64 // bytes so far
	sentOf int64        // bytes in total
}

// putIf puts an object, unless it has no key.
func (r *runner) putIf(ctx context.Context, o target.Object) error {
	if o.Key == "" {
		return nil
	}
	return r.at.Put(ctx, o)
}

func (r *runner) put(ctx context.Context, stage string, objects []target.Object) error {
	return each(ctx, r, stage, objects, func(ctx context.Context, o target.Object) (string, error) {
		err := r.at.Put(ctx, o)
		r.sent.Add(o.Size)
		return o.Key, err
	})
}

func (r *runner) link(ctx context.Context, stage string, links []Link) error {
	return each(ctx, r, stage, links, func(ctx context.Context, l Link) (string, error) {
		return l.Key, r.at.Copy(ctx, l.From, l.Object)
	})
}

// each calls do for all items, up to r.Jobs at once, and returns the first error. do returns the
// key for the progress report.
func each[T any](ctx context.Context, r *runner, stage string, items []T, do func(context.Context, T) (key string, err error)) error {
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(r.Jobs, 16))
	for _, item := range items {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			key, err := do(ctx, item)
			if r.Progress != nil {
				r.Progress(Progress{Stage: stage, Done: int(done.Add(1)), Total: len(items), Sent: r.sent.Load(), SentOf: r.sentOf, Key: key})
			}
			return err
		})
	}
	return group.Wait()
}
