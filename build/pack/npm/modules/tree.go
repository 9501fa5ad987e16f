package modules

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"galbuild/build/regularfile"
)

// A tree finds packages as Node.js does: in the node_modules of a folder, then in those of its
// parent folders. Paths are those of dir.
type tree struct {
	dir       fs.FS
	ext       string // the extension's folder
	top       string // the outermost folder whose node_modules is searched
	volume    string
	listings  map[string]map[string]*node // by the folder that holds node_modules
	manifests map[string]*manifest        // by folder
}

// A node is a package in a node_modules, or the extension.
type node struct {
	path    string // where it was found, such as node_modules/a
	real    string // path, with symbolic links resolved
	link    bool   // path is a link, or below one
	outside bool   // path is a link to a folder outside of dir
	shown   string // path, relative to the extension's folder
	files   string // real, relative to the extension's folder
	*manifest
}

func newTree(d Dir) *tree {
	t := &tree{dir: d.FS, ext: d.Path, volume: d.Volume, listings: map[string]map[string]*node{}, manifests: map[string]*manifest{}}
	t.top = t.workspaceRoot()
	return t
}

// shown returns a path as messages show it: relative to the extension's folder.
func (t *tree) shown(name string) string { return relative(t.ext, name) }

// root returns the node of the extension, whose package.json has this text.
func (t *tree) root(text []byte) (*node, error) {
	m, err := parseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("read package.json: %w", err)
	}
	t.manifests[t.ext] = m
	return &node{path: t.ext, real: t.ext, shown: ".", files: ".", manifest: m}, nil
}

// resolve returns the package that a package in dir finds by a name, or nil. It searches
// parent folders only if up is true.
func (t *tree) resolve(dir, name string, up bool) *node {
	for ; ; dir = path.Dir(dir) {
		if found := t.packages(dir)[name]; found != nil || dir == "." || dir == t.top || !up {
			return found
		}
	}
}

// packages returns the packages in dir/node_modules by name. Files, broken links and names
// that begin with a dot are not packages.
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

// names lists a folder. As for npm, a folder that cannot be read is empty.
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

// read adds the package at a path, given as a folder without links and the names below it.
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

// maxLinks is the maximum number of links in the resolution of one path.
const maxLinks = 40

// An end is the place to which links lead.
type end int

const (
	inside  end = iota // in the tree's dir
	outside            // outside of it
)

// follow returns the path of dir and the names below it with symbolic links resolved, or ""
// if there is a cycle of links. If a link leads outside, it returns the path unchanged.
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

// manifest reads dir/package.json. As npm does, it ignores a byte order mark, and returns an
// empty manifest if the file cannot be read.
func (t *tree) manifest(dir string) *manifest {
	if m, ok := t.manifests[dir]; ok {
		return m
	}
	m := &manifest{}
	text, err := regularfile.ReadFS(t.dir, path.Join(dir, "package.json"))
	if err == nil {
		var parsed *manifest
		if parsed, err = parseManifest(bytes.TrimPrefix(text, []byte("\uFEFF"))); err == nil {
			m = parsed
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		m.readErr = err
	}
	t.manifests[dir] = m
	return m
}
