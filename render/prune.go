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
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/render/gallery"
)

// prune removes the files that are needed by none of the latest generations in the history. keep is
// the number of these generations. Readers may still use them, and a rollback needs them.
//
// Reading the folders of content is slow. So prune reads them only if the site is dirty, if what a
// purge has left of a generation is removed, or if a generation that is removed lists a file that
// the others do not list.
func prune(dir *site.Dir, current site.Generation, old site.Current, last site.Head, keep int) error {
	files := site.FilesIn(dir.Root)
	head, err := site.ReadHead(files, current.Current, last)
	if err != nil {
		return err
	}
	kept := []string{current.Generation, old.Generation}
	if !dir.IndexOnly() { // otherwise there are no entries
		if kept, err = site.Kept(files, head, keep); err != nil {
			return err
		}
	}
	names, err := dir.Generations()
	if err != nil {
		return err
	}
	set := decision.Of(current.Catalog)
	chunks := currentChunks(dir, current.Current)
	remainders, stale, err := readRemainders(dir, kept, chunks, set)
	if err != nil {
		return err
	}
	remaining, dropped := split(names, kept)
	remaining, dropped = dropMalicious(dir, remaining, dropped, chunks, set)
	if dir.Dirty || stale || len(dropped) > 0 {
		if err := pruneContent(dir, remaining, dropped, remainders, stale); err != nil {
			return err
		}
		if err := pruneChunks(dir, remaining, remainders); err != nil {
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
	if err := pruneDerived(dir, current.Catalog); err != nil {
		return err
	}
	if err := prunePrivate(dir, remaining, remainders); err != nil {
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

// prunePrivate removes the private files of other generations than those to keep. It is an error if
// that of the first one, which is current, cannot be read.
func prunePrivate(dir *site.Dir, kept []string, remainders []remainder) error {
	needed := make(map[string]bool)
	for i, name := range kept {
		needed[site.Current{Generation: name}.PrivatePath()] = true
		files, err := dir.ReadUnverifiedPackageFiles(name)
		if err != nil && i == 0 {
			return err
		}
		for path := range (catalog.Files{Packages: files}).All() {
			needed[path] = true
		}
	}
	for _, r := range remainders {
		needed[site.Current{Generation: r.generation}.RemainderPath()] = true
	}
	return dir.RemoveUnless(strings.TrimSuffix(site.PrivateDir, "/"), func(path string) bool {
		return strings.HasPrefix(path, history.EntryDir) || needed[path]
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

// dropMalicious drops the generations with a version that is malicious according to set, the
// decisions of the current generation, which is the first one: the files of that version must not
// be served any more, and a rollback must not bring them back. It also drops a generation whose
// catalogue cannot be read. current has the chunks of the current generation.
func dropMalicious(dir *site.Dir, kept, dropped []string, current chunkSet, set *decision.Set) (still, more []string) {
	if set.IsEmpty() {
		return kept, dropped
	}
	still, more = kept[:1], dropped
	for _, name := range kept[1:] {
		c, _, err := readOther(dir, site.Current{Generation: name}.CatalogPath(), current)
		if err != nil || hasMalicious(c, set) {
			more = append(more, name)
		} else {
			still = append(still, name)
		}
	}
	return still, more
}

func hasMalicious(c *catalog.Catalog, set *decision.Set) bool {
	for key, v := range c.Served() {
		if out := set.Out(key, v.Package.Ref); len(out) > 0 && out[0].Kind == decision.Malicious {
			return true
		}
	}
	return false
}

// A chunkSet has the hashes of the files with the lines of chunks.
type chunkSet map[blob.Ref]bool

// currentChunks returns the chunks of the generation that is current. If its catalogue cannot be
// read, the set is empty, and readOther reads all chunks.
func currentChunks(dir *site.Dir, c site.Current) chunkSet {
	files, _ := dir.ReadUnverifiedChunks(c.CatalogPath())
	set := make(chunkSet)
	for _, f := range files {
		set[f.Lines.SHA256] = true
	}
	return set
}

// readOther returns the catalogue of another generation, given the path of its main file, with the
// extensions of those chunks only that the current generation does not have. It also returns the
// files of all its chunks.
func readOther(dir *site.Dir, path string, current chunkSet) (*catalog.Catalog, []catalog.ChunkFiles, error) {
	c, all, err := dir.ReadUnverifiedMain(path)
	if err != nil {
		return nil, nil, err
	}
	own := slices.DeleteFunc(slices.Clone(all), func(f catalog.ChunkFiles) bool { return current[f.Lines.SHA256] })
	parts, err := site.DecompressChunks(own, site.LinesIn(dir.Root))
	if err != nil {
		return nil, nil, err
	}
	c.Extensions = slices.Concat(parts...)
	return c, all, nil
}

// pruneChunks removes the files of chunks that neither the remaining generations nor the remainders
// have. It is an error if the catalogue of the first generation, which is current, cannot be read.
// Others that cannot be read are ignored, because no reader can use them.
func pruneChunks(dir *site.Dir, remaining []string, remainders []remainder) error {
	needed := make(map[string]bool)
	for _, r := range remainders {
		for path := range catalog.AllChunkFiles(r.chunks) {
			needed[path] = true
		}
	}
	for i, name := range remaining {
		files, err := dir.ReadUnverifiedChunks(site.Current{Generation: name}.CatalogPath())
		if err != nil && i == 0 {
			return err
		}
		for path := range catalog.AllChunkFiles(files) {
			needed[path] = true
		}
	}
	return dir.RemoveUnless(strings.TrimSuffix(catalog.ChunkDir, "/"), func(path string) bool { return needed[path] })
}

// A listing has the files that the remaining generations list.
type listing struct {
	indexes []*index.Index
	more    map[string]blob.Ref // content by path, of the generations of which only a remainder is left
}

// openListing opens the indexes of generations. It is an error if the first one, which is current,
// cannot be opened. Others that cannot be opened are ignored, because no reader can use them.
func openListing(dir *site.Dir, names []string, remainders []remainder) (*listing, error) {
	l := &listing{more: make(map[string]blob.Ref)}
	for i, name := range names {
		ix, err := openGeneration(dir, name)
		if err != nil && i == 0 {
			return nil, err
		}
		if err == nil {
			l.indexes = append(l.indexes, ix)
		}
	}
	for _, r := range remainders {
		for f := range VersionContent(r.catalog) {
			l.more[f.Path] = f.SHA256
		}
	}
	return l, nil
}

func openGeneration(dir *site.Dir, name string) (*index.Index, error) {
	return index.Open(dir.Path("index/"+name+"/"+site.IndexName), index.ChunksIn(dir.Path(catalog.ChunkDir)))
}

func (l *listing) close() {
	for _, ix := range l.indexes {
		ix.Close()
	}
}

// missesAny reports whether one of the generations may list a file that l does not list. It may if
// its index cannot be read.
func (l *listing) missesAny(dir *site.Dir, names []string) bool {
	for _, name := range names {
		ix, err := openGeneration(dir, name)
		if err != nil {
			return true
		}
		missed, err := ix.ListsMore(l.indexes...)
		ix.Close()
		if err != nil || missed {
			return true
		}
	}
	return false
}

// pruneOutside removes the blobs of pages of generations that are dropped, and that the remaining
// ones do not need. So it is not necessary to read the folders only because pages have changed.
func (l *listing) pruneOutside(dir *site.Dir, dropped []string) error {
	unneeded := make(map[blob.Ref]bool)
	for _, name := range dropped {
		ix, err := openGeneration(dir, name)
		if err != nil {
			return err
		}
		for f := range ix.FilesOutside() {
			unneeded[f.SHA256] = true
		}
		ix.Close()
	}
	for _, ix := range l.indexes {
		for f := range ix.FilesOutside() {
			delete(unneeded, f.SHA256)
		}
	}
	if len(unneeded) == 0 {
		return nil
	}
	for _, ix := range l.indexes { // a package may contain the same bytes as a page
		for f, err := range ix.Files() {
			if err == nil {
				delete(unneeded, f.SHA256)
			}
		}
	}
	for ref := range unneeded {
		if err := dir.Remove(ref.Path()); err != nil {
			return err
		}
	}
	return nil
}

// has reports whether a generation may list a path: whether it lists it, or has a chunk that cannot
// be read.
func (l *listing) has(path string) bool {
	for _, ix := range l.indexes {
		if _, ok, err := ix.File(path); ok || err != nil {
			return true
		}
	}
	_, ok := l.more[path]
	return ok
}

// pruneContent removes the content that the remaining generations do not list, if there may be any:
// if the site is dirty, if remainders are stale, or if a dropped generation lists it.
func pruneContent(dir *site.Dir, remaining, dropped []string, remainders []remainder, stale bool) error {
	l, err := openListing(dir, remaining, remainders)
	if err != nil {
		return err
	}
	defer l.close()
	if !dir.Dirty && !stale && !l.missesAny(dir, dropped) {
		return l.pruneOutside(dir, dropped)
	}
	return l.prune(dir)
}

// prune removes the content that is not listed.
func (l *listing) prune(dir *site.Dir) error {
	needed := make(map[string]bool)
	for i, ix := range l.indexes {
		for f, err := range ix.Files() {
			if err != nil && i > 0 {
				continue // no reader can use the chunk
			}
			if err != nil {
				return err
			}
			needed[blob.Ref(f.SHA256).Path()] = true
		}
	}
	for _, content := range l.more {
		needed[content.Path()] = true
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

// pruneDerived removes the derived files that the catalogue does not list, except readmes, which
// are content of versions.
func pruneDerived(dir *site.Dir, c *catalog.Catalog) error {
	needed := make(map[string]bool, len(c.Derived))
	for i := range c.Derived {
		needed[c.Derived[i].Path] = true
	}
	for _, folder := range catalog.DerivedFolders() {
		if err := dir.RemoveUnless(strings.TrimSuffix(folder, "/"), func(path string) bool { return needed[path] }); err != nil {
			return err
		}
	}
	for _, name := range catalog.DerivedNames() {
		if needed[name] {
			continue
		}
		if err := dir.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// pruneResponses removes the static responses that [Responses] does not yield.
func pruneResponses(dir *site.Dir, c *catalog.Catalog) error {
	needed := make(map[string]bool)
	if c.BaseURL != "" {
		for _, e := range usable(c) {
			for _, path := range latestPaths(e) {
				needed[path] = true
			}
		}
	} else if err := dir.Remove(gallery.ManifestPath); err != nil {
		return err
	}
	return dir.RemoveUnless(strings.TrimSuffix(gallery.LatestDir, "/"), func(path string) bool { return needed[path] })
}
