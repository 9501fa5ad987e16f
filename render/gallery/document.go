package gallery

import (
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/index"
	"galbuild/index/query"
)

// Document returns what the index needs to find e, which has these numbers. It returns false if no
// editor can use any version of e.
func Document(e *catalog.Extension, featured bool, f catalog.Figures) (index.Document, bool) {
	if !IsUsable(e) {
		return index.Document{}, false
	}
	versions := usable(e.Versions)
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
		Installs:       f.Installs,
		Rating:         f.Rating,
		Ratings:        f.Ratings,
		Use:            index.Use{Downloads: f.Downloads, Daily: f.Trending.Day, Weekly: f.Trending.Week, Monthly: f.Trending.Month},
	}
	if newest.Preview {
		d.Flags |= query.Preview
	}
	return d, true
}

// IsUsable reports whether editors can use a version of e.
func IsUsable(e *catalog.Extension) bool { return len(usable(e.Versions)) > 0 }

// usable returns the versions without those for target platforms that editors do not support any
// more, such as win32-ia32. Their packages can still be downloaded. In a response, every editor
// would offer them and no editor could install them.
func usable(versions []catalog.Version) []catalog.Version {
	supported := catalog.Platforms()
	return slices.DeleteFunc(slices.Clone(versions), func(v catalog.Version) bool {
		return v.Platform != "" && !slices.Contains(supported, v.Platform)
	})
}

// latest returns the newest release and the newest pre-release of each platform, in the order
// of versions. They are enough for an editor to choose the version to install and to offer the
// pre-release.
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

// extensionFlags returns the PublishedExtensionFlags as names that are joined with commas.
// Editors look for "preview" in them.
func extensionFlags(preview bool) string {
	flags := []string{"validated", "public"}
	if preview {
		flags = append(flags, "preview")
	}
	return strings.Join(flags, ", ")
}
