package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
	"galbuild/build/regularfile"
	"galbuild/build/similar"
	"galbuild/build/source"
)

// A CompanionChange adds, replaces or drops a companion.
type CompanionChange struct {
	Path string // below companions/
	File string // "" drops the companion
	// Locked is the SHA-256 that the lock of a collection has. If the file has another one, or
	// is missing, that is a warning, and the companion stays as it is. It is zero for a
	// companion that somebody has named.
	Locked blob.Ref
}

// stamp returns the size and the time of the file of a companion, or nil.
func (w CompanionChange) stamp() *source.Stamp {
	info, err := os.Stat(w.File)
	if w.File == "" || err != nil {
		return nil
	}
	return &source.Stamp{Path: w.File, Size: info.Size(), ModTime: info.ModTime()}
}

// lockedCompanions returns the companions of the collections among the sources, which are folders
// with a lock.
func lockedCompanions(sources []string) (all []CompanionChange, warnings []Problem) {
	for _, folder := range sources {
		file := filepath.Join(folder, lock.FileName)
		text, err := regularfile.ReadFile(file, lock.MaxText)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		var l *lock.Lock
		if err == nil {
			l, err = lock.Parse(text)
		}
		if err != nil {
			warnings = append(warnings, Problem{File: file, Reason: withoutPath(err).Error()})
			continue
		}
		for _, c := range l.Companions {
			at := filepath.Join(folder, filepath.FromSlash(catalog.CompanionsDir+c.Path))
			all = append(all, CompanionChange{c.Path, at, c.SHA256})
		}
	}
	return all, warnings
}

// changeCompanions changes the companions of the last generation, which are among the settings, and
// stores the new ones. It returns warnings about those of locks.
func (c *Config) changeCompanions(ctx context.Context) (warnings []Problem, err error) {
	all := make(map[string]catalog.Companion)
	for _, x := range c.Settings.Companions {
		all[x.Path] = x
	}
	paths, err := changedPaths(all, c.Companions)
	if err != nil {
		return nil, err
	}
	for _, w := range c.Companions {
		if _, stays := slices.BinarySearch(paths, w.Path); !stays || w.File == "" || w.isIn(all) {
			continue
		}
		stored, err := c.storeCompanion(ctx, w)
		switch {
		case err == nil:
			all[w.Path] = stored
		case isSiteError(err) || ctx.Err() != nil:
			return nil, fmt.Errorf("companion %s: %w", w.Path, err)
		case w.Locked.IsZero():
			return nil, fmt.Errorf("companion %s: %s: %w", w.Path, w.File, err)
		default:
			warnings = append(warnings, Problem{File: w.File, Reason: err.Error()})
		}
	}
	c.Settings.Companions = nil
	for _, path := range paths {
		if x, ok := all[path]; ok {
			c.Settings.Companions = append(c.Settings.Companions, x)
		}
	}
	return warnings, c.Settings.Check()
}

// isIn reports whether the companion of a lock is stored already.
func (w CompanionChange) isIn(all map[string]catalog.Companion) bool {
	return !w.Locked.IsZero() && all[w.Path].SHA256 == w.Locked
}

// changedPaths returns the paths that companions have after the changes, sorted.
func changedPaths(all map[string]catalog.Companion, changes []CompanionChange) ([]string, error) {
	paths := make(map[string]bool)
	for path := range all {
		paths[path] = true
	}
	for _, w := range changes {
		if w.File == "" && !paths[w.Path] {
			return nil, fmt.Errorf("companion %s: the gallery does not have it%s", w.Path, similarCompanion(w.Path, all))
		}
		if paths[w.Path] = true; w.File == "" {
			delete(paths, w.Path)
		}
	}
	sorted := slices.Sorted(maps.Keys(paths))
	if err := catalog.CheckCompanionPaths(sorted); err != nil {
		return nil, fmt.Errorf("companions: %w", err)
	}
	return sorted, nil
}

// similarCompanion returns a suggestion for the path of a companion that does not exist, or "".
func similarCompanion(path string, all map[string]catalog.Companion) string {
	if near := similar.To(path, slices.Collect(maps.Keys(all))); len(near) > 0 {
		return "; did you mean " + near[0] + "?"
	}
	return ""
}

// storeCompanion stores a companion. Errors of the site are site errors.
func (c *Config) storeCompanion(ctx context.Context, w CompanionChange) (stored catalog.Companion, err error) {
	f, err := regularfile.Open(w.File)
	if err != nil {
		return stored, withoutPath(err)
	}
	defer f.Close()
	draft := c.Site.Blobs.Draft()
	defer draft.Discard()
	if _, err := io.Copy(draft, contextReader{ctx, f}); err != nil {
		return stored, siteError{err}
	}
	if !w.Locked.IsZero() && draft.Ref() != w.Locked {
		return stored, fmt.Errorf("its SHA-256 is %s, and the lock has %s", draft.Ref(), w.Locked)
	}
	ref, size, err := draft.Commit()
	if err != nil {
		return stored, siteError{err}
	}
	return catalog.Companion{Path: w.Path, SHA256: ref, Size: size}, nil
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
