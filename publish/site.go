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
	"galbuild/build/jsondoc"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/publish/target"
)

// Site publishes the site at root to a target. With replace, the generation of the site becomes
// current as it is. Without replace, Site preserves what others have published:
//
//   - Versions at the target that the site lacks are merged with those of the site. Versions that
//     the site itself has published before are not merged, because they were removed from it.
//   - It is an error if the target has a version of the site with different content.
//
// A file in the work directory of the site records which versions the site has published to which
// target. If the current generation of the target was published by this site, nobody else has
// published since, so there is nothing to merge. A merged generation is written to scratch.
//
// If another process publishes at the same time, Site starts again with the new state.
func Site(ctx context.Context, at target.Target, root string, scratch *site.Dir, replace bool, o Options) (Result, error) {
	local, err := readSite(root)
	if err != nil {
		return Result{}, err
	}
	var foreign []string
	result, err := retry(ctx, func() (Result, error) {
		if same, err := serves(ctx, at, local.Current); err != nil || same {
			return newResult(at, local.Generation, o), err
		}
		old, err := readToChange(ctx, at)
		if err != nil {
			return Result{}, err
		}
		last := lastPublished(root)[at.String()]
		owned := replace || !old.IsZero() && last.Generation == old.Generation
		next := local
		if foreign = nil; !owned {
			if err := build.CheckConflicts(old.Catalog, local.Catalog); err != nil {
				return Result{}, fmt.Errorf("%s: %w", at, err)
			}
			foreign = missing(old.Catalog, local.Catalog, last.Versions)
		}
		if len(foreign) > 0 {
			ours := maps.Collect(local.Catalog.Versions())
			removed := func(key string) bool { return ours[key] == nil && slices.Contains(last.Versions, key) }
			if next, err = merge(build.Without(old.Catalog, removed), local, scratch); err != nil {
				return Result{}, err
			}
		}
		return apply(ctx, at, old, next, o)
	})
	result.Kept = append([]string{}, foreign...)
	if err == nil && !o.DryRun {
		note := publication{Versions: slices.Sorted(maps.Keys(maps.Collect(local.Catalog.Versions())))}
		if len(foreign) == 0 { // a generation with versions of others must be merged again next time
			note.Generation = result.Generation
		}
		notePublished(root, at.String(), note)
	}
	return result, err
}

// serves reports whether a generation is current at a target that is not dirty. It does not read
// the catalogue.
func serves(ctx context.Context, at target.Target, c site.Current) (bool, error) {
	remote, err := readCurrent(ctx, at)
	if err != nil || remote.Current != c {
		return false, err
	}
	dirty, err := isDirty(ctx, at)
	return !dirty, err
}

// readSite returns the current generation of the site at root.
func readSite(root string) (Next, error) {
	current, c, err := site.Read(root)
	return Next{current, c, root, []*blob.Store{blob.ReadStore(root)}}, err
}

// merge returns a generation with the union of the catalogues of a target and a site. It writes the
// generation to scratch.
func merge(remote *catalog.Catalog, local Next, scratch *site.Dir) (Next, error) {
	both, err := build.Union(remote, local.Catalog)
	if err != nil {
		return Next{}, err
	}
	next, err := generate(scratch, both)
	next.Stores = append(next.Stores, local.Stores...)
	return next, err
}

// missing returns the sorted versions of a that are neither in b nor in except.
func missing(a, b *catalog.Catalog, except []string) []string {
	left := maps.Collect(a.Versions())
	for key := range b.Versions() {
		delete(left, key)
	}
	for _, key := range except {
		delete(left, key)
	}
	return slices.Sorted(maps.Keys(left))
}

// A publication records what a site has published to a target.
type publication struct {
	Generation string   `json:"generation,omitempty"` // "" if it has versions of others
	Versions   []string `json:"versions"`             // keys of the site's versions
}

// published is a file in the work directory of a site: a JSON object with a [publication] for each
// target, by the target's name.
const published = "published.json"

// maxPublished limits the size of the file, in bytes. A gallery of 100,000 versions has 5 MB for
// each target.
const maxPublished = 1 << 30

// lastPublished returns the publications of the site at root. It ignores a file that cannot be
// read.
func lastPublished(root string) map[string]publication {
	all := make(map[string]publication)
	text, err := regularfile.ReadFile(filepath.Join(root, site.WorkDir, published), maxPublished)
	if err != nil || json.Unmarshal(text, &all) != nil || all == nil { // nil: the file has null
		return make(map[string]publication)
	}
	return all
}

// notePublished records a publication. It ignores errors, such as that of a read-only site. Then
// versions that are removed from the site later stay at the target.
func notePublished(root, target string, note publication) {
	all := lastPublished(root)
	all[target] = note
	text, err := jsondoc.Line(all)
	if err != nil {
		return
	}
	_ = site.WriteWorkFile(root, published, text)
}
