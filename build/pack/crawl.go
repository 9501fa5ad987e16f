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
	"galbuild/build/pack/npm/modules"
)

// A crawler lists the files of an extension's folder, and those of the production
// dependencies in its node_modules.
type crawler struct {
	ctx      context.Context
	dir      fs.FS
	packed   func(place string) bool
	below    func(place string) bool // whether something below it can be packed
	follow   bool                    // go into links to folders
	files    []File
	bad      []File            // are listed, but cannot be packed
	findings []finding.Finding // why
}

// crawl adds the files of a package that are packed, except those in its own node_modules:
// dependencies are packages of their own.
func (c *crawler) crawl(root modules.Folder) error {
	info, err := fs.Stat(c.dir, root.Source)
	if err != nil {
		return err
	}
	return c.enter(root, ".", []fs.FileInfo{info})
}

// enter adds the files in dir, a path below root. linked are the folders that links led to
// on the way there, beginning with the root.
func (c *crawler) enter(root modules.Folder, dir string, linked []fs.FileInfo) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	entries, err := fs.ReadDir(c.dir, path.Join(root.Source, dir))
	if err != nil {
		return err
	}
	for _, d := range entries {
		name := path.Join(dir, d.Name())
		switch {
		case name == "node_modules":
		case d.IsDir():
			if c.below(path.Join(root.Place, name)) {
				err = c.enter(root, name, linked)
			}
		case d.Type()&fs.ModeSymlink != 0:
			err = c.link(root, name, linked)
		case d.Type().IsRegular():
			err = c.add(root, name, d.Info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// link adds what a symbolic link leads to: a file as if it were there.
func (c *crawler) link(root modules.Folder, name string, linked []fs.FileInfo) error {
	source, place := path.Join(root.Source, name), path.Join(root.Place, name)
	info, err := fs.Stat(c.dir, source)
	switch {
	case err == nil && info.Mode().IsRegular():
		return c.add(root, name, func() (fs.FileInfo, error) { return info, nil })
	case err == nil && info.IsDir() && c.follow:
		if slices.ContainsFunc(linked[1:], func(i fs.FileInfo) bool { return os.SameFile(i, info) }) {
			return nil // round and round
		}
		return c.enter(root, name, append(slices.Clip(linked), info))
	case err != nil && c.follow || !c.packed(place):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		c.find(source, "remove it, or name it in .vscodeignore", "is a symbolic link that leads nowhere")
	case err == nil && !info.IsDir():
		c.find(source, "remove it, or name it in .vscodeignore", "is a symbolic link to what is no file (mode %v)", info.Mode())
	case err == nil:
		c.find(source, "--follow-symlinks packs what is in it, .vscodeignore leaves it out", "is a symbolic link to a folder")
	default:
		return err
	}
	c.bad = append(c.bad, File{Entry: entryOf(place), Source: source, place: place, Mode: 0o644})
	return nil
}

// add adds a file if it is packed.
func (c *crawler) add(root modules.Folder, name string, stat func() (fs.FileInfo, error)) error {
	source, place := path.Join(root.Source, name), path.Join(root.Place, name)
	if !c.packed(place) {
		return nil
	}
	if strings.ContainsAny(place, "\\\r\n") || !utf8.ValidString(place) {
		c.find("", "rename it, or leave it out with .vscodeignore", "%q cannot be the name of a file in a package", source)
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
	c.files = append(c.files, File{
		Entry: entryOf(place), Source: source, place: place, real: path.Join(root.Real, name),
		Mode: mode, Size: info.Size(), modified: info.ModTime(),
	})
	return nil
}

func (c *crawler) find(where, way, format string, args ...any) {
	c.findings = append(c.findings, finding.Error(where, way, format, args...))
}

func entryOf(name string) string { return "extension/" + name }
