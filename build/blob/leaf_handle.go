//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package blob

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A leaf is a folder that files are written to. It is opened with an [os.Root], one element of its
// path after the other. Files are then linked and renamed between the handles of two folders.
// With the root, each of a hundred thousand files would open all folders of both paths again.
type leaf struct {
	handle *os.File
	fd     int
}

// newLeaf opens an existing folder; name is its name in parent, one element of a path.
func newLeaf(_, parent *os.Root, name, _ string) (*leaf, error) {
	handle, err := parent.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &leaf{handle, int(handle.Fd())}, nil
}

func (l *leaf) Close() error { return l.handle.Close() }

func (l *leaf) path(name string) string { return filepath.Join(l.handle.Name(), name) }

// writeNew makes a file with the content b. It makes only four system calls, because a gallery has
// hundreds of thousands of files. An os.File would make twice as many, because it registers with
// the runtime's poller, which regular files do not need.
func (l *leaf) writeNew(name string, b []byte, mode fs.FileMode) error {
	fd, err := again2(func() (int, error) {
		return unix.Openat(l.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, uint32(mode))
	})
	if err != nil {
		return &fs.PathError{Op: "open", Path: l.path(name), Err: err}
	}
	for len(b) > 0 && err == nil {
		var n int
		n, err = again2(func() (int, error) { return unix.Write(fd, b) })
		b = b[max(n, 0):]
	}
	err = errors.Join(err, unix.Fchmod(fd, uint32(mode)), unix.Close(fd)) // undo the umask
	if err != nil {
		return errors.Join(&fs.PathError{Op: "write", Path: l.path(name), Err: err}, unix.Unlinkat(l.fd, name, 0))
	}
	return nil
}

// rename moves a file and replaces an existing one. If the target is a link, the link is
// replaced.
func (l *leaf) rename(name string, to *leaf, as string) error {
	if err := again(func() error { return unix.Renameat(l.fd, name, to.fd, as) }); err != nil {
		return &os.LinkError{Op: "rename", Old: l.path(name), New: to.path(as), Err: err}
	}
	return nil
}

// link makes a hard link. It does not replace an existing file.
func (l *leaf) link(name string, to *leaf, as string) error {
	if err := again(func() error { return unix.Linkat(l.fd, name, to.fd, as, 0) }); err != nil {
		return &os.LinkError{Op: "link", Old: l.path(name), New: to.path(as), Err: err}
	}
	return nil
}

// again repeats a system call that a signal has interrupted.
func again(do func() error) error {
	for {
		if err := do(); err != unix.EINTR {
			return err
		}
	}
}

func again2(do func() (int, error)) (n int, err error) {
	err = again(func() error { n, err = do(); return err })
	return n, err
}
