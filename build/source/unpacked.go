package source

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// An unpacked extension is a folder with the content of a package, as code-marketplace keeps
// it next to the package, and as unzip leaves it. Its files were made by whoever made the
// package. So they are content, and not sources:
//
//   - What is below its folder extension is passed over.
//   - Of all other packages in it, only the one that it is the content of is taken. That can
//     be told only when the package is read, so such an Item has the manifest in Unpacked.
//   - No sidecar in it is read.
//
// An extension that an editor installed has its manifest under another name, and no package.
// All its files are content.
//
// A folder in an unpacked extension that holds another manifest belongs to the outer one:
// otherwise a package could bring a folder that passes for a second extension.
const (
	manifestName  = "extension.vsixmanifest"
	installedName = ".vsixmanifest"
)

// contentFolder is the folder of an unpacked extension that holds the files editors install.
const contentFolder = "extension"

// errInside refuses a folder or glob below contentFolder.
func errContent(manifest *Stamp) error {
	return fmt.Errorf("this lies inside the unpacked extension %s, whose files are content and not "+
		"sources; to take one of them all the same, name the file itself", filepath.Dir(manifest.Path))
}

// manifestIn returns the manifest of the unpacked extension that dir is, or nil.
func (x *expansion) manifestIn(dir string) *Stamp {
	if known, ok := x.manifests[dir]; ok {
		return known
	}
	s := stamp(filepath.Join(dir, manifestName))
	if s == nil {
		s = stamp(filepath.Join(dir, installedName))
	}
	x.manifests[dir] = s
	return s
}

// around returns the manifest of the outermost unpacked extension that path lies in, or nil,
// and whether path is content of it whatever it holds: below its folder contentFolder, or in
// an installed extension. The path must have no symbolic links in it. Above the folder top, which somebody named, only such content matters: a
// manifest that somebody once left in a folder says nothing about everything below it.
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

// inside tells whether path lies in the folder of a manifest.
func isBelow(path string, manifest *Stamp) bool {
	if manifest == nil {
		return false
	}
	dir := filepath.Dir(manifest.Path) + string(filepath.Separator)
	return strings.HasPrefix(path, dir) || strings.HasPrefix(realPath(path), dir)
}

// isSite tells whether dir is a site of galbuild. Its packages are below assets; what is below
// blobs and files is the same once more, and what the packages contain. A site that is found
// in another folder is not a source: it may list what was removed since.
func isSite(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "index", "CURRENT"))
	return err == nil
}

// addFound takes a file that a folder or glob led to. Behind a symbolic link, it may lie in
// an unpacked extension.
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
