package modules

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Around is the surroundings of an extension's folder. Package managers also keep its
// dependencies outside of the folder, in the root of a workspace or in folders that links
// lead to.
type Around struct {
	FS     fs.FS  // contains the folder and everything that links may lead to, such as a whole disk
	Path   string // the folder in FS, slashed, without symbolic links on the way; "." is all of FS
	Volume string // volume name of absolute paths in FS, such as C:; "" on Unix
}

// OnDisk returns the surroundings of a folder: the disk that contains it.
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

// workspaceRoot returns the outermost folder in whose node_modules the extension's
// dependencies may be. It is the root of the outermost workspace that the extension belongs
// to, or its own folder. A root has pnpm-workspace.yaml, or a package.json whose workspaces
// match the extension, as npm, yarn and bun write it.
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

// claims reports whether the folder member belongs to the workspace of root.
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

// below returns the slashed path from one folder to another. It may begin with "..".
func below(from, to string) string {
	rel, err := filepath.Rel(filepath.FromSlash(from), filepath.FromSlash(to))
	if err != nil {
		return to // cannot fail for two relative paths
	}
	return filepath.ToSlash(rel)
}

// within reports whether a slashed path is dir or below it.
func within(dir, name string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}
