package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// An unpacked extension is a folder with the content of a package, as code-marketplace stores it
// next to the package, and as unzip creates it. The author of the package has chosen its files,
// so they are content, and neither sources nor sidecars:
//
//   - Its folder extension is skipped.
//   - Of the packages elsewhere in it, only the one with the same manifest is used. To compare
//     the manifests, the package must be read. Therefore the Item has the manifest in Unpacked.
//   - No sidecar in it is read.
//
// An extension that an editor installed has a manifest of another name, and no package. All its
// files are content.
//
// If a folder in an unpacked extension has a manifest too, it belongs to the outer extension.
// Otherwise a package could contain a folder that looks like another extension.
const (
	manifestName  = "extension.vsixmanifest"
	installedName = ".vsixmanifest"
)

// contentFolder is the folder of an unpacked extension with the files that editors install.
const contentFolder = "extension"

// errContent returns the error for a folder or glob that leads to content.
func errContent(manifest *Stamp) error {
	return fmt.Errorf("it is inside the unpacked extension %s, whose files are not sources; to use a "+
		"package from there, give the path of its file", filepath.Dir(manifest.Path))
}

// manifestIn returns the manifest of the unpacked extension that dir is, or nil.
func (x *expansion) manifestIn(dir string) *Stamp {
	if cached, ok := x.manifests[dir]; ok {
		return cached
	}
	s := stamp(filepath.Join(dir, manifestName))
	if s == nil {
		s = stamp(filepath.Join(dir, installedName))
	}
	x.manifests[dir] = s
	return s
}

// outermostManifest returns the manifest of the outermost unpacked extension that contains path,
// or nil. content reports whether path is below contentFolder or in an installed extension. path
// must not contain symbolic links.
//
// A manifest above the folder top, which the user gave as a source, applies only to content.
// Otherwise a manifest that was left in a folder by mistake would apply to everything below it.
func (x *expansion) outermostManifest(path, top string) (manifest *Stamp, content bool) {
	start := len(filepath.VolumeName(path))
	for i := start; i < len(path); i++ {
		if !os.IsPathSeparator(path[i]) {
			continue
		}
		dir := path[:max(i, start+1)]
		m := x.manifestIn(dir)
		if m == nil {
			continue
		}
		first, _, _ := strings.Cut(filepath.ToSlash(path[i+1:]), "/")
		content := strings.EqualFold(first, contentFolder) || filepath.Base(m.Path) == installedName
		if content || len(dir) >= len(top) {
			return m, content
		}
	}
	return nil, false
}

// isBelow reports whether path is in the folder of a manifest.
func isBelow(path string, manifest *Stamp) bool {
	if manifest == nil {
		return false
	}
	dir := filepath.Dir(manifest.Path) + string(filepath.Separator)
	return strings.HasPrefix(path, dir) || strings.HasPrefix(realPath(path), dir)
}

// isSite reports whether dir is a site of galbuild. Its packages are below assets. The folder
// blobs contains the same files, and the folder files the content of the packages. A site that
// is found in another folder is not a source, because it may contain removed packages.
func isSite(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "index", "CURRENT"))
	return err == nil
}

// addFound adds a file that was found in a folder or by a glob. If its path has a symbolic link,
// the file may be in an unpacked extension.
func (x *expansion) addFound(f foundFile) {
	if f.real != f.Path && f.Unpacked == nil {
		manifest, content := x.outermostManifest(f.real, "")
		if content {
			x.problem(f.Name, errContent(manifest))
			return
		}
		f.Unpacked = manifest
	}
	x.add(f)
}
