//go:build unix

package source

import (
	"io/fs"
	"syscall"
)

// alone tells whether a file has no other name, somewhere else.
func alone(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || stat.Nlink == 1
}
