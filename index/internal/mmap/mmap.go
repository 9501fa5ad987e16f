// Package mmap provides the bytes of a file: mapped into memory where the system supports it,
// and read elsewhere. While it is open, the file may be replaced, but must not be changed.
// Reading bytes of a file that was truncated is a [Fault]. Writing to the bytes is not allowed
// and ends the process.
//
// It also provides memory outside of the Go heap, where the system supports it. The garbage
// collector does not count it, and it is returned to the system when it is closed.
package mmap

import (
	"fmt"
	"math"
	"os"
	"sync/atomic"
)

// File is an open file, or memory of [Memory]. Its bytes are valid until Close.
type File struct {
	Bytes []byte
}

// maxOpen is how many Files may be mapped at the same time. Linux allows a process 65,530 mappings.
// Go needs some of them for its memory, and ends the process if it gets no more.
const maxOpen = 40_000

// open is how many of them there are. It is a variable of the package because the limit is that of
// the process.
var open atomic.Int64

// Open maps the file. It is an error if 40,000 files are mapped already.
func Open(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() // a mapping outlives its descriptor
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	switch {
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("map %s: not a regular file", path)
	case size > math.MaxInt:
		return nil, fmt.Errorf("map %s: %d bytes do not fit this machine's address space", path, size)
	case size == 0:
		return &File{}, nil // an empty mapping is an error on most systems
	}
	mapped, err := limited(func() ([]byte, error) { return mapFile(f, int(size)) })
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	return mapped, nil
}

// Memory returns memory of size bytes, which are zero. They can be written until [File.Seal].
func Memory(size int) (*File, error) {
	if size == 0 {
		return &File{}, nil
	}
	f, err := limited(func() ([]byte, error) { return mapMemory(size) })
	if err != nil {
		return nil, fmt.Errorf("map %d bytes of memory: %w", size, err)
	}
	return f, nil
}

// limited returns the mapping that do makes, unless there are too many.
func limited(do func() ([]byte, error)) (*File, error) {
	if open.Add(1) > maxOpen {
		open.Add(-1)
		return nil, fmt.Errorf("%d files are mapped already, the limit", maxOpen)
	}
	b, err := do()
	if err != nil {
		open.Add(-1)
		return nil, err
	}
	return &File{Bytes: b}, nil
}

// Seal makes the bytes read-only.
func (f *File) Seal() error {
	if len(f.Bytes) == 0 {
		return nil
	}
	return seal(f.Bytes)
}

// Close unmaps the bytes. It may be called more than once.
func (f *File) Close() error {
	b := f.Bytes
	f.Bytes = nil
	if len(b) == 0 {
		return nil
	}
	open.Add(-1)
	return unmap(b)
}
