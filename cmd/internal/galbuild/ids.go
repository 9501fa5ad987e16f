package galbuild

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/similar"
	"galbuild/cmd/internal/hint"
)

// parseIDs parses the ids of a command line.
func parseIDs(args []string) ([]catalog.ID, error) {
	var ids []catalog.ID
	for _, arg := range args {
		id, err := catalog.ParseID(arg)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// findExtension returns the extension that an id names, also if the id has only a name and one
// extension has it. Errors say that the gallery is where.
func findExtension(c *catalog.Catalog, id catalog.ID, where string) (*catalog.Extension, error) {
	if x := c.Find(strings.ToLower(id.Extension)); x != nil {
		return x, nil
	}
	missing := hint.Add(fmt.Errorf("%s is not in %s%s", id.Extension, where, similarIDs(c, id.Extension)), "galbuild ls-remote lists the extensions of a gallery")
	if strings.Contains(id.Extension, ".") {
		return nil, missing
	}
	switch found := sameName(c, id.Extension); len(found) {
	case 0:
		return nil, missing
	case 1:
		return found[0], nil
	default:
		return nil, fmt.Errorf("%s may be %s or %s: name the publisher too", id.Extension, found[0].ID(), found[1].ID())
	}
}

// matching returns the versions of an extension that an id stands for, by key. None is an
// error.
func matching(x *catalog.Extension, id catalog.ID) (keys []string, versions []catalog.Version, err error) {
	for key, v := range x.Keyed() {
		if id.Matches(v) {
			keys, versions = append(keys, key), append(versions, *v)
		}
	}
	if len(keys) == 0 {
		return nil, nil, noVersion(x, id)
	}
	return keys, versions, nil
}

// sameName returns the extensions of a name, whoever publishes them.
func sameName(c *catalog.Catalog, name string) (found []*catalog.Extension) {
	for i := range c.Extensions {
		if strings.EqualFold(c.Extensions[i].Name, name) {
			found = append(found, &c.Extensions[i])
		}
	}
	return found
}

// similarIDs returns `; did you mean "acme.hello"?` with the ids that are similar to one that the
// gallery does not have. If there are none, it returns those with the same or a similar name. It
// returns "" if there are none or too many.
func similarIDs(c *catalog.Catalog, id string) string {
	var ids, names []string
	for i := range c.Extensions {
		ids, names = append(ids, c.Extensions[i].ID()), append(names, c.Extensions[i].Name)
	}
	near := similar.To(id, ids)
	if len(near) > 0 {
		return similar.Ask(near)
	}
	name := id[strings.LastIndex(id, ".")+1:]
	for _, candidate := range append(similar.To(name, names), name) {
		for _, same := range sameName(c, candidate) {
			near = append(near, same.ID())
		}
	}
	slices.Sort(near)
	return similar.Ask(slices.Compact(near))
}

// noVersion returns the error for an id that no version of its extension has.
func noVersion(x *catalog.Extension, id catalog.ID) error {
	var versions, platforms []string
	for _, v := range x.Versions {
		versions = append(versions, v.Version)
		if (catalog.ID{Version: id.Version}).Matches(&v) {
			platforms = append(platforms, cmp.Or(v.Platform, catalog.Universal))
		}
	}
	if len(platforms) > 0 {
		slices.Sort(platforms)
		platforms = slices.Compact(platforms)
		named := catalog.ID{Extension: x.ID(), Version: id.Version}
		return fmt.Errorf("%s has no package for the platform %s; it has %s%s", named, id.Platform,
			strings.Join(platforms, ", "), similar.Question(id.Platform, platforms))
	}
	return fmt.Errorf("%s has no version %s; it has %s%s", x.ID(), id.Version, versionsOf(x), similar.Question(id.Version, versions))
}

// versionsOf returns the versions of an extension for a message, at most eight of them.
func versionsOf(x *catalog.Extension) string {
	var all []string
	for _, v := range x.Versions {
		all = append(all, v.Version)
	}
	all = slices.Compact(all)
	if len(all) > 8 {
		return strings.Join(all[:8], ", ") + fmt.Sprintf(" and %d more", len(all)-8)
	}
	return strings.Join(all, ", ")
}
