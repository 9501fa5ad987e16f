package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// Site brings a place to what the site at root serves. What somebody else has
// published there stays: versions that the site lacks are merged with its own, unless
// replace is set, or the place serves what this site has published last; then it is
// the site that has changed. Scratch is where a merged generation is written.
func Site(ctx context.Context, at Target, root string, scratch *site.Dir, replace bool, o Options) (Result, []string, error) {
	local, err := readSite(root)
	if err != nil {
		return Result{}, nil, err
	}
	var kept []string
	result, err := retry(ctx, func() (Result, error) {
		old, err := Read(ctx, at)
		if err != nil {
			return Result{}, err
		}
		next := local
		kept = missing(old.Catalog, local.Catalog)
		if len(kept) == 0 || replace || lastPublished(root)[at.String()] == old.Generation {
			kept = nil
		} else if next, err = merge(old, local, scratch); err != nil {
			return Result{}, err
		}
		return carryOut(ctx, at, old, next, o)
	})
	// What was merged is not all this site's: next time it is merged again.
	if err == nil && !o.DryRun && len(kept) == 0 {
		notePublished(root, at.String(), result.Generation)
	}
	return result, kept, err
}

func readSite(root string) (Next, error) {
	current, err := site.ReadCurrent(root)
	if err != nil {
		return Next{}, err
	}
	if current.IsZero() {
		return Next{}, fmt.Errorf("%s is no site: it has no %s", root, site.CurrentPath)
	}
	c, err := site.ReadCatalog(root, current)
	return Next{current, c, root, []*blob.Store{blob.NewStore(root, "")}}, err
}

// merge returns what a place and a site have together.
func merge(old State, local Next, scratch *site.Dir) (Next, error) {
	both, err := build.Union(old.Catalog, local.Catalog)
	if err != nil {
		return Next{}, err
	}
	next, err := generate(scratch, both)
	next.Stores = append(next.Stores, local.Stores...)
	return next, err
}

// missing returns the versions that a has and b lacks, sorted.
func missing(a, b *catalog.Catalog) []string {
	left := make(map[string]bool)
	for key := range a.Versions() {
		left[key] = true
	}
	for key := range b.Versions() {
		delete(left, key)
	}
	return slices.Sorted(maps.Keys(left))
}

// published is a file on the builder's desk: which generation was published where.
const published = "published.json"

func lastPublished(root string) map[string]string {
	all := make(map[string]string)
	if text, err := os.ReadFile(filepath.Join(root, site.Desk, published)); err == nil {
		_ = json.Unmarshal(text, &all) // one that cannot be read knows nothing
	}
	return all
}

// notePublished remembers. Of a site that cannot be written to nothing is remembered;
// then what others have removed comes back, and nothing is lost.
func notePublished(root, place, generation string) {
	all := lastPublished(root)
	all[place] = generation
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return
	}
	temp := filepath.Join(root, site.Desk, published+".new")
	if os.WriteFile(temp, append(text, '\n'), 0o644) == nil {
		_ = os.Rename(temp, filepath.Join(root, site.Desk, published))
	}
}
