package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"galbuild/build/similar"
)

var errNotRegular = errors.New("neither a file nor a folder")

// notFound is fs.ErrNotExist in withoutPath words.
type notFound struct{}

func (notFound) Error() string        { return "no such file or folder" }
func (notFound) Is(target error) bool { return target == fs.ErrNotExist }

// withoutPath drops from a file's error the call and the path: the path stands in
// front of the message already.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if _, said := errors.AsType[notFound](err); errors.Is(err, fs.ErrNotExist) && !said {
		return notFound{}
	}
	return err
}

// missing returns that nothing is at path, and what was perhaps meant.
func errMissing(path string) error {
	if near := nearest(path); near != "" {
		return fmt.Errorf("%w%s", notFound{}, near)
	}
	return notFound{}
}

// nearest returns `; did you mean "x.vsix"?` with the paths next to path whose names are most
// similar, or "" if there are none. Folders and packages count, other files do not.
func nearest(path string) string {
	dir, name := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && !isPackageName(e.Name()) {
			continue
		}
		if strings.EqualFold(name+suffix, e.Name()) {
			return similar.Ask([]string{dir + e.Name()})
		}
		names = append(names, e.Name())
	}
	near := similar.To(name, names)
	for i := range near {
		near[i] = dir + near[i]
	}
	return similar.Ask(near)
}

// none returns that a folder holds no package, and what it may be instead.
func errNoPackage(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, manifestName)); err == nil {
		return fmt.Errorf("the folder holds no .vsix file; it is an unpacked extension, so pack it first: "+
			"galbuild package %s", filepath.Join(dir, contentFolder))
	}
	if _, err := os.Stat(filepath.Join(dir, "package.json")); err == nil {
		return fmt.Errorf("the folder holds no .vsix file; if it is an extension's, pack it first: galbuild package %s", dir)
	}
	return errors.New("the folder holds no .vsix file")
}
