package render

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/regularfile"
	"galbuild/build/site"
)

// A remainder is what a purge has left of an earlier generation, see [site.Current.RemainderPath].
type remainder struct {
	generation string
	catalog    *catalog.Catalog
}

// readRemainders returns those of the kept generations of which a purge has left only a remainder.
// A rollback reads it, and needs its content. Remainders that cannot be read or that have a
// malicious version according to set are left out. stale reports whether there are any, or
// remainders of other generations.
func readRemainders(dir *site.Dir, kept []string, set *decision.Set) (all []remainder, stale bool, err error) {
	entries, err := os.ReadDir(dir.Path(strings.TrimSuffix(site.PrivateDir, "/")))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	for _, e := range entries {
		name, _, _ := strings.Cut(e.Name(), ".")
		path := site.Current{Generation: name}.RemainderPath()
		if site.PrivateDir+e.Name() != path {
			continue
		}
		c := readListed(dir, path)
		if c == nil || !slices.Contains(kept, name) || hasMalicious(c, set) {
			stale = true
			continue
		}
		all = append(all, remainder{name, c})
	}
	return all, stale, nil
}

// readListed returns the catalogue in a file, or nil if it cannot be read.
func readListed(dir *site.Dir, path string) *catalog.Catalog {
	packed, err := regularfile.ReadFile(dir.Path(path), site.MaxCompressedCatalog)
	if err != nil {
		return nil
	}
	c, err := site.DecompressCatalog(packed)
	if err != nil {
		return nil
	}
	return c
}
