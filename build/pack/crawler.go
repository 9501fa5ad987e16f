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

// A crawler lists the files that are included from an extension's folder and from the
// folders of its dependencies.
type crawler struct {
	ctx      context.Context
	dir      fs.FS
	included func(location string) bool // whether the package includes a file, by its File.location
	below    func(location string) bool // whether the package can include a file below a folder
	follow   bool                       // include the contents of links to folders
	files    []File
	unusable []File            // included, but cannot be in a package
	findings []finding.Finding // the reasons
}

// crawl adds the files of an npm package, except those in its own node_modules: each
// dependency is a root of its own.
func (c *crawler) crawl(root modules.Folder) error {
	info, err := fs.Stat(c.dir, root.Source)
	if err != nil {
		return err
	}
	return c.addFolder(root, ".", []fs.FileInfo{info})
}

// addFolder adds the files in dir, a path below root. linked has the root, and the targets of
// the links to folders on the way to dir.
func (c *crawler) addFolder(root modules.Folder, dir string, linked []fs.FileInfo) error {
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
			if c.below(path.Join(root.Location, name)) {
				err = c.addFolder(root, name, linked)
			}
		case d.Type()&fs.ModeSymlink != 0:
			err = c.addLink(root, name, linked)
		case d.Type().IsRegular():
			err = c.addFile(root, name, d.Info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addLink adds the target of a symbolic link: a file, or the contents of a folder.
func (c *crawler) addLink(root modules.Folder, name string, linked []fs.FileInfo) error {
	source, location := path.Join(root.Source, name), path.Join(root.Location, name)
	info, err := fs.Stat(c.dir, source)
	switch {
	case err == nil && info.Mode().IsRegular():
		return c.addFile(root, name, func() (fs.FileInfo, error) { return info, nil })
	case err == nil && info.IsDir() && c.follow:
		if slices.ContainsFunc(linked[1:], func(i fs.FileInfo) bool { return os.SameFile(i, info) }) {
			return nil // a cycle of links
		}
		return c.addFolder(root, name, append(slices.Clip(linked), info))
	case err != nil && c.follow || !c.included(location):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		c.addFinding(source, "remove it, or name it in .vscodeignore", "is a symbolic link whose target does not exist")
	case err == nil && !info.IsDir():
		c.addFinding(source, "remove it, or name it in .vscodeignore", "is a symbolic link to something that is not a regular file (mode %v)", info.Mode())
	case err == nil:
		c.addFinding(source, "include its contents with --follow-symlinks, or leave it out by .vscodeignore", "is a symbolic link to a folder")
	default:
		return err
	}
	c.unusable = append(c.unusable, File{Entry: entryOf(location), Source: source, location: location, Mode: 0o644})
	return nil
}

// addFile adds a file if the package includes it.
func (c *crawler) addFile(root modules.Folder, name string, stat func() (fs.FileInfo, error)) error {
	source, location := path.Join(root.Source, name), path.Join(root.Location, name)
	if !c.included(location) {
		return nil
	}
	if strings.ContainsAny(location, "\\\r\n") || !utf8.ValidString(location) {
		c.addFinding("", "rename it, or leave it out by .vscodeignore", "%q cannot be the name of a file in a package", source)
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
		Entry: entryOf(location), Source: source, location: location, real: path.Join(root.Real, name),
		Mode: mode, Size: info.Size(), modified: info.ModTime(),
	})
	return nil
}

func (c *crawler) addFinding(where, hint, format string, args ...any) {
	c.findings = append(c.findings, finding.Error(where, hint, format, args...))
}

// entryOf returns the name of the entry for a location.
func entryOf(location string) string { return "extension/" + location }
