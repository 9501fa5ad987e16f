package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
)

// glob takes what matches a pattern as if each match had been named, except for
// files that are no packages: "dir/*" means the packages of dir.
func (x *expansion) glob(m mention) error {
	base, pattern := doublestar.SplitPattern(filepath.ToSlash(m.text))
	base = m.path(filepath.FromSlash(base))
	tree := &visible{x: x, base: base, tree: os.DirFS(base)}
	matches, err := doublestar.Glob(tree, pattern, doublestar.WithNoFollow(), doublestar.WithNoHidden())
	if err != nil {
		return errors.New("the glob is malformed: a bracket or brace is not closed")
	}
	before := len(x.found) + len(x.problems)
	folders := x.newSearch()
	for _, match := range matches {
		path := filepath.Join(base, filepath.FromSlash(match))
		if err := x.match(path, folders); err != nil {
			x.problem(path, plain(err))
		}
	}
	folders.run()
	if len(x.found)+len(x.problems) == before {
		return errors.New("the glob matches no .vsix file")
	}
	return nil
}

func (x *expansion) match(path string, folders *search) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir() && x.Skip != "" && realPath(path) == x.Skip: // through a link
		return nil
	case info.IsDir():
		return folders.start(path)
	case !isPackageName(path):
		return nil
	}
	return x.path(path)
}

// visible is the tree that a glob sees: without the site being written, and
// with every folder that cannot be read reported, for doublestar passes it over.
type visible struct {
	x    *expansion
	base string
	tree fs.FS
}

func (v *visible) Open(name string) (fs.File, error) { return v.tree.Open(name) }

func (v *visible) Stat(name string) (fs.FileInfo, error) { return fs.Stat(v.tree, name) }

func (v *visible) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := v.x.ctx.Err(); err != nil {
		return nil, err
	}
	dir := filepath.Join(v.base, filepath.FromSlash(name))
	entries, err := fs.ReadDir(v.tree, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.x.problem(dir, plain(err))
	}
	if v.x.Skip == "" {
		return entries, err
	}
	at := realPath(dir)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return e.IsDir() && filepath.Join(at, e.Name()) == v.x.Skip
	}), err
}
