//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package blob

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A folder is an open folder of the site. It is opened with an [os.Root], one element of its path
// after the other. Files are then linked and renamed between the handles of two folders. The
// methods of os.Root would open all folders of both paths again for each of a hundred thousand
// files.
type folder struct {
	handle *os.File
	fd     int
}

// newFolder opens an existing folder; name is its name in parent, one element of a path.
func newFolder(_, parent *os.Root, name, _ string) (*folder, error) {
	handle, err := parent.OpenFile(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &folder{handle, int(handle.Fd())}, nil
}

func (d *folder) Close() error { return d.handle.Close() }

func (d *folder) path(name string) string { return filepath.Join(d.handle.Name(), name) }

// writeNew makes a file with the content b. It makes only four system calls, because a gallery has
// hundreds of thousands of files. An os.File would make twice as many, because it registers with
// the runtime's poller, which regular files do not need.
func (d *folder) writeNew(name string, b []byte, mode fs.FileMode) error {
	fd, err := ignoringEINTR2(func() (int, error) {
		return unix.Openat(d.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, uint32(mode))
	})
	if err != nil {
		return &fs.PathError{Op: "open", Path: d.path(name), Err: err}
	}
	for len(b) > 0 && err == nil {
		var n int
		n, err = ignoringEINTR2(func() (int, error) { return unix.Write(fd, b) })
		b = b[max(n, 0):]
	}
	err = errors.Join(err, unix.Fchmod(fd, uint32(mode)), unix.Close(fd)) // undo the umask
	if err != nil {
		return errors.Join(&fs.PathError{Op: "write", Path: d.path(name), Err: err}, unix.Unlinkat(d.fd, name, 0))
	}
	return nil
}

// rename moves a file and replaces an existing one. If the target is a link, the link is
// replaced.
func (d *folder) rename(name string, to *folder, as string) error {
	if err := ignoringEINTR(func() error { return unix.Renameat(d.fd, name, to.fd, as) }); err != nil {
		return &os.LinkError{Op: "rename", Old: d.path(name), New: to.path(as), Err: err}
	}
	return nil
}

// link makes a hard link. It does not replace an existing file.
func (d *folder) link(name string, to *folder, as string) error {
	if err := ignoringEINTR(func() error { return unix.Linkat(d.fd, name, to.fd, as, 0) }); err != nil {
		return &os.LinkError{Op: "link", Old: d.path(name), New: to.path(as), Err: err}
	}
	return nil
}

// ignoringEINTR repeats a system call that a signal has interrupted.
func ignoringEINTR(do func() error) error {
	for {
		if err := do(); err != unix.EINTR {
			return err
		}
	}
}

func ignoringEINTR2(do func() (int, error)) (n int, err error) {
	err = ignoringEINTR(func() error { n, err = do(); return err })
	return n, err
}
