package render

import (
	"slices"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/render/gallery"
)

// Prune removes files that neither current, whose catalogue is c, nor previous needs. Previous
// was current when the build began, and readers may still use it. The folders of content are
// read only if there can be such files: if an older generation lists a file that these two do
// not, or if an earlier build was killed.
func Prune(dir *site.Dir, current, previous site.Current, c *catalog.Catalog) error {
	names, err := dir.Generations()
	if err != nil {
		return err
	}
	kept, dropped := split(names, current.Generation, previous.Generation)
	if dir.Dirty || len(dropped) > 0 {
		if err := pruneContent(dir, kept, dropped); err != nil {
			return err
		}
	}
	if dir.Dirty {
		if err := dir.RemoveTemp(); err != nil {
			return err
		}
	}
	if err := pruneResponses(dir, c); err != nil {
		return err
	}
	for _, name := range dropped {
		if err := dir.RemoveAll("index/" + name); err != nil {
			return err
		}
	}
	return nil
}

// split returns the generations to keep, current first, and the others. names begins with the
// newest one. If current has not changed, the previous one is the first after current, because
// those before current were never current.
func split(names []string, current, previous string) (kept, dropped []string) {
	if i := slices.Index(names, current); previous == current && i+1 < len(names) {
		previous = names[i+1]
	}
	kept = []string{current}
	for _, name := range names {
		switch name {
		case current:
		case previous:
			kept = append(kept, name)
		default:
			dropped = append(dropped, name)
		}
	}
	return kept, dropped
}

// A listing is the files that the remaining generations list.
type listing []*index.Index

// openListing opens the indexes of generations. All but the first may be damaged. A damaged one
// is ignored, because no reader can use it.
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

// missesAny reports whether one of the generations lists a file that l does not. A generation
// that cannot be read may list some.
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

// pruneContent removes content that the remaining generations do not list, if there can be any.
func pruneContent(dir *site.Dir, kept, dropped []string) error {
	l, err := openListing(dir, kept)
	if err != nil {
		return err
	}
	defer l.close()
	if !dir.Dirty && !l.missesAny(dir, dropped) {
		return nil
	}
	return l.prune(dir)
}

// prune removes content that is not listed.
func (l listing) prune(dir *site.Dir) error {
	wanted := make(map[string]bool)
	for _, ix := range l {
		for f := range ix.Files() {
			wanted[blob.Ref(f.SHA256).Path()] = true
		}
	}
	if err := dir.RemoveUnless("blobs", func(path string) bool { return wanted[path] }); err != nil {
		return err
	}
	for _, top := range []string{catalog.AssetsDir, catalog.FilesDir} {
		if err := dir.RemoveUnless(strings.TrimSuffix(top, "/"), l.has); err != nil {
			return err
		}
	}
	return nil
}

// pruneResponses removes the static responses for extensions that are not in the catalogue, or
// all of them if there is no base URL.
func pruneResponses(dir *site.Dir, c *catalog.Catalog) error {
	wanted := make(map[string]bool)
	if c.BaseURL != "" {
		for i := range c.Extensions {
			e := &c.Extensions[i]
			wanted[gallery.LatestPath(e.Publisher.Name, e.Name)] = true
			wanted[strings.ToLower(gallery.LatestPath(e.Publisher.Name, e.Name))] = true
		}
	} else if err := dir.Remove(gallery.ManifestPath); err != nil {
		return err
	}
	return dir.RemoveUnless(strings.TrimSuffix(gallery.LatestDir, "/"), func(path string) bool { return wanted[path] })
}
