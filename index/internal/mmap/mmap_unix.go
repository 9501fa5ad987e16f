//go:build unix && !portable

package mmap

import (
	"os"

	"golang.org/x/sys/unix"
)

// nonBlocking prevents Open from waiting for a writer if the path is a named pipe.
const nonBlocking = unix.O_NONBLOCK

func mapFile(f *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
}

func mapMemory(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
}

func seal(b []byte) error { return unix.Mprotect(b, unix.PROT_READ) }

func unmap(b []byte) error { return unix.Munmap(b) }
