// Package mmap provides the bytes of a file: mapped into memory where the system supports it,
// and read elsewhere. While it is open, the file may be replaced, but must not be changed.
// Reading bytes of a file that was truncated is a [Fault]. Writing to the bytes is not allowed
// and ends the process.
package mmap

import (
	"fmt"
	"math"
	"os"
)

// File is an open file. Its bytes are valid until Close.
type File struct {
	Bytes []byte
}

// Open maps the file.
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
	b, err := mapFile(f, int(size))
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	return &File{Bytes: b}, nil
}

// Release removes a range of the bytes from memory. They are read from the file again when they are
// accessed.
func (f *File) Release(from, to int) {
	// Release whole pages only, because the pages at both ends also hold other bytes.
	page := os.Getpagesize()
	from, to = (from+page-1)/page*page, to/page*page
	if from < to {
		release(f.Bytes[from:to])
	}
}

// Close unmaps the file. It may be called more than once.
func (f *File) Close() error {
	b := f.Bytes
	f.Bytes = nil
	if len(b) == 0 {
		return nil
	}
	return unmap(b)
}
