//go:build unix

package download

import (
	"io/fs"
	"syscall"
)

// hasSingleLink reports whether a file has one name only, and no other hard link.
func hasSingleLink(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return !ok || stat.Nlink == 1
}
