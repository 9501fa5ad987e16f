package modules

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Around is where an extension's folder lies: package managers keep what it needs
// outside of it as well, in the root of a workspace or behind links.
type Around struct {
	FS     fs.FS  // holds the folder, and all that links may lead to, such as a whole disk
	Path   string // the folder in FS, slashed, without symbolic links on the way; "." is all of FS
	Volume string // what absolute paths in FS begin with before their slash, such as C:; "" on Unix
}

// OnDisk returns what is around a folder: the disk that it is on.
func OnDisk(dir string) (Around, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return Around{}, err
	}
	volume := filepath.VolumeName(dir)
	root := volume + string(filepath.Separator)
	rel, err := filepath.Rel(root, dir)
	return Around{FS: os.DirFS(root), Path: filepath.ToSlash(rel), Volume: filepath.ToSlash(volume)}, err
}

// workspaceRoot returns the folder above the extension's in whose node_modules its
// packages may be, or the extension's own if there is none: the outermost of the
// workspaces that it belongs to. One belongs to a folder with pnpm-workspace.yaml, and to
// one whose package.json has workspaces that fit, as npm, yarn and bun write it.
func (t *tree) workspaceRoot() string {
	member := t.ext
	for dir := t.ext; dir != "."; {
		dir = path.Dir(dir)
		if t.claims(dir, member) {
			member = dir
		}
	}
	return member
}

// claims tells whether the folder member belongs to the workspace of root.
func (t *tree) claims(root, member string) bool {
	if t.exists(path.Join(root, pnpmWorkspace)) {
		return true
	}
	include, exclude := splitPatterns(t.manifest(root).workspaces)
	dir := below(root, member)
	return !excluded(dir, exclude) && slices.ContainsFunc(include, func(p string) bool { return matches(p, dir) })
}

const pnpmWorkspace = "pnpm-workspace.yaml"

func (t *tree) exists(name string) bool { return exists(t.dir, name) }

func exists(dir fs.FS, name string) bool {
	_, err := fs.Stat(dir, name)
	return err == nil
}

// below returns the slashed path that leads from one folder to another, which may begin
// with "..".
func below(from, to string) string {
	rel, err := filepath.Rel(filepath.FromSlash(from), filepath.FromSlash(to))
	if err != nil {
		return to // both are relative, so there is a way
	}
	return filepath.ToSlash(rel)
}

// within tells whether a slashed path is dir or lies in it.
func within(dir, name string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}
