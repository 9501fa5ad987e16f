package ignore

import (
	"path"
	"slices"
	"strings"

	"galbuild/build/pack/ignore/glob"
)

// root replaces the real path of the extension's folder, which vsce puts before each item.
// An item that leads out of the folder never matches here, even if it leads back into it by
// the folder's name.
const root = "/extension"

// documents are in each package, and items may match them.
var documents = []string{"extension.vsixmanifest", "[Content_Types].xml"}

// Unused returns the items of "files" that match no file, in their order. paths are the files of
// the package. As in .vscodeignore, an item that matches a folder also matches the files below it.
//
// vsce compares items in another way here than when it selects files: ./src and /src are the
// same as src, # and ! have no special meaning, and a backslash is a slash.
func (r *Rules) Unused(paths []string) []string {
	var unused []string
	paths = slices.Concat(paths, documents)
	for i, p := range paths {
		paths[i] = root + "/" + p
	}
	for _, item := range r.items {
		if !isUsed(item, paths) {
			unused = append(unused, item)
		}
	}
	return unused
}

func isUsed(item string, paths []string) bool {
	text := path.Join(root, item)
	if strings.HasSuffix(item, "/") {
		text += "/"
	}
	text = strings.ReplaceAll(text, `\`, "/")
	patterns := []glob.Pattern{glob.Compile(text)}
	if below, ok := patternBelow(text); ok {
		patterns = append(patterns, glob.Compile(below))
	}
	return slices.ContainsFunc(paths, func(p string) bool { return glob.Any(patterns, p) })
}
