package build

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"galbuild/build/catalog"
	"galbuild/build/regularfile"
	"galbuild/build/similar"
	"galbuild/build/source"
)

// A CompanionChange adds, replaces or drops a companion.
type CompanionChange struct {
	Path string // below companions/
	File string // "" drops the companion
}

// stamp returns the size and the time of the file of a companion, or nil.
func (w CompanionChange) stamp() *source.Stamp {
	info, err := os.Stat(w.File)
	if w.File == "" || err != nil {
		return nil
	}
	return &source.Stamp{Path: w.File, Size: info.Size(), ModTime: info.ModTime()}
}

// changeCompanions changes the companions of the last generation, which are among the settings, and
// stores the new ones.
func (c *Config) changeCompanions(ctx context.Context) error {
	all := make(map[string]catalog.Companion)
	for _, x := range c.Settings.Companions {
		all[x.Path] = x
	}
	for _, w := range c.Companions {
		_, ok := all[w.Path]
		if w.File == "" && !ok {
			return fmt.Errorf("companion %s: the gallery does not have it%s", w.Path, similarCompanion(w.Path, all))
		}
		if all[w.Path] = (catalog.Companion{}); w.File == "" {
			delete(all, w.Path)
		}
	}
	paths := slices.Sorted(maps.Keys(all))
	if err := catalog.CheckCompanionPaths(paths); err != nil {
		return fmt.Errorf("companions: %w", err)
	}
	if err := c.storeCompanions(ctx, all); err != nil {
		return err
	}
	c.Settings.Companions = nil
	for _, path := range paths {
		c.Settings.Companions = append(c.Settings.Companions, all[path])
	}
	return c.Settings.Check()
}

// storeCompanions stores the new companions, and fills them in.
func (c *Config) storeCompanions(ctx context.Context, all map[string]catalog.Companion) error {
	for _, w := range c.Companions {
		if _, ok := all[w.Path]; !ok || w.File == "" {
			continue
		}
		var err error
		if all[w.Path], err = c.storeCompanion(ctx, w); err != nil {
			return fmt.Errorf("companion %s: %w", w.Path, err)
		}
	}
	return nil
}

// similarCompanion returns a suggestion for the path of a companion that does not exist, or "".
func similarCompanion(path string, all map[string]catalog.Companion) string {
	if near := similar.To(path, slices.Collect(maps.Keys(all))); len(near) > 0 {
		return "; did you mean " + near[0] + "?"
	}
	return ""
}

func (c *Config) storeCompanion(ctx context.Context, w CompanionChange) (catalog.Companion, error) {
	f, err := regularfile.Open(w.File)
	if err != nil {
		return catalog.Companion{}, err
	}
	defer f.Close()
	ref, size, err := c.Site.Blobs.Put(contextReader{ctx, f})
	return catalog.Companion{Path: w.Path, SHA256: ref, Size: size}, err
}

// A contextReader reads until a context ends.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}
