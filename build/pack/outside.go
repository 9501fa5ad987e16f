package pack

import (
	"io/fs"
	"path"
	"strings"

	"galbuild/build/pack/npm/modules"
)

// A wideFS is an extension's folder in which names may begin with "..", for files outside
// of the folder.
type wideFS struct {
	fs.FS
	around modules.Around
}

func (w wideFS) at(name string) (fs.FS, string) {
	if name == ".." || strings.HasPrefix(name, "../") {
		return w.around.FS, path.Join(w.around.Path, name)
	}
	return w.FS, name
}

// Open implements fs.FS.
func (w wideFS) Open(name string) (fs.File, error) {
	dir, name := w.at(name)
	return dir.Open(name)
}

// Stat implements fs.StatFS, because special files such as pipes must not be opened.
func (w wideFS) Stat(name string) (fs.FileInfo, error) {
	dir, name := w.at(name)
	return fs.Stat(dir, name)
}
