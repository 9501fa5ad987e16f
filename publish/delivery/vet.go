package delivery

import (
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/collect/lock"
)

// newPackages returns the packages in a folder that a catalogue does not have. Their hashes
// are those of the lock; without one, the files are read.
func newPackages(folder string, l *lock.Lock, c *catalog.Catalog) ([]string, error) {
	known := make(map[blob.Ref]bool)
	for _, v := range c.Versions() {
		known[v.Package.Ref] = true
	}
	hashes, err := hashesIn(folder, l)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(hashes, func(_ string, ref blob.Ref) bool { return known[ref] })
	return slices.Sorted(maps.Keys(hashes)), nil
}

// hashesIn returns the hashes of the packages in a folder by their paths.
func hashesIn(folder string, l *lock.Lock) (map[string]blob.Ref, error) {
	all := make(map[string]blob.Ref)
	if l != nil {
		for i := range l.Entries {
			all[filepath.Join(folder, l.Entries[i].FileName())] = l.Entries[i].SHA256
		}
		return all, nil
	}
	return all, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(d.Name(), ".") && d.IsDir() && path != folder:
			return fs.SkipDir
		case d.Type().IsRegular() && strings.HasSuffix(d.Name(), ".vsix"):
			all[path], _, err = blob.SumFile(path)
		}
		return err
	})
}
