package build

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/decision"
)

// An assembly is a catalogue while it is assembled.
type assembly struct {
	add        bool // versions are added to the gallery, and none is removed
	catalog    *catalog.Catalog
	candidates []candidate // assemble removes their versions; resolve refuses those that conflict
	cache      *cache
	added      []addition // versions whose content must be linked to its paths
	kept       []string   // keys of versions of the last generation that no accepted candidate has
	excluded   []Excluded // versions that decisions and the policy keep out
	next       time.Time  // when the policy will keep out other versions, see rules.exclude
	warnings   []Problem
	findings   []Found // in versions of which the policy warns
}

// An addition is a version, and the id of the extension in whose folder its content is.
type addition struct {
	publisher, name string
	version         *catalog.Version
}

// assemble makes the catalogue from the candidates, which are sorted by path, and from the
// versions of the last generation that stay. If keep is set, all of those stay. The records and
// packages of the last generation, last, always stay.
func (r *reader) assemble(candidates []candidate, last *catalog.Catalog, keep bool) (*assembly, error) {
	c := r.Config
	a := &assembly{candidates: candidates, add: c.Add, catalog: &catalog.Catalog{
		Settings: c.Settings, Records: mergeRecords(last.Records, candidates), Packages: last.Packages, Counted: last.Counted, Usage: last.Usage,
	}}
	chosen, accepted := a.resolve(r.old, keep)
	a.addVetted()
	keepSeen(chosen, r.old, last.Packages)
	if c.Restore {
		if err := a.restore(c.Author, chosen, accepted); err != nil {
			return nil, err
		}
	}
	if err := a.exclude(r, last, chosen, accepted); err != nil {
		return nil, err
	}
	if err := a.readAdmitted(r, chosen, accepted); err != nil {
		return nil, err
	}
	a.addPackages(chosen)
	a.cache = newCache(candidates, &knowledge{versions: chosen, packages: a.catalog.Packages})
	for i := range candidates {
		candidates[i].version = nil // to save memory; chosen has the versions that are still needed
	}
	empty, err := c.emptySignature()
	if err != nil {
		return nil, err
	}
	groups := groupByExtension(chosen)
	a.catalog.Extensions = slices.Grow(a.catalog.Extensions, len(groups))
	for _, group := range groups {
		a.addExtension(group, empty, r.old)
		clear(group)
	}
	a.resolveUUIDs()
	a.importStats(c)
	return a, nil
}

// restore undoes the decisions by which versions of candidates were removed.
func (a *assembly) restore(author decision.Author, chosen map[string]identified, accepted map[string]*candidate) error {
	set := decision.Of(a.catalog)
	var subjects []catalog.Subject
	for _, key := range slices.Sorted(maps.Keys(accepted)) {
		subjects = append(subjects, restorable(set, key, chosen[key].version)...)
	}
	if len(subjects) == 0 {
		return nil
	}
	var err error
	a.catalog.Records, err = decision.Add(a.catalog.Records, author, decision.Restored, subjects, "")
	return err
}

// exclude deletes the versions that decisions and the policy keep out, from chosen and from
// accepted, which has the candidates of the chosen versions. last is the last
// generation.
func (a *assembly) exclude(r *reader, last *catalog.Catalog, chosen map[string]identified, accepted map[string]*candidate) error {
	rules, err := newRules(a.catalog.Records, a.catalog.Settings, last.Policy, r.Now)
	if err != nil {
		return err
	}
	rules.packages = a.catalog.Packages
	all := maps.Clone(chosen)
	a.excluded, a.next = rules.exclude(chosen, r.old)
	a.warnFindings(rules.warned, accepted)
	a.catalog.Dropped = rules.dropped(rules.inGrace(last.Dropped), last, chosen, a.excluded)
	for _, d := range a.catalog.Dropped {
		a.next = catalog.Earliest(a.next, rules.endOf(d))
	}
	a.catalog.Packages = keepFirstSeenOf(a.catalog.Packages, a.excluded, all)
	for _, x := range a.excluded {
		if from := accepted[x.ID]; from != nil {
			from.excluded, from.accepted = &x, false
			delete(accepted, x.ID)
		}
	}
	for i := range a.candidates {
		if x := a.candidates[i].excluded; x != nil {
			a.excluded = append(a.excluded, *x)
		}
	}
	a.excluded = sortExcluded(a.excluded)
	a.kept = slices.DeleteFunc(a.kept, func(key string) bool { _, ok := chosen[key]; return !ok })
	return nil
}

// readAdmitted reads the packages that the policy admits now and kept out of the last generation.
// The site does not have their content.
func (a *assembly) readAdmitted(r *reader, chosen map[string]identified, accepted map[string]*candidate) error {
	for _, key := range slices.Sorted(maps.Keys(accepted)) {
		c := accepted[key]
		if !c.unstored {
			continue
		}
		known := c.version
		*c = candidate{listed: c.listed, item: c.item}
		if err := r.readOne(c.item, c); err != nil {
			return err
		}
		if c.refused == nil && (c.key() != key || c.version.Package.Ref != known.Package.Ref) {
			c.refused = errors.New("the file has changed while it was read")
		}
		if c.refused != nil {
			delete(chosen, key)
			continue
		}
		c.accepted = true
		version := withSeen(c.version, catalog.Earliest(known.Seen, c.version.Seen))
		chosen[key] = identified{publisher: c.publisher, name: c.name, version: version}
	}
	return nil
}

// groupByExtension returns the versions of each extension, sorted by id.
func groupByExtension(chosen map[string]identified) [][]identified {
	groups := make(map[string][]identified)
	for _, v := range chosen {
		id := strings.ToLower(v.publisher + "." + v.name)
		groups[id] = append(groups[id], v)
	}
	sorted := make([][]identified, 0, len(groups))
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		sorted = append(sorted, groups[id])
	}
	return sorted
}

// addExtension adds an extension with these versions to the catalogue. Its publisher and name
// are those of the newest version. If a catalogue had an extension with the same versions, the two
// share them, and comparing the catalogues takes less time.
func (a *assembly) addExtension(group []identified, empty *catalog.Asset, old map[string]identified) {
	e := sameExtension(group, empty)
	if e == nil {
		e = newExtension(group)
		for i := range e.Versions {
			a.addVersion(e, &e.Versions[i], empty, old)
		}
	}
	a.catalog.Extensions = append(a.catalog.Extensions, *e)
}

// sameExtension returns a copy of the extension of a catalogue that these versions are from, or nil
// if they are not all that it has, or have been replaced. The copy is what newExtension would
// return: its UUID is that before [assembly.resolveUUIDs].
func sameExtension(group []identified, empty *catalog.Asset) *catalog.Extension {
	from := group[0].extension
	if from == nil || len(from.Versions) != len(group) {
		return nil
	}
	for _, x := range group {
		if x.extension != from || x.version != &from.Versions[x.number] || !isSigned(x.version, empty) {
			return nil
		}
	}
	same := *from
	same.UUID = statedUUID(from)
	return &same
}

// newExtension returns an extension with these versions, which have the publisher and name that
// their packages declare. If the result changes, readingVersion must be raised: sameExtension uses
// what was derived from the same versions earlier.
func newExtension(group []identified) *catalog.Extension {
	e := &catalog.Extension{Versions: make([]catalog.Version, len(group))}
	for i, x := range group {
		v := *x.version
		v.Publisher, v.Name = x.publisher, x.name
		e.Versions[i] = v
	}
	catalog.SortVersions(e.Versions)
	newest := &e.Versions[0]
	e.Name = newest.Name
	e.Publisher = catalog.Publisher{ID: uuidOf(newest.Publisher), Name: newest.Publisher, DisplayName: newest.Publisher}
	e.UUID = statedUUID(e)
	applySidecars(e)
	setDates(e)
	return e
}

func (a *assembly) addVersion(e *catalog.Extension, v *catalog.Version, empty *catalog.Asset, old map[string]identified) {
	changed := sign(v, empty)
	previous, ok := old[catalog.Key(v.Publisher, v.Name, v.Version, v.Platform)]
	if changed || !ok || !sameFiles(previous.version, v) {
		a.added = append(a.added, addition{e.Publisher.Name, e.Name, v})
	}
	if v.Publisher == e.Publisher.Name {
		v.Publisher = ""
	}
	if v.Name == e.Name {
		v.Name = ""
	}
}

// sameFiles reports whether two versions have the same assets and files.
func sameFiles(a, b *catalog.Version) bool {
	return slices.Equal(a.Assets, b.Assets) && slices.Equal(a.Files, b.Files)
}

// statedUUID returns the UUID that the newest sidecar with one states, or else the generated one.
func statedUUID(e *catalog.Extension) string {
	for i := range e.Versions {
		if s := e.Versions[i].Sidecar; s != nil && s.ExtensionID != "" {
			return s.ExtensionID
		}
	}
	return uuidOf(e.ID())
}

// applySidecars fills in what the sidecars contain about the publisher, and the statistics. If
// several versions have a value, that of the newest one is used.
func applySidecars(e *catalog.Extension) {
	for i := len(e.Versions) - 1; i >= 0; i-- {
		if s := e.Versions[i].Sidecar; s != nil {
			applySidecar(e, s)
		}
	}
	e.SetStatistics()
}

func applySidecar(e *catalog.Extension, s *catalog.Sidecar) {
	if p := s.Publisher; p != nil {
		e.Publisher.ID = cmp.Or(p.PublisherID, e.Publisher.ID)
		e.Publisher.DisplayName = cmp.Or(p.DisplayName, e.Publisher.DisplayName)
		e.Publisher.Domain, e.Publisher.Verified = p.Domain, p.IsDomainVerified
	}
}
