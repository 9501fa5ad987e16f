package vsix

import (
	"regexp"
	"slices"
	"strings"

	json2 "github.com/go-json-experiment/json"

	"galbuild/build/catalog"
)

// maxBundledJSON limits the size of the package.json of an npm package, in bytes. A larger one is
// not read.
const maxBundledJSON = 1 << 20

// bundledPath matches the package.json of an npm package in a package.
var bundledPath = regexp.MustCompile(`^extension/(?:.*/)?node_modules/((?:@[^/]+/)?[^@/.][^/]*)/package\.json$`)

// Bundled collects the npm packages below the folders node_modules of a package. The zero value is
// ready for use.
type Bundled struct{ all map[catalog.Bundled]bool }

// Wants reports whether an entry describes an npm package, and is small enough to be read.
func (b *Bundled) Wants(e Entry) bool {
	return e.Size <= maxBundledJSON && len(b.all) < catalog.MaxBundled &&
		strings.HasSuffix(e.Name, "/package.json") && bundledPath.MatchString(e.Name) // the suffix is checked faster
}

// Add adds the npm package that an entry describes. Its name is that of the folder if package.json
// has none. A package without a version is left out, as is one whose package.json is invalid.
func (b *Bundled) Add(e Entry, text []byte) {
	var described struct {
		Name    any `json:"name"`
		Version any `json:"version"`
		License any `json:"license"`
	}
	if json2.Unmarshal(text, &described) != nil {
		return
	}
	var p catalog.Bundled
	p.Version, _ = described.Version.(string)
	license, _ := described.License.(string)
	p.Licence = licence(license)
	p.Name, _ = described.Name.(string)
	if p.Check() != nil {
		p.Name = bundledPath.FindStringSubmatch(e.Name)[1]
	}
	if p.Check() != nil {
		return
	}
	if b.all == nil {
		b.all = make(map[catalog.Bundled]bool)
	}
	b.all[p] = true
}

// Packages returns the npm packages, sorted, each once.
func (b *Bundled) Packages() (all []catalog.Bundled) {
	for p := range b.all {
		all = append(all, p)
	}
	slices.SortFunc(all, catalog.CompareBundled)
	return all
}
