package catalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// SortVersions puts the newest version first, as editors expect, who take the
// first that fits: by semantic version, the platforms of a version adjacent and
// universal last. All versions must be valid semantic versions.
func SortVersions(versions []Version) {
	parsed := make(map[string]*semver.Version, len(versions))
	for _, v := range versions {
		parsed[v.Version] = semver.MustParse(v.Version)
	}
	slices.SortFunc(versions, func(a, b Version) int {
		return cmp.Or(
			parsed[b.Version].Compare(parsed[a.Version]),
			strings.Compare(b.Version, a.Version), // 1.0.0+a and 1.0.0+b are equal to semver
			comparePlatforms(a.Platform, b.Platform),
		)
	})
}

func comparePlatforms(a, b string) int {
	if (a == "") != (b == "") {
		if a == "" {
			return 1
		}
		return -1
	}
	return strings.Compare(a, b)
}

// Find returns the extension with this lower-case id, or nil.
func (c *Catalog) Find(key string) *Extension {
	i, ok := slices.BinarySearchFunc(c.Extensions, key, func(e Extension, key string) int {
		return strings.Compare(e.Key(), key)
	})
	if !ok {
		return nil
	}
	return &c.Extensions[i]
}
