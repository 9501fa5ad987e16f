//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package blob

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// A leaf is a folder that files are written to.
type leaf struct {
	site *os.Root
	dir  string // below the site
}

// newLeaf returns an existing folder, whose path below the site is dir.
func newLeaf(site, _ *os.Root, _, dir string) (*leaf, error) { return &leaf{site, dir}, nil }

func (l *leaf) Close() error { return nil }

func (l *leaf) path(name string) string {
	return filepath.Join(l.site.Name(), filepath.FromSlash(l.dir), name)
}

// writeNew makes a file with the content b.
func (l *leaf) writeNew(name string, b []byte, mode fs.FileMode) error {
	name = path.Join(l.dir, name)
	f, err := l.site.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, l.site.Remove(name))
	}
	return nil
}

// rename moves a file and replaces an existing one. If the target is a link, the link is
// replaced.
func (l *leaf) rename(name string, to *leaf, as string) error {
	return l.site.Rename(path.Join(l.dir, name), path.Join(to.dir, as))
}

// link makes a hard link. It does not replace an existing file.
func (l *leaf) link(name string, to *leaf, as string) error {
	return l.site.Link(path.Join(l.dir, name), path.Join(to.dir, as))
}
