//go:build unix

package galshim

import (
	"math"

	"golang.org/x/sys/unix"
)

// openFiles returns how many files the process can have open.
func openFiles() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt32
	}
	return uint64(limit.Cur)
}
