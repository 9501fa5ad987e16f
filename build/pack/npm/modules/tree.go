package modules

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"galbuild/build/regular"
)

// A tree is the surroundings of the extension's folder as packages see them: each looks for
// its dependencies in its own node_modules, then in those of its parent folders. Paths are
// those of dir.
type tree struct {
	dir       fs.FS
	ext       string // the extension's folder
	top       string // the outermost folder whose node_modules is searched
	volume    string
	listings  map[string]map[string]*node // by the folder that holds node_modules
	manifests map[string]*manifest        // by folder
}

// A node is a package.
type node struct {
	path    string // the path where it was found, such as node_modules/a
	real    string // where its files are: path, unless that is a link
	link    bool
	outside bool   // it links to a folder outside of dir
	shown   string // path, from the extension's folder
	files   string // real, from the extension's folder
	*manifest
}

func newTree(a Around) *tree {
	t := &tree{dir: a.FS, ext: a.Path, volume: a.Volume, listings: map[string]map[string]*node{}, manifests: map[string]*manifest{}}
	t.top = t.workspaceRoot()
	return t
}

// shown returns a path as messages show it: from the extension's folder.
func (t *tree) shown(name string) string { return below(t.ext, name) }

// root is the extension itself, with the text of its package.json.
func (t *tree) root(text []byte) (*node, error) {
	m, err := parseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("read package.json: %w", err)
	}
	t.manifests[t.ext] = m
	return &node{path: t.ext, real: t.ext, shown: ".", files: ".", manifest: m}, nil
}

// resolve returns the package that one in dir gets when it asks for a name, nil if
// none. Without up it looks no further than dir.
func (t *tree) resolve(dir, name string, up bool) *node {
	for ; ; dir = path.Dir(dir) {
		if found := t.packages(dir)[name]; found != nil || dir == "." || dir == t.top || !up {
			return found
		}
	}
}

// packages returns those in dir/node_modules by name. Names that begin with a dot
// are none, nor are files, nor links that lead nowhere.
func (t *tree) packages(dir string) map[string]*node {
	if l, ok := t.listings[dir]; ok {
		return l
	}
	l := map[string]*node{}
	t.listings[dir] = l
	const modules = "node_modules"
	for _, name := range t.names(path.Join(dir, modules)) {
		if !strings.HasPrefix(name, "@") {
			t.read(l, dir, modules, name)
			continue
		}
		for _, inScope := range t.names(path.Join(dir, modules, name)) {
			t.read(l, dir, modules, name, inScope)
		}
	}
	return l
}

// names lists a folder; one that cannot be read is empty, as it is for npm.
func (t *tree) names(dir string) []string {
	entries, _ := fs.ReadDir(t.dir, dir)
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// read adds the package at dir, which has no links, and the names below it.
func (t *tree) read(l map[string]*node, dir string, names ...string) {
	n := &node{path: path.Join(dir, path.Join(names...))}
	var end end
	n.real, end = t.follow(dir, names)
	n.link = n.real != n.path || end != inside
	n.outside = end == outside
	if n.real == "" {
		return
	}
	if info, err := fs.Stat(t.dir, n.real); err != nil || !info.IsDir() {
		return
	}
	n.shown, n.files = t.shown(n.path), t.shown(n.real)
	n.manifest = t.manifest(n.real)
	l[path.Join(names[1:]...)] = n
}

// maxLinks is how many links may stand for one folder.
const maxLinks = 40

// An end is where links lead to.
type end int

const (
	inside  end = iota
	outside     // outside of the tree's dir
)

// follow returns the folder that dir and the names below it stand for, by replacing
// links in the names; "" if they go round in circles. If they lead elsewhere than
// inside, that is dir and the names as they are.
func (t *tree) follow(dir string, names []string) (string, end) {
	given := path.Join(dir, path.Join(names...))
	for links := 0; len(names) > 0; {
		at := path.Join(dir, names[0])
		names = names[1:]
		target, err := fs.ReadLink(t.dir, at)
		if err != nil {
			dir = at
			continue
		}
		if links++; links > maxLinks {
			return "", inside
		}
		target, ok := t.target(dir, strings.ReplaceAll(target, "\\", "/"))
		if !ok {
			return given, outside
		}
		dir, names = ".", append(strings.Split(target, "/"), names...)
	}
	return dir, inside
}

// target returns the path of a link's target in dir, or false if it is outside of the
// tree's dir.
func (t *tree) target(dir, link string) (string, bool) {
	if n := len(t.volume); len(link) > n && strings.EqualFold(link[:n], t.volume) && link[n] == '/' {
		dir, link = ".", link[n:]
	}
	target := path.Join(dir, link)
	isVolume := len(link) > 1 && link[1] == ':'
	return target, fs.ValidPath(target) && !isVolume
}

// readRegular reads a regular file. Others, such as named pipes, may have no end.
func readRegular(dir fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: regular.ErrKind}
	}
	return fs.ReadFile(dir, name)
}

// manifest reads dir/package.json. npm takes one that it cannot read for empty,
// and skips a byte order mark.
func (t *tree) manifest(dir string) *manifest {
	if m, ok := t.manifests[dir]; ok {
		return m
	}
	m := &manifest{}
	text, err := readRegular(t.dir, path.Join(dir, "package.json"))
	if err == nil {
		var read *manifest
		if read, err = parseManifest(bytes.TrimPrefix(text, []byte("\uFEFF"))); err == nil {
			m = read
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		m.unread = err
	}
	t.manifests[dir] = m
	return m
}
