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

// Result is what a change came to.
type Result struct {
	Place      string   `json:"place"`
	Generation string   `json:"generation"`         // that counts now
	Previous   string   `json:"previous,omitempty"` // that counted before, if it was another
	Objects    int      `json:"objects"`            // sent or copied
	Bytes      int64    `json:"bytes"`              // sent
	Removed    int      `json:"removed,omitempty"`  // objects
	Attempts   int      `json:"attempts,omitempty"` // more than one if others were at work
	DryRun     bool     `json:"dryRun,omitempty"`
	Kept       []string `json:"kept,omitempty"` // versions that others have published, and that were not to be replaced
	Plan       []string `json:"plan,omitempty"` // of a dry run
}

// maxAttempts is how often a change is made again after others were faster.
const maxAttempts = 50

// Change brings a place from what it serves to what change makes of that. When it
// turns out that somebody else has published meanwhile, it begins again with what is
// there then, so that nobody's work is lost: change may be called more than once. Dir
// is where change puts content that the place lacks, and where the generation is
// written.
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
		return carryOut(ctx, at, old, next, o)
	})
}

// retry does something again as long as others were faster.
func retry(ctx context.Context, do func() (Result, error)) (result Result, err error) {
	attempts, err := Retry(ctx, func() (err error) {
		result, err = do()
		return err
	})
	result.Attempts = attempts
	return result, err
}

// Retry does something again as long as its error wraps target.ErrChanged, and returns how
// often it did.
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
	current, err := render.Generation(dir, c, site.Current{})
	return Next{current, c, dir.Root, []*blob.Store{dir.Blobs}}, err
}

// carryOut brings a place from one state to another, but for what is there already.
func carryOut(ctx context.Context, at target.Target, old State, next Next, o Options) (Result, error) {
	p := NewPlan(old, next)
	if err := p.Resume(ctx, at); err != nil {
		return Result{}, fmt.Errorf("%s: %w", at, err)
	}
	return finish(ctx, at, p, old, next, o)
}

// finish runs a plan, or tells it, and reports.
func finish(ctx context.Context, at target.Target, p *Plan, old State, next Next, o Options) (Result, error) {
	result := Result{Place: at.String(), Generation: old.Generation, DryRun: o.DryRun}
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
	if p.counts {
		result.Generation, result.Previous = next.Generation, old.Generation
	}
	return result, err
}
