package build

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/policy"
	"galbuild/build/similar"
)

// Named returns the extensions of c with this name, of all publishers. It ignores case.
func Named(c *catalog.Catalog, name string) (found []*catalog.Extension) {
	for i := range c.Extensions {
		if strings.EqualFold(c.Extensions[i].Name, name) {
			found = append(found, &c.Extensions[i])
		}
	}
	return found
}

// Suggest returns a question such as `; did you mean "acme.hello"?`, for an id that is not in c. It
// has the similar ids, or else the ids with the same name or a similar one. Suggest returns "" if
// there are none or too many.
func Suggest(c *catalog.Catalog, id string) string {
	var ids, names []string
	for i := range c.Extensions {
		ids, names = append(ids, c.Extensions[i].ID()), append(names, c.Extensions[i].Name)
	}
	near := similar.To(id, ids)
	if len(near) > 0 {
		return similar.Ask(near)
	}
	name := id[strings.LastIndex(id, ".")+1:]
	for _, n := range append(similar.To(name, names), name) {
		for _, x := range Named(c, n) {
			near = append(near, x.ID())
		}
	}
	slices.Sort(near)
	return similar.Ask(slices.Compact(near))
}

// notFeatured warns about featured ids that are not in the gallery. It may get them later.
func notFeatured(c *catalog.Catalog) (warnings []Problem) {
	for _, id := range c.Featured {
		if c.Find(id) == nil {
			warnings = append(warnings, Problem{File: "--featured=" + id, Reason: "is not in the gallery" + Suggest(c, id)})
		}
	}
	return warnings
}

// notRated warns about ratings of extensions that are not in the gallery. It may get them later.
func notRated(c *catalog.Catalog) (warnings []Problem) {
	p := policy.Of(c)
	for _, id := range slices.Sorted(maps.Keys(p.Ratings)) {
		if c.Find(id) == nil {
			warnings = append(warnings, Problem{File: fmt.Sprintf("%s:%d", p.RatingsFile, p.Ratings[id].Line), Reason: id + " is not in the gallery" + Suggest(c, id)})
		}
	}
	return warnings
}
