package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"galbuild/build/blob"
)

// CompanionsDir is the folder of a site with companions.
const CompanionsDir = "companions/"

// maxCompanions is the largest number of companions of a gallery.
const maxCompanions = 1000

// Companion is a file that a gallery serves next to its extensions, such as an archive of VS Code's
// server. It is a setting, and stays until it is replaced or dropped. It is among the derived files
// too, so that it is published, copied and verified as they are.
type Companion struct {
	Path   string   `json:"path"` // below CompanionsDir
	SHA256 blob.Ref `json:"sha256"`
	Size   int64    `json:"size"` // in bytes
}

// Derived returns the companion as a file of the site.
func (c *Companion) Derived() DerivedFile {
	return DerivedFile{Path: CompanionsDir + c.Path, SHA256: c.SHA256, Size: c.Size}
}

// CheckCompanionPath refuses a path that cannot be that of a companion: only those with letters,
// digits and a few other characters are the same in every address and on every system. No element
// can be hidden, because many servers do not serve such files.
func CheckCompanionPath(p string) error {
	hidden := func(element string) bool { return strings.HasPrefix(element, ".") || strings.HasSuffix(element, ".") }
	if !fs.ValidPath(p) || strings.ContainsFunc(p, notInCompanion) || slices.ContainsFunc(strings.Split(p, "/"), hidden) {
		return fmt.Errorf("path %.200q: want a path such as cli/code.tar.gz, of letters, digits and - _ + ., "+
			"in which no name begins or ends with a dot", p)
	}
	return checkPath(p)
}

func notInCompanion(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("/-_+.", r)
}

// checkCompanions refuses invalid companions. They are sorted by path.
func checkCompanions(all []Companion) error {
	if len(all) > maxCompanions {
		return fmt.Errorf("want at most %d, found %d", maxCompanions, len(all))
	}
	paths := make([]string, len(all))
	for i := range all {
		c := &all[i]
		if c.SHA256.IsZero() || c.Size < 0 || c.Size > maxSize {
			return fmt.Errorf("%.200q: want a SHA-256 and a size of 0 to %d bytes", c.Path, int64(maxSize))
		}
		if i > 0 && all[i-1].Path >= c.Path {
			return fmt.Errorf("%.200q follows %.200q: duplicate or out of order", c.Path, all[i-1].Path)
		}
		paths[i] = c.Path
	}
	return CheckCompanionPaths(paths)
}

// CheckCompanionPaths refuses paths that cannot be those of companions, and those that are the
// same, or a file and a folder, on a file system that ignores the case.
func CheckCompanionPaths(all []string) error {
	files := make(map[string]string, len(all)) // by lower-case path
	for _, p := range all {
		if err := CheckCompanionPath(p); err != nil {
			return err
		}
		lower := strings.ToLower(p)
		if other, ok := files[lower]; ok {
			return fmt.Errorf("%q and %q differ only in case", other, p)
		}
		files[lower] = p
	}
	return checkFolders(files)
}

// checkFolders refuses files, by lower-case path, of which one is the folder of another.
func checkFolders(files map[string]string) error {
	var errs []error
	for lower, file := range files {
		for dir := path.Dir(lower); dir != "."; dir = path.Dir(dir) {
			if other, ok := files[dir]; ok {
				errs = append(errs, fmt.Errorf("%q is a file, and the folder of %q", other, file))
			}
		}
	}
	return errors.Join(errs...)
}
