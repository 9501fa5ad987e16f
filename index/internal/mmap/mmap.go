// Package mmap shows a file as a slice of bytes: mapped where the system can,
// read where it cannot. The file must not be changed while it is open, only
// replaced: where it was truncated, reading it is a [Fault]. Writing to the bytes
// is not allowed and ends the process.
package mmap

import (
	"fmt"
	"math"
	"os"
)

// File is an open file's bytes, valid until Close.
type File struct {
	Bytes []byte
}

// Open maps the file.
func Open(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|noWait, 0)
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
	b, err := load(f, int(size))
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	return &File{Bytes: b}, nil
}

// Rest tells the system that a stretch of the bytes need not stay in memory;
// they come back from the page cache when touched.
func (f *File) Rest(from, to int) {
	// Whole pages only; those at the ends may be of use to a neighbour.
	page := os.Getpagesize()
	from, to = (from+page-1)/page*page, to/page*page
	if from < to {
		rest(f.Bytes[from:to])
	}
}

// Close gives the bytes back. It may be called again.
func (f *File) Close() error {
	b := f.Bytes
	f.Bytes = nil
	if len(b) == 0 {
		return nil
	}
	return unload(b)
}
