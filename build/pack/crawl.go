package pack

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"galbuild/build/pack/finding"
)

// A crawler lists the files of an extension's folder, and those of the production
// dependencies in its node_modules.
type crawler struct {
	ctx      context.Context
	dir      fs.FS
	packed   func(path string) bool
	below    func(dir string) bool // whether something below it can be packed
	follow   bool                  // go into links to folders
	files    []File
	bad      []File            // are listed, but cannot be packed
	findings []finding.Finding // why
}

// crawl adds the files below root that are packed, but for those in node_modules
// beside root's package.json: they are dependencies, which are roots of their own.
func (c *crawler) crawl(root string) error {
	info, err := fs.Stat(c.dir, root)
	if err != nil {
		return err
	}
	return c.enter(root, root, []fs.FileInfo{info})
}

// enter adds what is in dir. linked are the folders that links led to on the way
// there, first the root.
func (c *crawler) enter(root, dir string, linked []fs.FileInfo) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	entries, err := fs.ReadDir(c.dir, dir)
	if err != nil {
		return err
	}
	for _, d := range entries {
		name := path.Join(dir, d.Name())
		switch {
		case name == path.Join(root, "node_modules"):
		case d.IsDir():
			if c.below(name) {
				err = c.enter(root, name, linked)
			}
		case d.Type()&fs.ModeSymlink != 0:
			err = c.link(root, name, linked)
		case d.Type().IsRegular():
			err = c.add(name, d.Info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// link adds what a symbolic link leads to: a file as if it were there.
func (c *crawler) link(root, name string, linked []fs.FileInfo) error {
	info, err := fs.Stat(c.dir, name)
	switch {
	case err == nil && info.Mode().IsRegular():
		return c.add(name, func() (fs.FileInfo, error) { return info, nil })
	case err == nil && info.IsDir() && c.follow:
		if slices.ContainsFunc(linked[1:], func(i fs.FileInfo) bool { return os.SameFile(i, info) }) {
			return nil // round and round
		}
		return c.enter(root, name, append(slices.Clip(linked), info))
	case err != nil && c.follow || !c.packed(name):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		c.find(name, "remove it, or name it in .vscodeignore", "is a symbolic link that leads nowhere")
	case err == nil && !info.IsDir():
		c.find(name, "remove it, or name it in .vscodeignore", "is a symbolic link to what is no file (mode %v)", info.Mode())
	case err == nil:
		c.find(name, "--follow-symlinks packs what is in it, .vscodeignore leaves it out", "is a symbolic link to a folder")
	default:
		return err
	}
	c.bad = append(c.bad, File{Entry: entryOf(name), Source: name, Mode: 0o644})
	return nil
}

// add adds a file if it is packed.
func (c *crawler) add(name string, stat func() (fs.FileInfo, error)) error {
	if !c.packed(name) {
		return nil
	}
	if strings.ContainsAny(name, "\\\r\n") || !utf8.ValidString(name) {
		c.find("", "rename it, or leave it out with .vscodeignore", "%q cannot be the name of a file in a package", name)
		return nil
	}
	info, err := stat()
	if err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	c.files = append(c.files, File{Entry: entryOf(name), Source: name, Mode: mode, Size: info.Size(), modified: info.ModTime()})
	return nil
}

func (c *crawler) find(where, way, format string, args ...any) {
	c.findings = append(c.findings, finding.Error(where, way, format, args...))
}

func entryOf(name string) string { return "extension/" + name }
