package pack

import (
	"io/fs"
	"path"
	"strings"

	"galbuild/build/pack/npm/modules"
)

// An outerFS is the file system of an extension's folder in which names may also begin with
// "..", for files outside of the folder.
type outerFS struct {
	fs.FS
	onDisk modules.Dir
}

// at returns the file system that contains a file, and the name of the file in it.
func (o outerFS) at(name string) (fs.FS, string) {
	if name == ".." || strings.HasPrefix(name, "../") {
		return o.onDisk.FS, path.Join(o.onDisk.Path, name)
	}
	return o.FS, name
}

// Open implements fs.FS.
func (o outerFS) Open(name string) (fs.File, error) {
	dir, name := o.at(name)
	return dir.Open(name)
}

// Stat implements fs.StatFS. Opening special files such as named pipes could block.
func (o outerFS) Stat(name string) (fs.FileInfo, error) {
	dir, name := o.at(name)
	return fs.Stat(dir, name)
}
