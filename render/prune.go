package render

import (
	"errors"
	"os"
	"slices"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/history"
	"galbuild/build/policy"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/render/gallery"
)

// prune removes the files that are needed by none of the latest generations in the history. keep is
// the number of these generations. Readers may still use them, and a rollback needs them.
//
// Reading the folders of content is slow. So prune reads them only if the site is dirty, or if a
// generation that is removed lists a file that the others do not list.
func prune(dir *site.Dir, current site.Generation, old site.Current, last site.Head, keep int) error {
	files := site.FilesIn(dir.Root)
	head, err := site.ReadHead(files, current.Current, last)
	if err != nil {
		return err
	}
	remaining := []string{current.Generation, old.Generation}
	if !dir.IndexOnly() { // otherwise there are no entries
		if remaining, err = site.Kept(files, head, keep); err != nil {
			return err
		}
	}
	names, err := dir.Generations()
	if err != nil {
		return err
	}
	remaining, dropped := split(names, remaining)
	remaining, dropped = dropMalicious(dir, remaining, dropped, current.Catalog)
	if dir.Dirty || len(dropped) > 0 {
		if err := pruneContent(dir, remaining, dropped); err != nil {
			return err
		}
	}
	if dir.Dirty {
		if err := dir.RemoveTemp(); err != nil {
			return err
		}
		if err := pruneHistory(dir, head); err != nil && !dir.IndexOnly() {
			return err
		}
	}
	if err := pruneResponses(dir, current.Catalog); err != nil {
		return err
	}
	if err := prunePrivate(dir, remaining); err != nil {
		return err
	}
	for _, name := range dropped {
		if err := dir.RemoveAll("index/" + name); err != nil {
			return err
		}
	}
	return nil
}

// pruneHistory removes the files of the history that killed commands have left.
func pruneHistory(dir *site.Dir, head history.Head) error {
	var paths []string
	for _, folder := range []string{history.EntryDir, history.HeadDir} {
		entries, err := os.ReadDir(dir.Path(folder))
		if err != nil {
			return err
		}
		for _, e := range entries {
			paths = append(paths, folder+e.Name())
		}
	}
	stale, err := site.StaleHistory(site.FilesIn(dir.Root), head, paths)
	for _, path := range stale {
		err = errors.Join(err, dir.Remove(path))
	}
	return err
}

// prunePrivate removes the private files of other generations than those to keep.
func prunePrivate(dir *site.Dir, kept []string) error {
	return dir.RemoveUnless(strings.TrimSuffix(site.PrivateDir, "/"), func(path string) bool {
		return strings.HasPrefix(path, history.EntryDir) ||
			slices.ContainsFunc(kept, func(name string) bool {
				g := site.Current{Generation: name}
				return path == g.PrivatePath() || path == g.RemainderPath()
			})
	})
}

// split returns the generations to keep, current first, and the others. names are those that the
// site has, and kept those of the history.
func split(names, kept []string) (remaining, dropped []string) {
	for i, name := range kept {
		if i == 0 || slices.Contains(names, name) {
			remaining = append(remaining, name)
		}
	}
	for _, name := range names {
		if !slices.Contains(kept, name) {
			dropped = append(dropped, name)
		}
	}
	return remaining, dropped
}

// dropMalicious drops the generations with a version that is malicious according to c, the
// catalogue of the current generation, which is the first one: the files of that version must not
// be served any more, and a rollback must not bring them back. It also drops a generation whose
// catalogue cannot be read.
func dropMalicious(dir *site.Dir, kept, dropped []string, c *catalog.Catalog) (still, more []string) {
	set := decision.Of(c)
	if set.IsEmpty() {
		return kept, dropped
	}
	still, more = kept[:1], dropped
	for _, name := range kept[1:] {
		if hasMalicious(dir, name, set) {
			more = append(more, name)
		} else {
			still = append(still, name)
		}
	}
	return still, more
}

func hasMalicious(dir *site.Dir, generation string, set *decision.Set) bool {
	path := site.Current{Generation: generation}.CatalogPath()
	packed, err := regularfile.ReadFile(dir.Path(path), site.MaxCompressedCatalog)
	if err != nil {
		return true
	}
	c, err := site.DecompressCatalog(packed)
	if err != nil {
		return true
	}
	for key, v := range c.Served() {
		if out := set.Out(key, v.Package.Ref); len(out) > 0 && out[0].Kind == decision.Malicious {
			return true
		}
	}
	return false
}

// A listing has the files that the remaining generations list.
type listing []*index.Index

// openListing opens the indexes of generations. It is an error if the first one, which is current,
// cannot be opened. Others that cannot be opened are ignored, because no reader can use them.
func openListing(dir *site.Dir, names []string) (listing, error) {
	var l listing
	for i, name := range names {
		ix, err := openGeneration(dir, name)
		if err != nil && i == 0 {
			return nil, err
		}
		if err == nil {
			l = append(l, ix)
		}
	}
	return l, nil
}

func openGeneration(dir *site.Dir, name string) (*index.Index, error) {
	return index.Open(dir.Path("index/" + name + "/" + site.IndexName))
}

func (l listing) close() {
	for _, ix := range l {
		ix.Close()
	}
}

// missesAny reports whether one of the generations may list a file that l does not list. It may if
// its index cannot be read.
func (l listing) missesAny(dir *site.Dir, names []string) bool {
	for _, name := range names {
		ix, err := openGeneration(dir, name)
		if err != nil {
			return true
		}
		missed := l.misses(ix)
		ix.Close()
		if missed {
			return true
		}
	}
	return false
}

// misses reports whether an index lists a file that l does not list.
func (l listing) misses(old *index.Index) bool {
	for f := range old.FileKeys() {
		if !slices.ContainsFunc(l, func(ix *index.Index) bool { return ix.HasFile(f) }) {
			return true
		}
	}
	return false
}

func (l listing) has(path string) bool {
	for _, ix := range l {
		if _, ok := ix.File(path); ok {
			return true
		}
	}
	return false
}

// pruneContent removes the content that the remaining generations do not list, if there may be any.
func pruneContent(dir *site.Dir, remaining, dropped []string) error {
	l, err := openListing(dir, remaining)
	if err != nil {
		return err
	}
	defer l.close()
	if !dir.Dirty && !l.missesAny(dir, dropped) {
		return nil
	}
	return l.prune(dir)
}

// prune removes the content that is not listed.
func (l listing) prune(dir *site.Dir) error {
	needed := make(map[string]bool)
	for _, ix := range l {
		for f := range ix.Files() {
			needed[blob.Ref(f.SHA256).Path()] = true
		}
	}
	if err := dir.RemoveUnless("blobs", func(path string) bool { return needed[path] }); err != nil {
		return err
	}
	for _, top := range []string{catalog.AssetsDir, catalog.FilesDir} {
		if err := dir.RemoveUnless(strings.TrimSuffix(top, "/"), l.has); err != nil {
			return err
		}
	}
	return nil
}

// pruneResponses removes the static responses that [Responses] does not yield.
func pruneResponses(dir *site.Dir, c *catalog.Catalog) error {
	needed := make(map[string]bool)
	if c.BaseURL != "" {
		_, extensions := documents(c, policy.Of(c))
		for _, e := range extensions {
			for _, path := range latestPaths(e) {
				needed[path] = true
			}
		}
	} else if err := dir.Remove(gallery.ManifestPath); err != nil {
		return err
	}
	return dir.RemoveUnless(strings.TrimSuffix(gallery.LatestDir, "/"), func(path string) bool { return needed[path] })
}
