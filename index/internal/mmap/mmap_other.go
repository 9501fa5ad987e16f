//go:build portable || !unix

package mmap

import (
	"io"
	"os"
)

// nonBlocking is not needed where a path cannot be a named pipe.
const nonBlocking = 0

func mapFile(f *os.File, size int) ([]byte, error) {
	b := make([]byte, size)
	_, err := io.ReadFull(f, b)
	return b, err
}

func mapMemory(size int) ([]byte, error) { return make([]byte, size), nil }

func seal([]byte) error { return nil }

func unmap([]byte) error { return nil }
