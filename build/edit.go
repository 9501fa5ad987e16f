package build

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"galbuild/build/catalog"
)

// Without returns c without some of its versions, by catalog.Key. What is said of an
// extension follows from the versions it has left.
func Without(c *catalog.Catalog, gone func(key string) bool) *catalog.Catalog {
	left := maps.Collect(versions(c))
	maps.DeleteFunc(left, func(key string, _ known) bool { return gone(key) })
	return regroup(c.Settings, left)
}

// Union returns a catalogue with all that two have, and the settings of the second;
// without a base URL, the first one's addresses.
// It refuses versions of which they have different packages, and names them.
func Union(a, b *catalog.Catalog) (*catalog.Catalog, error) {
	if err := SameBytes(a, b); err != nil {
		return nil, err
	}
	all := maps.Collect(versions(a))
	for key, is := range versions(b) {
		if was, ok := all[key]; !ok || !knowsMore(was.version, is.version) {
			all[key] = is
		}
	}
	settings := b.Settings
	if settings.BaseURL == "" {
		settings.BaseURL, settings.ContentURL = a.BaseURL, cmp.Or(settings.ContentURL, a.ContentURL)
	}
	return regroup(settings, all), nil
}

// SameBytes returns an error that names the versions of which two catalogues have
// different packages.
func SameBytes(a, b *catalog.Catalog) error {
	all := maps.Collect(versions(a))
	var differ []string
	for key, is := range versions(b) {
		if was, ok := all[key]; ok && was.version.Package.Ref != is.version.Package.Ref {
			differ = append(differ, key)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	slices.Sort(differ)
	return fmt.Errorf("other bytes are published as %s", strings.Join(differ, ", "))
}

// knowsMore tells whether of one package added twice the first is to stay, for what
// its sidecar knew: without, the extension would get another identity.
func knowsMore(was, is *catalog.Version) bool {
	return was.Package.Ref == is.Package.Ref && was.Sidecar != nil && is.Sidecar == nil
}

// regroup makes a catalogue of versions.
func regroup(s catalog.Settings, versions map[string]known) *catalog.Catalog {
	a := &assembly{catalog: &catalog.Catalog{Settings: s}}
	var empty *catalog.Asset
	if s.Sign == "empty" {
		empty = emptySignatureAsset()
	}
	for _, group := range groupByExtension(versions) {
		a.addExtension(group, empty, versions)
	}
	a.settleUUIDs()
	return a.catalog
}
