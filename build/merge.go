package build

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"galbuild/build/catalog"
)

// Without returns c without the versions for whose [catalog.Key] remove returns true. The UUIDs
// and dates of extensions are derived from their remaining versions.
func Without(c *catalog.Catalog, remove func(key string) bool) *catalog.Catalog {
	remaining := maps.Collect(versions(c))
	maps.DeleteFunc(remaining, func(key string, _ identified) bool { return remove(key) })
	return regroup(c.Settings, remaining)
}

// Union returns a catalogue with the versions of a and b and the settings of b. If b has no base
// URL, the addresses are those of a. The error is that of [CheckConflicts].
func Union(a, b *catalog.Catalog) (*catalog.Catalog, error) {
	if err := CheckConflicts(a, b); err != nil {
		return nil, err
	}
	all := maps.Collect(versions(a))
	for key, added := range versions(b) {
		if previous, ok := all[key]; !ok || !losesSidecar(previous.version, added.version) {
			all[key] = added
		}
	}
	settings := b.Settings
	if settings.BaseURL == "" {
		settings.BaseURL, settings.ContentURL = a.BaseURL, cmp.Or(settings.ContentURL, a.ContentURL)
	}
	return regroup(settings, all), nil
}

// CheckConflicts returns an error with the keys of the versions that a and b have with different
// content, or nil if there are none. The versions of a are published already.
func CheckConflicts(a, b *catalog.Catalog) error {
	all := maps.Collect(versions(a))
	var differ []string
	for key, added := range versions(b) {
		if previous, ok := all[key]; ok && !sameContent(previous.version, added.version) {
			differ = append(differ, key)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	slices.Sort(differ)
	return fmt.Errorf("different content is published already as %s", strings.Join(differ, ", "))
}

// regroup returns a catalogue with these versions.
func regroup(s catalog.Settings, versions map[string]identified) *catalog.Catalog {
	a := &assembly{catalog: &catalog.Catalog{Settings: s}}
	var empty *catalog.Asset
	if s.Sign == "empty" {
		empty = emptySignatureAsset()
	}
	for _, group := range groupByExtension(versions) {
		a.addExtension(group, empty, versions)
	}
	a.resolveUUIDs()
	return a.catalog
}
