// Package atomicfile writes files below a folder in one step, and never through a symbolic link. A
// reader finds the old file or the whole new one, see [WriteFile].
//
// An [os.Root] confines every path to the folder that it was opened for, even if somebody makes
// links while it is in use. But it follows links to paths in the folder. galbuild never makes such
// links, and a file that is written through one would replace another file of the same site. So
// this package requires that every folder of a path is a real folder. The path of the root itself
// may contain links, because the user chose it.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Modes of new folders and files, whatever the umask. A folder also keeps the bits that it
// inherits from its parent, such as the set-group-id bit or the group's permission to
// write.
const (
	DirMode  fs.FileMode = 0o755
	FileMode fs.FileMode = 0o644
)

// ErrLink is the error for a folder that is a symbolic link. It is wrapped with the path.
var ErrLink = errors.New("is a symbolic link, and galbuild does not write through links")

// MkdirAll makes a folder and its parents if they are missing, with [DirMode]. It follows links in
// the path, because the user chose it.
func MkdirAll(folder string) error {
	var missing []string
	for at := filepath.Clean(folder); ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) || filepath.Dir(at) == at {
			break
		}
		missing = append(missing, at)
	}
	if err := os.MkdirAll(folder, DirMode); err != nil {
		return err
	}
	for _, made := range missing {
		info, err := os.Stat(made)
		if err != nil {
			return err
		}
		if err := os.Chmod(made, info.Mode()|DirMode); err != nil { // undo the umask
			return err
		}
	}
	return nil
}

// MkdirEmpty makes a folder like [MkdirAll]. It is an error if the folder exists and is not empty.
func MkdirEmpty(folder string) error {
	entries, err := os.ReadDir(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return MkdirAll(folder)
	case err == nil && len(entries) > 0:
		return fmt.Errorf("%s: the folder is not empty", folder)
	}
	return err
}

// Child opens a folder in parent, and makes it if it is missing; name is one element of a path.
// The error wraps ErrLink if the folder is a link.
func Child(parent *os.Root, name string) (*os.Root, error) {
	if err := Mkdir(parent, name); err != nil {
		return nil, err
	}
	return parent.OpenRoot(name)
}

// Mkdir makes a folder in parent unless it exists; name is one element of a path. The error wraps
// ErrLink if the folder is a link.
func Mkdir(parent *os.Root, name string) error {
	err := parent.Mkdir(name, DirMode)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	made := err == nil
	info, err := parent.Lstat(name)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s: %w", filepath.Join(parent.Name(), name), ErrLink)
	case !info.IsDir():
		return &fs.PathError{Op: "mkdir", Path: filepath.Join(parent.Name(), name), Err: syscall.ENOTDIR}
	case info.Mode()&DirMode == DirMode:
	case made:
		return parent.Chmod(name, info.Mode()|DirMode)
	case isEmpty(parent, name):
		// Another process is creating it, or was killed before it set the mode.
		_ = parent.Chmod(name, info.Mode()|DirMode)
	}
	return nil
}

func isEmpty(parent *os.Root, name string) bool {
	f, err := parent.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return err == io.EOF
}

// Dir opens the folder at a slash-separated path below root, and makes the folders that are
// missing. The path of root itself is ".". The error wraps ErrLink if a folder is a link.
func Dir(root *os.Root, dir string) (*os.Root, error) {
	if !fs.ValidPath(dir) {
		return nil, fmt.Errorf("%.200q is not a path below %s", dir, root.Name())
	}
	at, err := root.OpenRoot(".")
	if err != nil || dir == "." {
		return at, err
	}
	for name := range strings.SplitSeq(dir, "/") {
		next, err := Child(at, name)
		at.Close()
		if err != nil {
			return nil, err
		}
		at = next
	}
	return at, nil
}
