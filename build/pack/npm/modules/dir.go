package modules

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A Dir is an extension's folder within a larger file system. Package managers also put its
// dependencies outside of the folder: in the root of a workspace, or in folders that
// symbolic links lead to.
type Dir struct {
	FS     fs.FS  // contains the folder and the targets of links, such as a whole disk
	Path   string // slashed path of the folder in FS, without symbolic links; "." is all of FS
	Volume string // volume name of absolute paths in FS, such as C:; "" on Unix
}

// OnDisk returns a folder within the disk that contains it.
func OnDisk(dir string) (Dir, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return Dir{}, err
	}
	volume := filepath.VolumeName(dir)
	root := volume + string(filepath.Separator)
	rel, err := filepath.Rel(root, dir)
	return Dir{FS: os.DirFS(root), Path: filepath.ToSlash(rel), Volume: filepath.ToSlash(volume)}, err
}

// workspaceRoot returns the outermost folder whose node_modules may contain dependencies of
// the extension: the root of the outermost workspace of which the extension is a member, or
// its own folder. A root has a pnpm-workspace.yaml, or a package.json whose workspaces, in
// the format of npm, yarn and bun, match the member.
func (t *tree) workspaceRoot() string {
	member := t.ext
	for dir := t.ext; dir != "."; {
		dir = path.Dir(dir)
		if t.isMember(dir, member) {
			member = dir
		}
	}
	return member
}

// isMember reports whether a folder is a member of the workspace with this root.
func (t *tree) isMember(root, member string) bool {
	if t.exists(path.Join(root, pnpmWorkspace)) {
		return true
	}
	include, exclude := splitPatterns(t.manifest(root).workspaces)
	dir := relative(root, member)
	return !excluded(dir, exclude) && slices.ContainsFunc(include, func(p string) bool { return matches(p, dir) })
}

const pnpmWorkspace = "pnpm-workspace.yaml"

func (t *tree) exists(name string) bool {
	_, err := fs.Stat(t.dir, name)
	return err == nil
}

// relative returns the slashed path from one folder to another. It may begin with "..".
func relative(from, to string) string {
	rel, err := filepath.Rel(filepath.FromSlash(from), filepath.FromSlash(to))
	if err != nil {
		return to // cannot happen for two relative paths
	}
	return filepath.ToSlash(rel)
}

// within reports whether a slashed path is dir or below it.
func within(dir, name string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}
