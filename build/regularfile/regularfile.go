// Package regularfile opens files that must be regular files: those of sites and of their work
// directories.
//
// Opening a named pipe waits for a writer, and reading a device may never end. An attacker who can
// write to a site could replace a file with one of these. Without this package, every command that
// reads the site would then wait forever.
package regularfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Errors for a file that is not regular, and for one that is too long, in an [fs.PathError].
var (
	ErrKind = errors.New("not a regular file")
	ErrLong = errors.New("file too long")
)

// Open opens a regular file for reading. Anything else is an error, without waiting.
func Open(path string) (*os.File, error) {
	return check(os.OpenFile(path, os.O_RDONLY|NoWait, 0))
}

// OpenIn opens a regular file below root for reading. Anything else is an error, without
// waiting.
func OpenIn(root *os.Root, name string) (*os.File, error) {
	return check(root.OpenFile(name, os.O_RDONLY|NoWait, 0))
}

func check(f *os.File, err error) (*os.File, error) {
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: f.Name(), Err: ErrKind}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ReadFS reads a regular file of a file system. Anything else is an error, without waiting.
func ReadFS(dir fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: ErrKind}
	}
	return fs.ReadFile(dir, name)
}

// ReadFile reads a regular file of at most limit bytes. The error wraps ErrLong if it is longer.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("more than %d bytes: %w", limit, ErrLong)}
	}
	text := make([]byte, info.Size())
	if _, err := io.ReadFull(f, text); err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return text, nil
}
