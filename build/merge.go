package build

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
)

// Without returns c without the versions for whose [catalog.Key] remove returns true. The UUIDs
// and dates of extensions are derived from their remaining versions.
func Without(c *catalog.Catalog, remove func(key string) bool) *catalog.Catalog {
	remaining := maps.Collect(versions(c))
	maps.DeleteFunc(remaining, func(key string, _ identified) bool { return remove(key) })
	dropped := slices.DeleteFunc(slices.Clone(c.Dropped), func(d catalog.Dropped) bool { return remove(d.Key()) })
	return regroup(catalog.Catalog{
		Settings: c.Settings, Records: c.Records, Dropped: dropped, Packages: c.Packages, Counted: c.Counted, Usage: c.Usage,
	}, remaining)
}

// A Receiver is a gallery that gets another catalogue. Its policy decides which versions may enter.
type Receiver struct {
	Old    *catalog.Catalog // what it serves; nil if it has no generation yet
	Policy PolicyChange
	Follow bool      // unless Policy changes it, its policy becomes that of the other catalogue
	Now    time.Time // zero is the time of the run
}

// Decide returns c with more records, and without the versions that the decisions and the policy
// keep out, which it returns too.
func (r Receiver) Decide(c *catalog.Catalog, records []catalog.Record) (*catalog.Catalog, []Excluded, error) {
	next := catalog.Catalog{
		Settings: c.Settings, Records: decision.Merge(c.Records, records), Dropped: c.Dropped, Packages: c.Packages,
		Counted: c.Counted, Usage: c.Usage,
	}
	return r.admit(next, maps.Collect(versions(c)), c.Policy)
}

// Union returns a catalogue with the versions, records, packages and counts of a and b, the
// settings and imported statistics of b and those of a that b does not have, without the versions
// that the decisions of both and the policy keep out. It returns these too. Errors are those of
// [CheckConflicts], or about the policy.
func (r Receiver) Union(a, b *catalog.Catalog) (*catalog.Catalog, []Excluded, error) {
	if err := CheckConflicts(a, b); err != nil {
		return nil, nil, err
	}
	all := maps.Collect(versions(a))
	for key, added := range versions(b) {
		if previous, ok := all[key]; ok {
			added.version = withSeen(added.version, catalog.Earliest(previous.version.Seen, added.version.Seen))
			if losesSidecar(previous.version, added.version) {
				previous.version = withSeen(previous.version, added.version.Seen)
				added = previous
			}
		}
		all[key] = added
	}
	next := catalog.Catalog{
		Settings: Over(b.Settings, a.Settings), Records: decision.Merge(a.Records, b.Records),
		Dropped: catalog.MergeDropped(a.Dropped, b.Dropped), Packages: catalog.MergePackages(a.Packages, b.Packages),
		Counted: catalog.MergeCounted(b.Counted, a.Counted), Usage: catalog.MergeUsage(b.Usage, a.Usage),
	}
	return r.admit(next, all, b.Policy)
}

// admit returns next with the versions of all that the decisions and the policy do not keep out,
// and the versions that they keep out. received is the policy of the catalogue that the gallery
// gets.
func (r Receiver) admit(next catalog.Catalog, all map[string]identified, received string) (*catalog.Catalog, []Excluded, error) {
	old := r.Old
	if old == nil {
		old = new(catalog.Catalog)
	}
	own := old.Policy
	if r.Follow {
		own = received
	}
	next.Policy = r.Policy.In(own)
	now := r.Now
	if now.IsZero() {
		now = time.Now()
	}
	rules, err := newRules(next.Records, next.Settings, own, now)
	if err != nil {
		return nil, nil, err
	}
	served := maps.Collect(versions(old))
	if r.Follow { // the policy has admitted all of them already
		maps.Copy(served, all)
	}
	next.Packages = catalog.MergePackages(next.Packages, old.Packages)
	next.Counted = catalog.MergeCounted(next.Counted, old.Counted)
	next.Usage = catalog.MergeUsage(next.Usage, catalog.WithImported(old.Usage, nil))
	keepSeen(all, served, next.Packages)
	candidates := maps.Clone(all)
	excluded, _ := rules.exclude(all, served)
	next.Packages = keepFirstSeenOf(next.Packages, excluded, candidates)
	if !r.Follow { // otherwise the other gallery says when the files of versions go
		next.Dropped = rules.inGrace(catalog.MergeDropped(next.Dropped, old.Dropped))
	}
	next.Dropped = rules.dropped(next.Dropped, old, all, excluded)
	c := regroup(next, all)
	return c, excluded, r.Policy.check(old, c, excluded)
}

// keepSeen sets when each version was first seen to the earliest time that the version itself, the
// versions that are served, or the packages state.
func keepSeen(versions, served map[string]identified, packages []catalog.Package) {
	known := seenOf(packages)
	for _, x := range served {
		known[x.version.Package.Ref] = catalog.Earliest(known[x.version.Package.Ref], x.version.Seen)
	}
	for key, x := range versions {
		x.version = withSeen(x.version, catalog.Earliest(x.version.Seen, known[x.version.Package.Ref]))
		versions[key] = x
	}
}

// seenOf returns when packages were first seen, for those for which it is known.
func seenOf(packages []catalog.Package) map[blob.Ref]time.Time {
	seen := make(map[blob.Ref]time.Time)
	for _, p := range packages {
		if !p.Seen.IsZero() {
			seen[p.SHA256] = catalog.Earliest(seen[p.SHA256], p.Seen)
		}
	}
	return seen
}

// SameSeen reports whether the versions that are in both catalogues were first seen at the same
// time.
func SameSeen(a, b *catalog.Catalog) bool {
	seen := maps.Collect(a.Versions())
	for key, v := range b.Versions() {
		if other := seen[key]; other != nil && !other.Seen.Equal(v.Seen) {
			return false
		}
	}
	return true
}

// withSeen returns v, first seen at this time.
func withSeen(v *catalog.Version, seen time.Time) *catalog.Version {
	if v.Seen.Equal(seen) {
		return v
	}
	changed := *v
	changed.Seen = seen
	return &changed
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

// regroup returns c with these versions.
func regroup(c catalog.Catalog, versions map[string]identified) *catalog.Catalog {
	a := &assembly{catalog: &c}
	var empty *catalog.Asset
	if c.Sign == "empty" {
		empty = emptySignatureAsset()
	}
	for _, group := range groupByExtension(versions) {
		a.addExtension(group, empty, versions)
	}
	a.resolveUUIDs()
	return a.catalog
}
