package build

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/build/decision"
)

// Without returns c without the versions for whose [catalog.Key] remove returns true. The UUIDs
// and dates of extensions are derived from their remaining versions.
func Without(c *catalog.Catalog, remove func(key string) bool) *catalog.Catalog {
	remaining := maps.Collect(versions(c))
	maps.DeleteFunc(remaining, func(key string, _ identified) bool { return remove(key) })
	without, _ := regroup(c.Settings, c.Records, remaining)
	without.Packages = c.Packages
	return without
}

// Union returns a catalogue with the versions, records and packages of a and b, the settings of b
// and those of a that b does not have, and the versions that the decisions of both keep out. The
// error is that of [CheckConflicts].
func Union(a, b *catalog.Catalog) (*catalog.Catalog, []Excluded, error) {
	if err := CheckConflicts(a, b); err != nil {
		return nil, nil, err
	}
	all := maps.Collect(versions(a))
	for key, added := range versions(b) {
		if previous, ok := all[key]; !ok || !losesSidecar(previous.version, added.version) {
			all[key] = added
		}
	}
	c, excluded := regroup(Over(b.Settings, a.Settings), decision.Merge(a.Records, b.Records), all)
	c.Packages = catalog.MergePackages(a.Packages, b.Packages)
	return c, excluded, nil
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

// regroup returns a catalogue with these records and with those of the versions that the decisions
// do not keep out. It also returns the other versions, and deletes them from the map.
func regroup(s catalog.Settings, records []catalog.Record, versions map[string]identified) (*catalog.Catalog, []Excluded) {
	excluded := exclude(decision.In(records, s.Control), versions)
	a := &assembly{catalog: &catalog.Catalog{Settings: s, Records: records}}
	var empty *catalog.Asset
	if s.Sign == "empty" {
		empty = emptySignatureAsset()
	}
	for _, group := range groupByExtension(versions) {
		a.addExtension(group, empty, versions)
	}
	a.resolveUUIDs()
	return a.catalog, excluded
}
