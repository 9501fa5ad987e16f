package site

import (
	"os"

	"golang.org/x/sys/unix"
)

// Sync waits until all files of the file system of root are on the disk. That is one system
// call instead of one for each of a hundred thousand files.
func Sync(root string) error {
	dir, err := os.Open(root)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := unix.Syncfs(int(dir.Fd())); err != nil {
		return os.NewSyscallError("syncfs", err)
	}
	return nil
}
