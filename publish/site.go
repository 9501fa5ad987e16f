package publish

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regular"
	"galbuild/build/site"
	"galbuild/publish/target"
)

// Site brings a place to what the site at root serves. What somebody else has
// published there stays: versions that the site lacks and has not published itself
// are merged with its own, unless replace is set. Other bytes than are published under
// a version's name are refused. Scratch is where a merged generation is written.
func Site(ctx context.Context, at target.Target, root string, scratch *site.Dir, replace bool, o Options) (Result, error) {
	local, err := readSite(root)
	if err != nil {
		return Result{}, err
	}
	var kept []string
	result, err := retry(ctx, func() (Result, error) {
		if same, err := serves(ctx, at, local.Current); err != nil || same {
			return Result{Place: at.String(), Generation: local.Generation, DryRun: o.DryRun}, err
		}
		old, err := readToChange(ctx, at)
		if err != nil {
			return Result{}, err
		}
		last := lastPublished(root)[at.String()]
		mine := replace || !old.IsZero() && last.Generation == old.Generation
		next := local
		if kept = nil; !mine {
			if err := build.SameBytes(old.Catalog, local.Catalog); err != nil {
				return Result{}, fmt.Errorf("%s: %w", at, err)
			}
			kept = missing(old.Catalog, local.Catalog, last.Versions)
		}
		if len(kept) > 0 {
			ours := maps.Collect(local.Catalog.Versions())
			removed := func(key string) bool { return ours[key] == nil && slices.Contains(last.Versions, key) }
			if next, err = merge(build.Without(old.Catalog, removed), local, scratch); err != nil {
				return Result{}, err
			}
		}
		return carryOut(ctx, at, old, next, o)
	})
	result.Kept = kept
	if err == nil && !o.DryRun {
		note := publication{Versions: slices.Sorted(maps.Keys(maps.Collect(local.Catalog.Versions())))}
		if len(kept) == 0 { // else it is not all this site's, and merged again next time
			note.Generation = result.Generation
		}
		notePublished(root, at.String(), note)
	}
	return result, err
}

// serves tells whether a place serves a generation, and nobody is changing that. The
// catalogue is not read for it.
func serves(ctx context.Context, at target.Target, c site.Current) (bool, error) {
	there, err := readCurrent(ctx, at)
	if err != nil || there.Current != c {
		return false, err
	}
	unfinished, err := isUnfinished(ctx, at)
	return !unfinished, err
}

func readSite(root string) (Next, error) {
	current, c, err := site.Read(root)
	return Next{current, c, root, []*blob.Store{blob.ReadStore(root)}}, err
}

// merge returns what a place and a site have together.
func merge(there *catalog.Catalog, local Next, scratch *site.Dir) (Next, error) {
	both, err := build.Union(there, local.Catalog)
	if err != nil {
		return Next{}, err
	}
	next, err := generate(scratch, both)
	next.Stores = append(next.Stores, local.Stores...)
	return next, err
}

// missing returns the versions that a has and b lacks, but for some, sorted.
func missing(a, b *catalog.Catalog, but []string) []string {
	left := maps.Collect(a.Versions())
	for key := range b.Versions() {
		delete(left, key)
	}
	for _, key := range but {
		delete(left, key)
	}
	return slices.Sorted(maps.Keys(left))
}

// A publication is what was published to a place from here.
type publication struct {
	Generation string   `json:"generation,omitempty"` // if it was this site and nothing else
	Versions   []string `json:"versions"`             // of this site, by key
}

// published is a file on the builder's desk: what was published where, by place.
const published = "published.json"

// maxMemory bounds the file, in bytes. A gallery of 100,000 versions has 5 MB for each target.
const maxMemory = 1 << 30

func lastPublished(root string) map[string]publication {
	all := make(map[string]publication)
	text, err := regular.ReadFile(filepath.Join(root, site.Desk, published), maxMemory)
	if err != nil || json.Unmarshal(text, &all) != nil || all == nil { // null
		return make(map[string]publication) // one that cannot be read is ignored
	}
	return all
}

// notePublished remembers. Of a site that cannot be written to nothing is remembered;
// then what it has removed stays, and nothing is lost.
func notePublished(root, place string, note publication) {
	all := lastPublished(root)
	all[place] = note
	text, err := json.Marshal(all)
	if err != nil {
		return
	}
	_ = site.WriteOwn(root, published, append(text, '\n'))
}
