//go:build unix

package beneath

import (
	"io/fs"
	"os"
	"syscall"
)

// halfMade tells whether a folder is as a process leaves it that is killed between making
// it and giving it its mode: ours, and without the permissions that the umask takes. A
// folder that its owner has closed is left as it is.
func halfMade(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) != os.Geteuid() {
		return false
	}
	umask := syscall.Umask(0o077) // the only way to ask; nobody gets more than is due meanwhile
	syscall.Umask(umask)
	return info.Mode()&DirMode == DirMode&^fs.FileMode(umask)
}
