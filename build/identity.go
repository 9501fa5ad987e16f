package build

import (
	"cmp"
	"fmt"
	"iter"
	"strings"

	"github.com/google/uuid"

	"galbuild/build/catalog"
)

// An identified version is a version with the publisher and name that its package declares.
type identified struct {
	publisher, name string
	version         *catalog.Version
	// The version was Versions[number] of this extension of a catalogue; nil if it is new. If
	// version has been replaced since, it points to another place.
	extension *catalog.Extension
	number    int
}

// versions yields all versions of c with their [catalog.Key].
func versions(c *catalog.Catalog) iter.Seq2[string, identified] {
	return func(yield func(string, identified) bool) {
		for i := range c.Extensions {
			e := &c.Extensions[i]
			number := 0
			for key, v := range e.Keyed() {
				if !yield(key, identified{cmp.Or(v.Publisher, e.Publisher.Name), cmp.Or(v.Name, e.Name), v, e, number}) {
					return
				}
				number++
			}
		}
	}
}

// A resolution decides which versions are in the gallery. All its maps are by key.
type resolution struct {
	add      bool                  // versions are added to the gallery, and none is removed
	old      map[string]identified // versions of the last generation
	chosen   map[string]identified
	accepted map[string]*candidate // the candidates of chosen
	// disputed are the versions of the last generation that a refused candidate would replace,
	// or that a file contained before it became invalid. They stay in the gallery.
	disputed map[string]identified
}

// resolve returns the versions of the gallery by key: those of the candidates that are not
// refused, and the versions of the last generation that stay. If keep is set, all of those stay.
// Candidates with a version that is in the gallery with different content are refused. Since
// candidates are sorted by path, every run resolves a conflict the same way. It also returns the
// candidates that are accepted.
func (a *assembly) resolve(old map[string]identified, keep bool) (map[string]identified, map[string]*candidate) {
	r := &resolution{
		add: a.add, old: old, chosen: make(map[string]identified, len(a.candidates)),
		accepted: make(map[string]*candidate, len(a.candidates)), disputed: make(map[string]identified),
	}
	for i := range a.candidates {
		r.addCandidate(&a.candidates[i])
	}
	for _, c := range r.accepted {
		c.accepted = true
	}
	stay := r.disputed
	if keep {
		stay = old
	}
	for key, previous := range stay {
		if _, ok := r.chosen[key]; !ok {
			r.chosen[key] = previous
			a.kept = append(a.kept, key)
		}
	}
	a.markKept()
	return r.chosen, r.accepted
}

// addCandidate applies the rules of identity to one candidate.
func (r *resolution) addCandidate(c *candidate) {
	if c.excluded != nil { // as in the last run
		return
	}
	if c.refused != nil {
		if previous, ok := r.old[c.previousKey]; ok {
			r.disputed[c.previousKey] = previous
		}
		return
	}
	key := c.key()
	if r.refuseChanged(key, c) || r.refuseSecond(key, c) {
		return
	}
	c.keepFirstSeen(r.old)
	r.choose(key, c)
}

// refuseChanged is the first rule: the content of a version never changes. It refuses a
// candidate whose version was in the last generation with different content, and reports
// whether it did.
func (r *resolution) refuseChanged(key string, c *candidate) bool {
	previous, ok := r.old[key]
	if !ok || sameContent(previous.version, c.version) {
		return false
	}
	c.refused = fmt.Errorf("%s is in the gallery already with different content (SHA-256 %.12s…, this file has %.12s…); "+
		"editors that have this version do not download it again; give the package a new version, or build once without it",
		key, previous.version.Package.Ref, c.version.Package.Ref)
	r.disputed[key], c.previousKey = previous, key
	return true
}

// refuseSecond is the second rule: of two candidates with the same version and different
// content, the first one is accepted. It refuses the second one, and reports whether it did.
func (r *resolution) refuseSecond(key string, c *candidate) bool {
	first, ok := r.chosen[key]
	if !ok || sameContent(first.version, c.version) {
		return false
	}
	c.refused = fmt.Errorf("%s is also in %s with different content, and that file is used", key, r.accepted[key].item.Name)
	return true
}

// choose is the third rule: of candidates with the same content, one with a sidecar is
// accepted, else the first one. A version that is added again keeps its sidecar.
func (r *resolution) choose(key string, c *candidate) {
	previous, ok := r.old[key]
	first, duplicate := r.chosen[key]
	switch {
	case ok && r.add && losesSidecar(previous.version, c.version):
		r.chosen[key], r.accepted[key] = previous, c
	case !duplicate, losesSidecar(c.version, first.version):
		r.chosen[key], r.accepted[key] = c.identified(previous), c
	}
}

// identified returns the version of the candidate. It is previous, the version of the last
// generation, if the package was not read.
func (c *candidate) identified(previous identified) identified {
	if c.version == previous.version {
		return previous
	}
	return identified{publisher: c.publisher, name: c.name, version: c.version}
}

// sameContent reports whether two versions have the same package.
func sameContent(a, b *catalog.Version) bool { return a.Package.Ref == b.Package.Ref }

// losesSidecar reports whether to would lack the sidecar that from, the same package, has.
// Without its sidecar, an extension may get another UUID and lose its dates.
func losesSidecar(from, to *catalog.Version) bool {
	return sameContent(from, to) && from.Sidecar != nil && to.Sidecar == nil
}

// markKept marks the candidates that are refused because of their content while their version
// stays in the gallery.
func (a *assembly) markKept() {
	kept := make(map[string]bool, len(a.kept))
	for _, key := range a.kept {
		kept[key] = true
	}
	for i := range a.candidates {
		c := &a.candidates[i]
		conflict := c.version != nil && !c.version.Package.Ref.IsZero()
		c.kept = c.refused != nil && !conflict && !c.unreadable() && kept[c.previousKey]
	}
}

// namespace is the namespace of all UUIDs that galbuild generates. It must never change:
// editors save the UUID of an extension with the installed copy, and identify it by that.
var namespace = uuid.MustParse("5a8c6d1e-3f0b-4d5e-9a57-6f2b1c0e7d43")

// uuidOf returns the UUIDv5 of a publisher, or of publisher.name, in any case of letters.
func uuidOf(id string) string {
	return uuid.NewSHA1(namespace, []byte(strings.ToLower(id))).String()
}

// resolveUUIDs gives every extension a different UUID. Two extensions with the same UUID are
// one extension to editors.
func (a *assembly) resolveUUIDs() {
	owner := make(map[string]string)
	for i := range a.catalog.Extensions { // a sidecar cannot take the generated UUID of another extension
		id := a.catalog.Extensions[i].ID()
		owner[uuidOf(id)] = id
	}
	for i := range a.catalog.Extensions {
		e := &a.catalog.Extensions[i]
		if first, taken := owner[e.UUID]; taken && first != e.ID() {
			a.warnings = append(a.warnings, Problem{File: e.ID(),
				Reason: fmt.Sprintf("its sidecars have the extensionId %s of %s; a generated one is used instead", e.UUID, first)})
			e.UUID = uuidOf(e.ID())
		}
		owner[e.UUID] = e.ID()
	}
}
