//go:build unix && !linux

package site

import "golang.org/x/sys/unix"

// Sync writes all files to the disk. Some systems return before they are there.
func Sync(string) error {
	unix.Sync()
	return nil
}
