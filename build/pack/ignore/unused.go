package ignore

import (
	"path"
	"slices"
	"strings"

	"galbuild/build/pack/ignore/glob"
)

// root stands for the extension's folder, whose real path vsce puts before each
// item. An item that climbs out of the folder fits nothing here, even if it comes
// back by the folder's name.
const root = "/extension"

// documents are in each package, and fit items too.
var documents = []string{"extension.vsixmanifest", "[Content_Types].xml"}

// Unused returns the items of "files" that fit none of paths, the packed files, in
// their order. An item fits what is below a folder by the rule of .vscodeignore.
//
// vsce looks for them in another way than it packs: ./src and /src are src here,
// # and ! are nothing special, and a backslash is a slash.
func (r *Rules) Unused(paths []string) []string {
	var unused []string
	paths = slices.Concat(paths, documents)
	for i, p := range paths {
		paths[i] = root + "/" + p
	}
	for _, item := range r.items {
		if !used(item, paths) {
			unused = append(unused, item)
		}
	}
	return unused
}

func used(item string, paths []string) bool {
	text := path.Join(root, item)
	if strings.HasSuffix(item, "/") {
		text += "/"
	}
	text = strings.ReplaceAll(text, `\`, "/")
	patterns := []glob.Pattern{glob.Compile(text)}
	if below, ok := belowFolder(text); ok {
		patterns = append(patterns, glob.Compile(below))
	}
	return slices.ContainsFunc(paths, func(p string) bool { return glob.Any(patterns, p) })
}
