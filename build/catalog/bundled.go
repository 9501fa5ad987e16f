package catalog

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Bundled is an npm package that a package contains.
type Bundled struct {
	Name    string `json:"name"` // with its scope, such as @types/node
	Version string `json:"version"`
	Licence string `json:"licence,omitempty"` // SPDX expression; "" if it is not known
}

// Limits of the npm packages in a package.
const (
	MaxBundled        = 2000 // packages
	maxBundledName    = 214  // bytes, the limit of npm
	maxBundledVersion = 256  // bytes, the limit of npm
)

var (
	bundledName    = regexp.MustCompile(`^(?:@[A-Za-z0-9~_.!*'()-]+/)?[A-Za-z0-9~_!*'()-][A-Za-z0-9~_.!*'()-]*$`)
	bundledVersion = regexp.MustCompile(`^[0-9A-Za-z.+-]+$`)
)

// Check refuses what no npm package is.
func (b *Bundled) Check() error {
	switch {
	case len(b.Name) > maxBundledName || !bundledName.MatchString(b.Name):
		return fmt.Errorf("npm package: want a name, found %.200q", b.Name)
	case len(b.Version) > maxBundledVersion || !bundledVersion.MatchString(b.Version):
		return fmt.Errorf("npm package %s: want a version, found %.200q", b.Name, b.Version)
	}
	return checkLicence(b.Licence)
}

// CompareBundled compares npm packages by name, version and licence, the order in a package.
func CompareBundled(a, b Bundled) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version), strings.Compare(a.Licence, b.Licence))
}

// checkBundled refuses an invalid list.
func checkBundled(all []Bundled) error {
	if len(all) > MaxBundled {
		return fmt.Errorf("at most %d npm packages are allowed, found %d", MaxBundled, len(all))
	}
	for i := range all {
		if err := all[i].Check(); err != nil {
			return err
		}
		if i > 0 && CompareBundled(all[i-1], all[i]) >= 0 {
			return fmt.Errorf("npm packages %s and %s are the same or out of order", all[i-1].Name, all[i].Name)
		}
	}
	return nil
}

// preferBundled returns the longer of two lists for one package, or else the greater one. They
// differ only if different versions of this program have read the package.
func preferBundled(a, b []Bundled) []Bundled {
	if cmp.Or(cmp.Compare(len(a), len(b)), slices.CompareFunc(a, b, CompareBundled)) < 0 {
		return b
	}
	return a
}
