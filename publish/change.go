package publish

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/render"
)

// Result describes a change of a target.
type Result struct {
	Target     string   `json:"target"`
	Generation string   `json:"generation"`         // current after the change
	Previous   string   `json:"previous,omitempty"` // current before, if it was a different one
	Objects    int      `json:"objects"`            // sent or copied
	Bytes      int64    `json:"bytes"`              // sent
	Removed    int      `json:"removedObjects,omitempty"`
	Attempts   int      `json:"attempts,omitempty"` // more than one after concurrent changes
	DryRun     bool     `json:"dryRun,omitempty"`
	Kept       []string `json:"kept,omitempty"` // versions that others have published and that were preserved
	Plan       []string `json:"plan,omitempty"` // what a dry run would do
}

// maxAttempts limits how often a change is repeated after concurrent changes.
const maxAttempts = 50

// Change publishes the catalogue that change returns for the current state of a target. If another
// process publishes at the same time, Change reads the new state and calls change again, so no
// change is lost. change stores content that the target lacks in dir; the generation is written
// to dir too.
func Change(ctx context.Context, at target.Target, dir *site.Dir, o Options, change func(State) (*catalog.Catalog, error)) (Result, error) {
	return retry(ctx, func() (Result, error) {
		old, err := readToChange(ctx, at)
		if err != nil {
			return Result{}, err
		}
		c, err := change(old)
		if err != nil {
			return Result{}, err
		}
		next, err := generate(dir, c)
		if err != nil {
			return Result{}, err
		}
		return apply(ctx, at, old, next, o)
	})
}

// retry is [Retry] with a result.
func retry(ctx context.Context, do func() (Result, error)) (result Result, err error) {
	attempts, err := Retry(ctx, func() (err error) {
		result, err = do()
		return err
	})
	result.Attempts = attempts
	return result, err
}

// Retry calls do until its error does not wrap [target.ErrChanged], at most 50 times. It returns
// the number of calls.
func Retry(ctx context.Context, do func() error) (attempts int, err error) {
	for attempt := 1; ; attempt++ {
		err := do()
		if !errors.Is(err, target.ErrChanged) || attempt == maxAttempts {
			return attempt, err
		}
		select {
		case <-ctx.Done():
			return attempt, ctx.Err()
		case <-time.After(time.Duration(rand.IntN(attempt*50)) * time.Millisecond):
		}
	}
}

// generate writes the generation and the pages of c into dir.
func generate(dir *site.Dir, c *catalog.Catalog) (Next, error) {
	for _, page := range render.Pages(c) {
		if _, err := dir.Blobs.PutBytes(page.Text); err != nil {
			return Next{}, err
		}
	}
	current, err := render.Generation(dir, c)
	return Next{current, c, dir.Root, []*blob.Store{dir.Blobs}}, err
}

// apply takes a target from one state to another, without the objects that it has already.
func apply(ctx context.Context, at target.Target, old State, next Next, o Options) (Result, error) {
	p := NewPlan(old, next)
	if err := p.Resume(ctx, at); err != nil {
		return Result{}, fmt.Errorf("%s: %w", at, err)
	}
	return finish(ctx, at, p, old, next, o)
}

// finish runs a plan, or describes it in a dry run, and returns the result.
func finish(ctx context.Context, at target.Target, p *Plan, old State, next Next, o Options) (Result, error) {
	result := Result{Target: at.String(), Generation: old.Generation, DryRun: o.DryRun}
	if p.IsEmpty() {
		return result, nil
	}
	result.Objects, result.Bytes = p.Objects()
	result.Removed = len(p.Remove)
	if o.DryRun {
		result.Plan = p.Lines()
		return result, nil
	}
	err := p.Run(ctx, at, o)
	if p.switched {
		result.Generation, result.Previous = next.Generation, old.Generation
	}
	return result, err
}
