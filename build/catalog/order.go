package catalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// SortVersions sorts versions by semantic version, the newest first, because editors use the first
// one that is suitable. The platforms of a version are adjacent, and universal is the last one.
// Versions that are not semantic versions come last.
func SortVersions(versions []Version) {
	parsed := make(map[string]*semver.Version, len(versions))
	for _, v := range versions {
		parsed[v.Version] = parseVersion(v.Version)
	}
	slices.SortFunc(versions, func(a, b Version) int {
		return compareParsed(&a, &b, parsed[a.Version], parsed[b.Version])
	})
}

// compareVersions returns -1 if a comes before b in a catalogue.
func compareVersions(a, b *Version) int {
	return compareParsed(a, b, parseVersion(a.Version), parseVersion(b.Version))
}

// lowest is used for versions that are not semantic versions.
var lowest = semver.New(0, 0, 0, "0", "")

func parseVersion(s string) *semver.Version {
	v, err := semver.StrictNewVersion(s)
	if err != nil {
		return lowest
	}
	return v
}

func compareParsed(a, b *Version, x, y *semver.Version) int {
	return cmp.Or(
		y.Compare(x),
		strings.Compare(b.Version, a.Version), // 1.0.0+a and 1.0.0+b are equal to semver
		comparePlatforms(a.Platform, b.Platform),
	)
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

// merge returns the union of two sorted lists, sorted. Of elements that are equal according to
// compare, it has what both returns.
func merge[T any](a, b []T, compare func(a, b T) int, both func(a, b T) T) []T {
	switch {
	case len(b) == 0:
		return a
	case len(a) == 0:
		return b
	}
	all := make([]T, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch order := compare(a[0], b[0]); {
		case order < 0:
			all, a = append(all, a[0]), a[1:]
		case order > 0:
			all, b = append(all, b[0]), b[1:]
		default:
			all, a, b = append(all, both(a[0], b[0])), a[1:], b[1:]
		}
	}
	return append(append(all, a...), b...)
}
