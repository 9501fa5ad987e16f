//go:build unix && !linux

package site

import "golang.org/x/sys/unix"

// syncAll writes all files to the disk. Some systems return before they are there.
func syncAll(string) error {
	unix.Sync()
	return nil
}
