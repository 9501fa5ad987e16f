//go:build !portable && (linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package blob

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"galbuild/build/atomicfile"
)

// A folder is an open folder of the site. It was opened one element of its path after the other,
// and none of them was a link. Files are linked and renamed between the handles of two folders.
//
// It makes system calls itself, because a gallery has hundreds of thousands of files. The methods
// of [os.Root] would open all folders of both paths again for each of them, and an [os.File]
// registers with the runtime's poller, which regular files and folders do not need.
type folder struct {
	fd   int
	name string // for messages
}

// blobMode is the mode of blobs. Nobody may write them, because they never change.
const blobMode fs.FileMode = 0o444

// topFolder opens the folder of a site.
func topFolder(site *os.Root) (*folder, error) {
	f, err := site.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := &folder{name: site.Name()}
	d.fd, err = ignoringEINTR2(func() (int, error) { return unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0) })
	if err != nil {
		return nil, d.error("open", ".", err)
	}
	return d, nil
}

// child opens a folder in d, and makes it if it is missing; name is one element of a path. The
// error wraps [atomicfile.ErrLink] if the folder is a link.
func (d *folder) child(name string) (*folder, error) {
	err := ignoringEINTR(func() error { return unix.Mkdirat(d.fd, name, uint32(atomicfile.DirMode)) })
	if err != nil && err != unix.EEXIST {
		return nil, d.error("mkdir", name, err)
	}
	made := err == nil
	fd, err := d.openFolder(name)
	if err != nil {
		if d.isLink(name) {
			err = atomicfile.ErrLink
		}
		return nil, d.error("open", name, err)
	}
	c := &folder{fd, d.path(name)}
	if err := c.addMode(made); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (d *folder) openFolder(name string) (int, error) {
	return ignoringEINTR2(func() (int, error) {
		return unix.Openat(d.fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
}

func (d *folder) isLink(name string) bool {
	var stat unix.Stat_t
	err := d.lstat(name, &stat)
	return err == nil && stat.Mode&unix.S_IFMT == unix.S_IFLNK
}

func (d *folder) lstat(name string, to *unix.Stat_t) error {
	return ignoringEINTR(func() error { return unix.Fstatat(d.fd, name, to, unix.AT_SYMLINK_NOFOLLOW) })
}

// addMode adds the permissions that the umask took from a folder that was made. It does the same
// for an empty folder, which another process is making, or was making when it was killed.
func (d *folder) addMode(made bool) error {
	var stat unix.Stat_t
	if err := ignoringEINTR(func() error { return unix.Fstat(d.fd, &stat) }); err != nil {
		return d.error("stat", "", err)
	}
	mode := uint32(stat.Mode)
	if fs.FileMode(mode)&atomicfile.DirMode == atomicfile.DirMode || !made && !d.isEmpty() {
		return nil
	}
	err := ignoringEINTR(func() error { return unix.Fchmod(d.fd, mode&0o7777|uint32(atomicfile.DirMode)) })
	if err != nil && made {
		return d.error("chmod", "", err)
	}
	return nil
}

func (d *folder) isEmpty() bool {
	fd, err := d.openFolder(".")
	if err != nil {
		return false
	}
	f := os.NewFile(uintptr(fd), d.name)
	defer f.Close()
	_, err = f.Readdirnames(1)
	return err == io.EOF
}

func (d *folder) Close() error { return unix.Close(d.fd) }

func (d *folder) path(name string) string { return filepath.Join(d.name, name) }

func (d *folder) error(op, name string, err error) error {
	if err == atomicfile.ErrLink {
		return fmt.Errorf("%s: %w", d.path(name), err)
	}
	return &fs.PathError{Op: op, Path: d.path(name), Err: err}
}

// has reports whether there is a regular file of this name and size.
func (d *folder) has(name string, size int64) bool {
	var stat unix.Stat_t
	return d.lstat(name, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG && stat.Size == size
}

// writeNew makes a file with the content b. It sets the mode first, so that a file with all its
// content has its mode, even if the process is killed.
func (d *folder) writeNew(name string, b []byte, mode fs.FileMode) error {
	fd, err := ignoringEINTR2(func() (int, error) {
		return unix.Openat(d.fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, uint32(mode))
	})
	if err != nil {
		return d.error("open", name, err)
	}
	err = setMode(fd, mode)
	for len(b) > 0 && err == nil {
		var n int
		n, err = ignoringEINTR2(func() (int, error) { return unix.Write(fd, b) })
		b = b[max(n, 0):]
	}
	if err = errors.Join(err, unix.Close(fd)); err != nil {
		return errors.Join(d.error("write", name, err), unix.Unlinkat(d.fd, name, 0))
	}
	return nil
}

// setMode undoes the umask. Setting a mode is a change that the file system writes to its journal,
// and most files have the right mode already.
func setMode(fd int, mode fs.FileMode) error {
	var stat unix.Stat_t
	if err := ignoringEINTR(func() error { return unix.Fstat(fd, &stat) }); err != nil || fs.FileMode(stat.Mode).Perm() == mode {
		return err
	}
	return ignoringEINTR(func() error { return unix.Fchmod(fd, uint32(mode)) })
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
