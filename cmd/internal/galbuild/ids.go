package galbuild

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"galbuild/build"
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

// findExtension returns the extension that an id names. If the id has no publisher, exactly one
// extension must have the name. Errors name the gallery as where.
func findExtension(c *catalog.Catalog, id catalog.ID, where string) (*catalog.Extension, error) {
	if x := c.Find(strings.ToLower(id.Extension)); x != nil {
		return x, nil
	}
	missing := fmt.Errorf("%s is not in %s%s", id.Extension, where, build.Suggest(c, id.Extension))
	if strings.Contains(id.Extension, ".") {
		return nil, hint.Add(missing, "galbuild ls-remote lists the extensions of a gallery")
	}
	switch found := build.Named(c, id.Extension); len(found) {
	case 0:
		return nil, hint.Add(missing, "galbuild ls-remote lists the extensions of a gallery; if %s is the target, name it with -o", id.Extension)
	case 1:
		return found[0], nil
	default:
		return nil, fmt.Errorf("%s can be %s or %s: name the publisher too", id.Extension, found[0].ID(), found[1].ID())
	}
}

// matching returns the keys and the versions of an extension that an id matches. It is an error if
// there are none.
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

// versionsOf lists the versions of an extension for a message.
func versionsOf(x *catalog.Extension) string {
	var versions []string
	for _, v := range x.Versions {
		versions = append(versions, v.Version)
	}
	return firstOf(slices.Compact(versions), 8)
}

// firstOf joins the first names, at most this number, and adds how many more there are.
func firstOf(names []string, most int) string {
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
