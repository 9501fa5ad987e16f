package gallery

import (
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/index"
	"galbuild/index/query"
)

// Document returns what the index is to know of e, and false if no editor can
// use any of its versions.
func Document(e *catalog.Extension, featured bool) (index.Document, bool) {
	versions := usable(e.Versions)
	if len(versions) == 0 {
		return index.Document{}, false
	}
	newest := &versions[0]
	d := index.Document{
		ID:             e.ID(),
		UUID:           e.UUID,
		Name:           e.Name,
		Publisher:      e.Publisher.Name,
		PublisherTitle: e.Publisher.DisplayName,
		Title:          newest.DisplayName,
		Description:    newest.Description,
		Categories:     newest.Categories,
		Tags:           newest.Tags,
		Contributed:    newest.Contributed,
		Platforms:      platforms(versions),
		Flags:          query.Validated | query.Public,
		Featured:       featured,
		Updated:        e.Updated.Unix(),
		Released:       e.Released.Unix(),
	}
	if newest.Preview {
		d.Flags |= query.Preview
	}
	if s := e.Statistics; s != nil {
		d.Installs, d.Rating, d.Ratings = s.Install, s.AverageRating, s.RatingCount
	}
	return d, true
}

// usable leaves out builds for target platforms that no editor asks for, such
// as win32-ia32: they stay downloadable, but an editor would offer them to
// everyone and install them for no one.
func usable(versions []catalog.Version) []catalog.Version {
	known := catalog.Platforms()
	return slices.DeleteFunc(slices.Clone(versions), func(v catalog.Version) bool {
		return v.Platform != "" && !slices.Contains(known, v.Platform)
	})
}

// latest returns the newest release and the newest pre-release of each
// platform, in the order of versions. An editor finds both what it should
// install and, if that is a release below a newer pre-release, what else there
// is, without asking for all versions.
func latest(versions []catalog.Version) []catalog.Version {
	type kind struct {
		platform   string
		preRelease bool
	}
	seen := make(map[kind]bool)
	var newest []catalog.Version
	for _, v := range versions {
		k := kind{v.Platform, v.PreRelease}
		if !seen[k] {
			seen[k] = true
			newest = append(newest, v)
		}
	}
	return newest
}

// platforms returns the distinct target platforms, sorted.
func platforms(versions []catalog.Version) []string {
	var all []string
	for _, v := range versions {
		if v.Platform == "" {
			all = append(all, "universal")
		} else {
			all = append(all, v.Platform)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// extensionFlags returns PublishedExtensionFlags as the comma-joined string that
// editors look for "preview" in.
func extensionFlags(preview bool) string {
	flags := []string{"validated", "public"}
	if preview {
		flags = append(flags, "preview")
	}
	return strings.Join(flags, ", ")
}
