package build

import (
	"cmp"
	"slices"
	"strings"

	"galbuild/build/catalog"
)

// Missing is an extension that another one needs and that the gallery does not have.
type Missing struct {
	Extension string `json:"extension"` // id of the extension that needs it
	Version   string `json:"version"`   // version of that extension
	Needs     string `json:"needs"`     // id of the missing extension, in lower case
	Kind      string `json:"kind"`      // "dependency" or "pack member"
}

// missing returns the extensions that the newest version of each extension needs and that the
// gallery does not have, sorted. An editor does not install an extension without its
// dependencies. It installs a pack without the missing members, and does not report them.
func missing(c *catalog.Catalog) []Missing {
	all := []Missing{}
	for i := range c.Extensions {
		e := &c.Extensions[i]
		seen := make(map[string]bool)
		for _, v := range e.Versions {
			if v.Version != e.Versions[0].Version {
				break
			}
			for _, need := range c.Needs(&v) {
				if need.Missing && !seen[need.ID] {
					seen[need.ID] = true
					all = append(all, Missing{e.ID(), v.Version, need.ID, need.Kind})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b Missing) int {
		return cmp.Or(strings.Compare(a.Extension, b.Extension), strings.Compare(a.Needs, b.Needs))
	})
	return all
}
