package render

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/site"
)

// A remainder is what a purge has left of an earlier generation, see [site.Current.RemainderPath].
type remainder struct {
	generation string
	catalog    *catalog.Catalog     // without the extensions of chunks that the current generation has
	chunks     []catalog.ChunkFiles // all
}

// readRemainders returns those of the kept generations of which a purge has left only a remainder.
// A rollback reads it, and needs its content. Remainders that cannot be read or that have a
// malicious version according to set are left out. stale reports whether there are any, or
// remainders of other generations. current has the chunks of the current generation.
func readRemainders(dir *site.Dir, kept []string, current chunkSet, set *decision.Set) (all []remainder, stale bool, err error) {
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
		c, chunks, err := readOther(dir, path, current)
		if err != nil || !slices.Contains(kept, name) || hasMalicious(c, set) {
			stale = true
			continue
		}
		all = append(all, remainder{name, c, chunks})
	}
	return all, stale, nil
}
