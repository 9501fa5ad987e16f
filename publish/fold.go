package publish

import (
	"context"
	"fmt"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/build/stats"
	"galbuild/publish/target"
	"galbuild/render"
)

// Fold adds to the gallery of a target what folders of statistics have counted since they were
// folded last, and publishes it, see [stats.Fold]. The generation is written to scratch.
func Fold(ctx context.Context, at target.Target, scratch *site.Dir, o Options, folders []string, now time.Time) (Result, stats.Folded, error) {
	var folded stats.Folded
	result, err := Change(ctx, at, scratch, o, func(old State) (next *catalog.Catalog, err error) {
		if old.IsZero() {
			return nil, fmt.Errorf("%s: %w", at, ErrNothing)
		}
		if err := refuseView(at.String(), old.Catalog); err != nil {
			return nil, err
		}
		if next, folded, err = stats.Fold(old.Catalog, folders, now, o.DryRun); err != nil {
			return nil, err
		}
		next.Render = render.Version
		return next, nil
	})
	return result, folded, err
}
