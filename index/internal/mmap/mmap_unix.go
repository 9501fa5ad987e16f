//go:build unix

package mmap

import (
	"os"

	"golang.org/x/sys/unix"
)

// noWait keeps the opening of a named pipe from waiting for a writer.
const noWait = unix.O_NONBLOCK

func load(f *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
}

func unload(b []byte) error { return unix.Munmap(b) }

// rest drops the pages from the process. It is advice: failing changes nothing.
func rest(b []byte) { _ = unix.Madvise(b, unix.MADV_DONTNEED) }
