package gallery

import (
	"fmt"
	"regexp"
	"slices"

	"galbuild/build/catalog"
)

// viewName matches the name of a view. It has no dot, so it is not the name of a file of the site.
var viewName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

// otherNames are the first elements of addresses of a gallery, apart from names with a dot or a
// capital letter and the folders of derived files.
var otherNames = []string{
	"api", "assets", "auth", "blobs", "control", "files", "healthz", "inbox", "index", "livez", "manifest", "metrics",
	"private", "readyz", "t", "version", "vscode",
}

// CheckViewName refuses a text that cannot be the name of a view. The addresses of the view begin
// with it, so it must not be the beginning of other addresses of the gallery.
func CheckViewName(name string) error {
	if !viewName.MatchString(name) {
		return fmt.Errorf("view %q: want a name of at most 63 lower-case letters, digits and - _, which begins with a letter or digit", name)
	}
	if slices.Contains(otherNames, name) || slices.Contains(catalog.DerivedFolders(), name+"/") {
		return fmt.Errorf("view %q: the gallery has addresses that begin with /%[1]s: name the view otherwise, such as team-%[1]s", name)
	}
	return nil
}

// AcceleratedDir is the path at which the printed nginx configuration has the blobs of the site for
// galshim's X-Accel-Redirect. Clients cannot request it, and no view can have its name.
const AcceleratedDir = "/_blobs"
