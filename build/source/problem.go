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

var errNotRegular = errors.New("neither a regular file nor a folder")

// notFound is [fs.ErrNotExist] with the same text on every system.
type notFound struct{}

func (notFound) Error() string        { return "no such file or directory" }
func (notFound) Is(target error) bool { return target == fs.ErrNotExist }

// withoutPath removes the system call and the path from an error of a file. Messages begin with
// the path.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if _, ok := errors.AsType[notFound](err); errors.Is(err, fs.ErrNotExist) && !ok {
		return notFound{}
	}
	return err
}

// errMissing returns the error for a path that does not exist, with similar names.
func errMissing(path string) error {
	if near := nearest(path); near != "" {
		return fmt.Errorf("%w%s", notFound{}, near)
	}
	return notFound{}
}

// nearest returns `; did you mean "x.vsix"?` with the paths next to path whose names are most
// similar, or "" if there are none. It compares the names of folders and packages only.
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

// errNoPackage returns the error for a folder without packages. If the folder is an extension,
// it contains the command that packages it.
func errNoPackage(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, manifestName)); err == nil {
		return fmt.Errorf("the folder contains no .vsix file; it is an unpacked extension: "+
			"package it with galbuild package %s", filepath.Join(dir, contentFolder))
	}
	if _, err := os.Stat(filepath.Join(dir, "package.json")); err == nil {
		return fmt.Errorf("the folder contains no .vsix file; if it is the source of an extension, "+
			"package it with galbuild package %s", dir)
	}
	return errors.New("the folder contains no .vsix file")
}
