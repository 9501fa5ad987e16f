//go:build portable || !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package blob

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"galbuild/build/atomicfile"
)

// blobMode is the mode of blobs. They can be written, because Windows does not replace a read-only
// file, and the files below assets/ and files/, which are links to blobs, are replaced.
const blobMode fs.FileMode = 0o644

// A folder is a folder of the site.
type folder struct {
	site *os.Root
	dir  string // below the site
}

// topFolder returns the folder of a site.
func topFolder(site *os.Root) (*folder, error) { return &folder{site, "."}, nil }

// child returns a folder in d, and makes it if it is missing; name is one element of a path. The
// error wraps [atomicfile.ErrLink] if the folder is a link.
func (d *folder) child(name string) (*folder, error) {
	at, err := atomicfile.Dir(d.site, path.Join(d.dir, name))
	if err != nil {
		return nil, err
	}
	return &folder{d.site, path.Join(d.dir, name)}, at.Close()
}

func (d *folder) Close() error { return nil }

func (d *folder) path(name string) string {
	return filepath.Join(d.site.Name(), filepath.FromSlash(d.dir), name)
}

// has reports whether there is a regular file of this name and size.
func (d *folder) has(name string, size int64) bool {
	info, err := d.site.Lstat(path.Join(d.dir, name))
	return err == nil && info.Mode().IsRegular() && info.Size() == size
}

// writeNew makes a file with the content b.
func (d *folder) writeNew(name string, b []byte, mode fs.FileMode) error {
	name = path.Join(d.dir, name)
	f, err := d.site.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, d.site.Remove(name))
	}
	return nil
}

// rename moves a file and replaces an existing one. If the target is a link, the link is
// replaced.
func (d *folder) rename(name string, to *folder, as string) error {
	return d.site.Rename(path.Join(d.dir, name), path.Join(to.dir, as))
}

// link makes a hard link. It does not replace an existing file.
func (d *folder) link(name string, to *folder, as string) error {
	return d.site.Link(path.Join(d.dir, name), path.Join(to.dir, as))
}
