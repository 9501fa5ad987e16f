package publish

import (
	"context"
	"fmt"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/publish/target"
)

// Decide adds decisions to the gallery of a target, and publishes it without the versions that they
// keep out. The function decide returns the records of the gallery with the new ones. It is called
// for each attempt. The generation is written to scratch.
func Decide(ctx context.Context, at target.Target, scratch *site.Dir, o Options, decide func(*catalog.Catalog) ([]catalog.Record, error)) (Result, error) {
	var excluded []build.Excluded
	result, err := Change(ctx, at, scratch, o, func(old State) (*catalog.Catalog, error) {
		if old.IsZero() {
			return nil, fmt.Errorf("%s: %w", at, ErrNothing)
		}
		if err := refuseView(at.String(), old.Catalog); err != nil {
			return nil, err
		}
		records, err := decide(old.Catalog)
		if err != nil {
			return nil, err
		}
		var next *catalog.Catalog
		next, excluded, err = build.Receiver{Old: old.Catalog, Now: o.Commit.When}.Decide(old.Catalog, records)
		return next, err
	})
	result.Excluded = append(result.Excluded, excluded...)
	return result, err
}
