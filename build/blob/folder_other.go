//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package blob

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// A folder is a folder of the site.
type folder struct {
	site *os.Root
	dir  string // below the site
}

// newFolder returns an existing folder, whose path below the site is dir.
func newFolder(site, _ *os.Root, _, dir string) (*folder, error) { return &folder{site, dir}, nil }

func (d *folder) Close() error { return nil }

func (d *folder) path(name string) string {
	return filepath.Join(d.site.Name(), filepath.FromSlash(d.dir), name)
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
