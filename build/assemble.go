package build

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

// An assembly is a catalogue in the making.
type assembly struct {
	add        bool // to what is there
	catalog    *catalog.Catalog
	candidates []candidate // with refused set for those that conflict, without their versions
	memory     *memory
	added      []addition // versions whose content needs its paths
	kept       []string   // keys of old versions that are not among the candidates taken
	warnings   []Problem
}

// An addition is a version and the identity it is filed under.
type addition struct {
	publisher, name string
	version         *catalog.Version
}

// known is a version of a catalogue, with the identity it declared.
type known struct {
	publisher, name string
	version         *catalog.Version
}

// versions returns all versions of c by catalog.Key.
func versions(c *catalog.Catalog) iter.Seq2[string, known] {
	return func(yield func(string, known) bool) {
		for i := range c.Extensions {
			e := &c.Extensions[i]
			for key, v := range e.Keyed() {
				if !yield(key, known{cmp.Or(v.Publisher, e.Publisher.Name), cmp.Or(v.Name, e.Name), v}) {
					return
				}
			}
		}
	}
}

// assemble makes the catalogue out of the candidates, and the old versions that
// stay: all of them if keep is set. Candidates come sorted by path, so the first of two that conflict is
// the same in every run.
func assemble(c Config, candidates []candidate, old map[string]known, keep bool) (*assembly, error) {
	a := &assembly{candidates: candidates, catalog: &catalog.Catalog{Settings: c.Settings}, add: c.Add}
	chosen := a.choose(old, keep)
	a.memory = remember(candidates)
	for i := range candidates {
		candidates[i].version = nil // what is chosen is held there, until it is copied
	}
	empty, err := c.emptySignature()
	if err != nil {
		return nil, err
	}
	groups := groupByExtension(chosen)
	a.catalog.Extensions = slices.Grow(a.catalog.Extensions, len(groups))
	for _, group := range groups {
		a.addExtension(group, empty, old)
		clear(group)
	}
	a.settleUUIDs()
	return a, nil
}

// choose returns the versions that make up the gallery, by key.
func (a *assembly) choose(old map[string]known, keep bool) map[string]known {
	chosen := make(map[string]known)
	from := make(map[string]string)     // key to file
	contested := make(map[string]known) // old versions that a file would replace, or held before it went bad
	holder := make(map[string]*candidate)
	for i := range a.candidates {
		c := &a.candidates[i]
		if c.refused != nil {
			if was, ok := old[c.before]; ok {
				contested[c.before] = was
			}
			continue
		}
		key := c.key()
		was, ok := old[key]
		if ok && was.version.Package.Ref == c.version.Package.Ref && c.version.FirstSeen && was.version.FirstSeen {
			c.version.Updated = was.version.Updated // first seen is first seen: touching the file does not move it
		}
		if ok && was.version.Package.Ref != c.version.Package.Ref {
			c.refused = fmt.Errorf("%s is in the gallery already with other bytes (SHA-256 %.12s…, this file has %.12s…); "+
				"editors never ask twice for a version they have: give it a new one, or build once without it", key, was.version.Package.Ref, c.version.Package.Ref)
			contested[key] = was
			continue
		}
		first, twice := chosen[key]
		switch {
		case ok && a.add && knowsMore(was.version, c.version):
			chosen[key] = was
			from[key], holder[key] = c.item.Name, c
		case twice && first.version.Package.Ref != c.version.Package.Ref:
			c.refused = fmt.Errorf("%s again with other bytes: %s has it too, and is taken", key, from[key])
		case !twice, first.version.Sidecar == nil && c.version.Sidecar != nil: // the same package: who knows more
			chosen[key] = known{c.publisher, c.name, c.version}
			from[key], holder[key] = c.item.Name, c
		}
	}
	for _, c := range holder {
		c.taken = true
	}
	if keep {
		contested = old
	}
	for key, was := range contested {
		if _, ok := chosen[key]; !ok {
			chosen[key] = was
			a.kept = append(a.kept, key)
		}
	}
	a.markStays()
	return chosen
}

// markStays marks the candidates that are refused for what they hold, and whose version
// stays in the gallery.
func (a *assembly) markStays() {
	kept := make(map[string]bool, len(a.kept))
	for _, key := range a.kept {
		kept[key] = true
	}
	for i := range a.candidates {
		c := &a.candidates[i]
		conflict := c.version != nil && !c.version.Package.Ref.IsZero()
		c.stays = c.refused != nil && !conflict && !c.unreadable() && kept[c.before]
	}
}

// groupByExtension returns the versions of each extension, sorted by id.
func groupByExtension(chosen map[string]known) [][]known {
	groups := make(map[string][]known)
	for _, k := range chosen {
		id := strings.ToLower(k.publisher + "." + k.name)
		groups[id] = append(groups[id], k)
	}
	sorted := make([][]known, 0, len(groups))
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		sorted = append(sorted, groups[id])
	}
	return sorted
}

// addExtension makes one extension out of its versions.
func (a *assembly) addExtension(group []known, empty *catalog.Asset, old map[string]known) {
	e := catalog.Extension{Versions: make([]catalog.Version, len(group))}
	for i, k := range group {
		v := *k.version
		v.Publisher, v.Name = k.publisher, k.name
		e.Versions[i] = v
	}
	catalog.SortVersions(e.Versions)
	newest := &e.Versions[0]
	e.Name = newest.Name
	e.Publisher = catalog.Publisher{ID: uuidOf(newest.Publisher), Name: newest.Publisher, DisplayName: newest.Publisher}
	e.UUID = uuidOf(newest.Publisher + "." + newest.Name)
	applySidecars(&e)
	for i := range e.Versions {
		a.addVersion(&e, &e.Versions[i], empty, old)
	}
	a.catalog.Extensions = append(a.catalog.Extensions, e)
}

func (a *assembly) addVersion(e *catalog.Extension, v *catalog.Version, empty *catalog.Asset, old map[string]known) {
	changed := sign(v, empty)
	was, ok := old[catalog.Key(v.Publisher, v.Name, v.Version, v.Platform)]
	if changed || !ok || !sameContent(was.version, v) {
		a.added = append(a.added, addition{e.Publisher.Name, e.Name, v})
	}
	if v.Publisher == e.Publisher.Name {
		v.Publisher = ""
	}
	if v.Name == e.Name {
		v.Name = ""
	}
}

// sameContent tells whether the site has the content of b, because it has that
// of a.
func sameContent(a, b *catalog.Version) bool {
	return slices.Equal(a.Assets, b.Assets) && slices.Equal(a.Files, b.Files)
}

// applySidecars fills in what the upstream gallery knew, and what follows from
// the dates of the versions where it knew nothing. The newest version that has
// something to say is believed.
func applySidecars(e *catalog.Extension) {
	for i := len(e.Versions) - 1; i >= 0; i-- {
		if s := e.Versions[i].Sidecar; s != nil {
			applySidecar(e, s)
		}
	}
	for _, v := range e.Versions {
		released, published := v.Updated, v.Updated
		if s := v.Sidecar; s != nil {
			released = date(s.ReleaseDate, s.PublishedDate, released)
			published = date(s.PublishedDate, s.ReleaseDate, published)
		}
		e.Released = earlier(e.Released, released)
		e.Published = earlier(e.Published, published)
		if v.Updated.After(e.Updated) {
			e.Updated = v.Updated
		}
	}
}

func applySidecar(e *catalog.Extension, s *catalog.Sidecar) {
	e.UUID = cmp.Or(s.ExtensionID, e.UUID)
	if p := s.Publisher; p != nil {
		e.Publisher.ID = cmp.Or(p.PublisherID, e.Publisher.ID)
		e.Publisher.DisplayName = cmp.Or(p.DisplayName, e.Publisher.DisplayName)
		e.Publisher.Domain, e.Publisher.Verified = p.Domain, p.IsDomainVerified
	}
	if s.Statistics != nil {
		e.Statistics = s.Statistics
	}
}

func date(first, second *time.Time, last time.Time) time.Time {
	if first != nil {
		return *first
	}
	if second != nil {
		return *second
	}
	return last
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// setDate dates a version: by its sidecar, else by the newest file the packager
// put into it, else by when the package was first seen, which is its file's own
// date.
func setDate(v *catalog.Version, packed, seen time.Time) {
	v.Updated, v.FirstSeen = packed.UTC().Truncate(time.Second), false
	if packed.IsZero() {
		v.Updated, v.FirstSeen = seen.UTC().Truncate(time.Second), true
	}
	if s := v.Sidecar; s != nil && s.LastUpdated != nil {
		v.Updated, v.FirstSeen = *s.LastUpdated, false
	}
}

// namespace is that of all UUIDs made here. It must never change: editors keep
// an extension's UUID with the installed copy, and know it by that.
var namespace = uuid.MustParse("5a8c6d1e-3f0b-4d5e-9a57-6f2b1c0e7d43")

// uuidOf returns the UUIDv5 of a publisher, or of publisher.name, whatever the
// case of its letters.
func uuidOf(id string) string {
	return uuid.NewSHA1(namespace, []byte(strings.ToLower(id))).String()
}

// settleUUIDs gives every extension a UUID of its own: to editors, two with the
// same one are the same extension.
func (a *assembly) settleUUIDs() {
	owner := make(map[string]string)
	for i := range a.catalog.Extensions { // nobody can be given another's own
		id := a.catalog.Extensions[i].ID()
		owner[uuidOf(id)] = id
	}
	for i := range a.catalog.Extensions {
		e := &a.catalog.Extensions[i]
		if first, taken := owner[e.UUID]; taken && first != e.ID() {
			reason := fmt.Errorf("sidecars give it the extensionId %s of %s; it gets one of its own", e.UUID, first)
			a.warnings = append(a.warnings, Problem{e.ID(), reason.Error()})
			e.UUID = uuidOf(e.ID())
		}
		owner[e.UUID] = e.ID()
	}
}

// emptySignature stores the archive that --sign empty lists; nil without it.
func (c Config) emptySignature() (*catalog.Asset, error) {
	switch c.Settings.Sign {
	case "":
		return nil, nil
	case "empty":
	default:
		return nil, errors.New("sign: only \"empty\" is known")
	}
	if _, err := c.Site.Blobs.PutBytes(emptySignature()); err != nil {
		return nil, err
	}
	return emptySignatureAsset(), nil
}

func emptySignatureAsset() *catalog.Asset {
	archive := emptySignature()
	asset := signatureAsset(blob.Sum(archive), len(archive))
	return &asset
}
