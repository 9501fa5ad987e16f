package source

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"galbuild/build/regularfile"
	"galbuild/build/vsix"
)

// glob expands a pattern as if each match were a source, but ignores files that are not
// packages: "dir/*" stands for the packages in dir.
func (x *expansion) glob(s spec) error {
	base, pattern := doublestar.SplitPattern(filepath.ToSlash(s.text))
	base = s.path(filepath.FromSlash(base))
	x.base = base
	tree := &globFS{x: x, base: base, tree: os.DirFS(base)}
	matches, err := doublestar.Glob(tree, pattern,
		doublestar.WithNoFollow(), doublestar.WithNoHidden())
	if err != nil {
		return errors.New("the glob is malformed: a bracket or brace is not closed")
	}
	before := len(x.found) + len(x.problems)
	g := matcher{x: x, top: realPath(base), specific: isSpecific(pattern), folders: x.newSearch()}
	for _, match := range matches {
		path := filepath.Join(base, filepath.FromSlash(match))
		if err := g.match(path); err != nil {
			x.problem(path, withoutPath(err))
		}
	}
	g.folders.run()
	switch {
	case len(x.found)+len(x.problems) > before:
		return nil
	case g.content != nil:
		return errContent(g.content)
	}
	return errors.New("the glob matches no .vsix file")
}

// A matcher adds the matches of a glob.
type matcher struct {
	x        *expansion
	top      string  // folder at which the pattern begins, without symbolic links
	specific bool    // see isSpecific
	folders  *search // of the folders that match
	content  *Stamp  // manifest of an unpacked extension whose content matched, or nil
}

// isSpecific reports whether a pattern ends with a name or a suffix, such as "*.zip". "*" is not
// specific.
func isSpecific(pattern string) bool {
	last := pattern[strings.LastIndexByte(pattern, '/')+1:]
	wild := func(s string) bool { return strings.ContainsAny(s, "*?[{") }
	return !wild(last) || path.Ext(last) != "" && !wild(path.Ext(last))
}

func (g *matcher) match(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() && g.x.Skip != "" && realPath(path) == g.x.Skip { // path is a link to it
		return nil
	}
	if !info.IsDir() && !isSource(filepath.Base(path)) && !g.isPackage(path) {
		return nil
	}
	f, err := newFoundFile(path, info)
	if err != nil {
		return err
	}
	// The path at differs from f.real if path is a symbolic link.
	at := filepath.Join(realPath(filepath.Dir(path)), filepath.Base(path))
	manifest, content := g.x.outermostManifest(at, g.top)
	// In an unpacked extension, a symbolic link to a folder is content.
	content = content || manifest != nil && info.IsDir() && f.real != at
	if manifest == nil {
		manifest, content = g.x.outermostManifest(f.real, g.top)
	}
	switch {
	case content:
		g.content = manifest
		return nil
	case info.IsDir():
		return g.folders.start(folder{name: path, unpacked: manifest})
	case !info.Mode().IsRegular():
		return errNotRegular
	}
	f.addSidecars(stamp, manifest)
	f.Unpacked = manifest
	g.x.add(f)
	return nil
}

// isPackage reports whether a file without the suffix is a source. If the pattern is specific,
// the file must only begin like a package. Otherwise it must be a package, because "*" matches
// archives of all kinds.
func (g *matcher) isPackage(path string) bool {
	if startsAsPackage(path) != nil {
		return false
	}
	if g.specific {
		return true
	}
	file, err := regularfile.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return false
	}
	_, err = vsix.Open(file, info.Size(), vsix.Limits{})
	return err == nil
}

// globFS is the file system in which a glob is matched. It leaves out the site to be written, and
// reports each folder that cannot be read, which doublestar ignores silently.
type globFS struct {
	x    *expansion
	base string
	tree fs.FS
}

func (v *globFS) Open(name string) (fs.File, error) { return v.tree.Open(name) }

func (v *globFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(v.tree, name) }

func (v *globFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := v.x.ctx.Err(); err != nil {
		return nil, err
	}
	dir := filepath.Join(v.base, filepath.FromSlash(name))
	entries, err := fs.ReadDir(v.tree, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.x.problem(dir, withoutPath(err))
	}
	if v.x.Skip == "" {
		return entries, err
	}
	at := realPath(dir)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return e.IsDir() && filepath.Join(at, e.Name()) == v.x.Skip
	}), err
}
