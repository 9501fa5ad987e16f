package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/render"
)

// Result describes a change of a target. Its lists are never nil.
type Result struct {
	Target     string   `json:"target"`
	Generation string   `json:"generation"`     // current after the change
	Previous   string   `json:"previous"`       // current before the change; "" if it still is
	Objects    int      `json:"objects"`        // uploaded or copied
	Bytes      int64    `json:"bytes"`          // uploaded
	Removed    int      `json:"removedObjects"` // apart from pruning
	Attempts   int      `json:"attempts"`       // more than one after concurrent changes
	DryRun     bool     `json:"dryRun"`
	Kept       []string `json:"kept"` // ids of versions that others have published and that were not removed
	Plan       []string `json:"plan"` // what a dry run would do

	AddedVersions   []string         `json:"added"`    // ids of versions
	RemovedVersions []string         `json:"removed"`  // ids of versions that are not served any more
	Excluded        []build.Excluded `json:"excluded"` // versions that decisions and the policy keep out

	// PolicyDiff is how the policy of a published site differs from that of the target, which
	// decides; "" if they are the same.
	PolicyDiff string `json:"policyDiff,omitempty"`

	Undone *Undone `json:"undone,omitempty"` // only of a rollback
}

// newResult returns the result of a change that has done nothing.
func newResult(at target.Target, generation string, o Options) Result {
	return Result{
		Target: at.String(), Generation: generation, DryRun: o.DryRun, Kept: []string{}, Plan: []string{},
		AddedVersions: []string{}, RemovedVersions: []string{}, Excluded: []build.Excluded{},
	}
}

// maxAttempts limits how often a change is repeated after concurrent changes.
const maxAttempts = 50

// Change reads the state of a target, calls change, and publishes the catalogue that it returns. If
// another process publishes at the same time, Change reads the new state and calls change again. So
// no change of either process is lost, and change must not depend on earlier calls.
//
// change stores the content that the target lacks in dir. Change writes the pages and the files of
// the new generation to dir, without the chunks that the target has, and changes nothing else in
// it.
func Change(ctx context.Context, at target.Target, dir *site.Dir, o Options, change func(State) (*catalog.Catalog, error)) (Result, error) {
	l := o.linesAt(at)
	return retry(ctx, func() (Result, error) {
		old, err := readToChange(ctx, at, l)
		if err != nil {
			return Result{}, err
		}
		c, err := change(old)
		if err != nil {
			return Result{}, err
		}
		next, err := generate(ctx, at, dir, old, c)
		if err != nil {
			return Result{}, err
		}
		return apply(ctx, at, old, next, o)
	})
}

// retry is [Retry] for a function with a result. It sets Attempts.
func retry(ctx context.Context, do func() (Result, error)) (result Result, err error) {
	attempts, err := Retry(ctx, func() (err error) {
		result, err = do()
		return err
	})
	result.Attempts = attempts
	return result, err
}

// Retry calls do again as long as its error wraps [target.ErrChanged], at most 50 times, with
// random pauses that grow. It returns the number of calls and the error of the last one.
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

// generate writes the derived files of c that a target in the state old lacks and the files of its
// generation into dir, without the chunks of the catalogue and of the index that the target has.
// Content that is needed for pages is read from dir, from the stores more, or from the target.
func generate(ctx context.Context, at target.Target, dir *site.Dir, old State, c *catalog.Catalog, more ...*blob.Store) (Next, error) {
	known := render.Known{Read: readContent(at, append(more, dir.Blobs)...)}
	if old.Catalog != nil {
		known.Files = append(known.Files, old.Catalog.Derived)
	}
	if err := render.Derive(ctx, dir, c, known); err != nil {
		return Next{}, fmt.Errorf("%s: %w", at, err)
	}
	current, files, err := render.Generation(ctx, dir, c, render.Previous{Catalog: old.Catalog, Chunks: old.reusable()})
	return Next{current, c, files, []string{dir.Root}, []*blob.Store{dir.Blobs}}, err
}

// readContent returns a function that reads content from the first store that has it, or else from
// the target.
func readContent(at target.Target, stores ...*blob.Store) func(ctx context.Context, ref blob.Ref, size int64) ([]byte, error) {
	stored := render.ReadContent(stores...)
	return func(ctx context.Context, ref blob.Ref, size int64) ([]byte, error) {
		text, err := stored(ctx, ref, size)
		if !errors.Is(err, fs.ErrNotExist) {
			return text, err
		}
		text, err = readSmall(ctx, at, ref.Path(), size)
		if err == nil && blob.Sum(text) != ref {
			err = fmt.Errorf("%s: its SHA-256 is %s", ref.Path(), blob.Sum(text))
		}
		return text, err
	}
}

// apply publishes next to a target that is in the state old.
func apply(ctx context.Context, at target.Target, old State, next Next, o Options) (Result, error) {
	p, err := planFor(ctx, at, old, next, o.Repair)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", at, err)
	}
	return finish(ctx, at, p, old, next, o)
}

// finish runs a plan, or describes it in a dry run, and returns the result.
func finish(ctx context.Context, at target.Target, p *Plan, old State, next Next, o Options) (Result, error) {
	result := newResult(at, old.Generation, o)
	if p.IsEmpty() {
		return result, nil
	}
	result.AddedVersions, result.RemovedVersions = missing(next.Catalog, old.Catalog, nil), missing(old.Catalog, next.Catalog, nil)
	result.Objects, result.Bytes = p.Objects()
	result.Removed = len(p.Remove)
	if err := p.addEntry(ctx, at, o.Commit); err != nil {
		return result, fmt.Errorf("%s: %w", at, err)
	}
	if o.DryRun {
		result.Plan = p.Lines()
		return result, nil
	}
	err := p.Run(ctx, at, o)
	if p.switched && next.Generation != old.Generation {
		result.Generation, result.Previous = next.Generation, old.Generation
	}
	return result, err
}
