package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

var errNoFile = errors.New("neither a file nor a folder")

// missed is fs.ErrNotExist in plain words.
type missed struct{}

func (missed) Error() string        { return "no such file or folder" }
func (missed) Is(target error) bool { return target == fs.ErrNotExist }

// plain drops from a file's error the call and the path: the path stands in
// front of the message already.
func plain(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if _, said := errors.AsType[missed](err); errors.Is(err, fs.ErrNotExist) && !said {
		return missed{}
	}
	return err
}

// missing returns that nothing is at path, and what was perhaps meant.
func missing(path string) error {
	if near := nearest(path); near != "" {
		return fmt.Errorf("%w; did you mean %q?", missed{}, near)
	}
	return missed{}
}

// nearest returns the path beside path whose name is most like it, or "" if none
// is like it. Folders and packages count, other files do not.
func nearest(path string) string {
	dir, name := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return ""
	}
	best, at := "", len(name)/3+1
	for _, e := range entries {
		if !e.IsDir() && !isPackageName(e.Name()) {
			continue
		}
		if d := distance(strings.ToLower(name), strings.ToLower(e.Name())); d < at {
			best, at = dir+e.Name(), d
		}
		if strings.EqualFold(name+suffix, e.Name()) {
			return dir + e.Name()
		}
	}
	return best
}

// distance counts the bytes to insert, delete or replace to make a into b
// (Levenshtein's).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0]++
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// none returns that a folder holds no package, and what it may be instead.
func none(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, manifestName)); err == nil {
		return fmt.Errorf("the folder holds no .vsix file; it is an unpacked extension, so pack it first: "+
			"galbuild package %s", filepath.Join(dir, contentFolder))
	}
	if _, err := os.Stat(filepath.Join(dir, "package.json")); err == nil {
		return fmt.Errorf("the folder holds no .vsix file; if it is an extension's, pack it first: galbuild package %s", dir)
	}
	return errors.New("the folder holds no .vsix file")
}
