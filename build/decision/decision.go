// Package decision defines what the decisions in a catalogue mean: which packages they keep out of
// a gallery, and what editors are told about them. It does no I/O.
//
// A decision is a [catalog.Record] of one of the kinds below. Decisions are never changed or
// deleted: a later one takes the place of an earlier one. So the decisions of two catalogues are
// merged as sets, and the result does not depend on who merges what in which order.
//
// Of the decisions about one subject, the one in force has the highest counter, which is one more
// than the highest that its author had seen. Two people who did not know of each other's decisions
// may use the same counter; then the stricter kind is in force, and among equals the one with the
// greater ID. Clocks play no part. Whether an extension is deprecated is another question than
// whether its packages are kept out, so that deprecating an extension does not unblock it.
//
// Several subjects can match one package: its extension, its version, its platform and its hash. It
// is kept out if the decision in force about any of them says so.
//
// Records of other kinds are attestations about a package: approvals by people and verdicts of
// scanners. They are signed, see [Attestations].
package decision

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

// Kinds of decisions.
const (
	Removed    = "removed"    // was in the gallery, and is kept out
	Blocked    = "blocked"    // is kept out, whether it was ever in the gallery or not
	Malicious  = "malicious"  // is kept out, and editors are told
	Deprecated = "deprecated" // stays, and editors are told
	Restored   = "restored"   // none of the earlier decisions about the subject is in force
)

// strictness orders the kinds. Kinds that are not decisions have none.
var strictness = map[string]int{Restored: 1, Deprecated: 2, Removed: 3, Blocked: 4, Malicious: 5}

// compare returns a positive number if a takes precedence over b. Both have the same subject.
func compare(a, b *catalog.Record) int {
	return cmp.Or(
		cmp.Compare(a.Counter, b.Counter),
		cmp.Compare(strictness[a.Kind], strictness[b.Kind]),
		bytes.Compare(a.ID[:], b.ID[:]),
	)
}

// Merge returns the union of two sets of records, sorted by ID. Of a record that is in both, it
// returns the one whose private part is known, with the signature that either of them has.
func Merge(a, b []catalog.Record) []catalog.Record {
	all := make(map[blob.Ref]catalog.Record, len(a)+len(b))
	for _, r := range slices.Concat(a, b) {
		if known, ok := all[r.ID]; ok {
			signature := mergeSignatures(r.Signature, known.Signature)
			if !preferred(&r, &known) {
				r = known
			}
			r.Signature = signature
		}
		all[r.ID] = r
	}
	return slices.SortedFunc(maps.Values(all), func(a, b catalog.Record) int { return bytes.Compare(a.ID[:], b.ID[:]) })
}

// mergeSignatures returns the signature that is not empty. Of two, it returns the first one in the
// order of texts, so that the result does not depend on the order of a and b.
func mergeSignatures(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return min(a, b)
}

// preferred reports whether Merge returns r and not other, which has the same ID. Records with the
// same ID are the same, unless one of them is forged. Then the choice does not depend on the order.
func preferred(r, other *catalog.Record) bool {
	if (r.Private == nil) != (other.Private == nil) {
		return r.Private != nil
	}
	return bytes.Compare(encode(r), encode(other)) < 0
}

// encode returns the parts of a record without its signature.
func encode(r *catalog.Record) []byte {
	unsigned := *r
	unsigned.Signature = ""
	public, _ := unsigned.MarshalJSON() // fails for no record that Read returns
	if r.Private == nil {
		return public
	}
	private, _ := r.Private.MarshalJSON()
	return append(public, private...)
}

// Includes reports whether all records of b are in a, and as much of their private parts and
// signatures.
func Includes(a, b []catalog.Record) bool {
	known := make(map[blob.Ref]*catalog.Record, len(a))
	for i := range a {
		known[a[i].ID] = &a[i]
	}
	for _, r := range b {
		own := known[r.ID]
		if own == nil || r.Private != nil && own.Private == nil || mergeSignatures(own.Signature, r.Signature) != own.Signature {
			return false
		}
	}
	return true
}

// Author is who makes a decision, why and when.
type Author struct {
	By, Reason string
	When       time.Time
}

// Add returns records with a new decision of a kind about each subject. The counter of the new ones
// is one more than the highest of the others. The last argument is for Deprecated only.
func Add(records []catalog.Record, a Author, kind string, subjects []catalog.Subject, use string) ([]catalog.Record, error) {
	var added []catalog.Record
	for _, s := range subjects {
		r := a.Record(catalog.Record{Kind: kind, Subject: s, Counter: nextCounter(records), Use: use})
		if err := Seal(&r, nil); err != nil {
			return nil, err
		}
		added = append(added, r)
	}
	return Merge(records, added), nil
}

// nextCounter returns the counter of a new record.
func nextCounter(records []catalog.Record) int64 {
	var counter int64
	for _, r := range records {
		counter = max(counter, r.Counter)
	}
	return counter + 1
}

// Record returns r with the author.
func (a Author) Record(r catalog.Record) catalog.Record {
	r.When = a.When.UTC().Truncate(time.Second)
	r.Private = &catalog.Private{By: a.By, Reason: a.Reason}
	return r
}

// Set has the decisions in force.
type Set struct {
	entry      map[string]*catalog.Record // whether packages are kept out, by text of the subject
	deprecated map[string]*catalog.Record // by text of the subject
	listed     map[string]bool            // ids and publishers in lower case that a control manifest lists as malicious
}

// Of returns the decisions in force in a catalogue. What the control manifest in its settings lists
// as malicious is kept out, too.
func Of(c *catalog.Catalog) *Set { return In(c.Records, c.Control) }

// In is Of for the records and the control manifest of a catalogue. The manifest may be nil.
func In(records []catalog.Record, control json.RawMessage) *Set {
	s := &Set{entry: make(map[string]*catalog.Record), deprecated: make(map[string]*catalog.Record), listed: make(map[string]bool)}
	for i := range records {
		r := &records[i]
		switch r.Kind {
		case Removed, Blocked, Malicious:
			prefer(s.entry, r)
		case Deprecated:
			prefer(s.deprecated, r)
		case Restored:
			prefer(s.entry, r)
			prefer(s.deprecated, r)
		}
	}
	for _, id := range catalog.Malicious(control) {
		s.listed[strings.ToLower(id)] = true
	}
	restored := func(_ string, r *catalog.Record) bool { return r.Kind == Restored }
	maps.DeleteFunc(s.entry, restored)
	maps.DeleteFunc(s.deprecated, restored)
	return s
}

func prefer(all map[string]*catalog.Record, r *catalog.Record) {
	subject := r.Subject.String()
	if other, ok := all[subject]; !ok || compare(r, other) > 0 {
		all[subject] = r
	}
}

// Out returns the decisions in force that keep a package out, the strictest first, or nil if there
// is none. A package has a [catalog.Key] and a hash, which may be zero. The decision of a control
// manifest has no ID and no time.
func (s *Set) Out(key string, ref blob.Ref) (out []*catalog.Record) {
	for _, subject := range Subjects(key, ref) {
		if r := s.entry[subject]; r != nil {
			out = append(out, r)
		}
	}
	id, _, _ := strings.Cut(key, "@")
	publisher, _, _ := strings.Cut(id, ".")
	if s.listed[id] || s.listed[publisher] {
		out = append(out, &catalog.Record{Kind: Malicious, Subject: catalog.Subject{ID: catalog.ID{Extension: id}}})
	}
	slices.SortStableFunc(out, func(a, b *catalog.Record) int { return strictness[b.Kind] - strictness[a.Kind] })
	return out
}

// Subjects returns the texts of all subjects that match a package: its extension, its version, its
// platform and its hash, which may be zero.
func Subjects(key string, ref blob.Ref) []string {
	id, rest, _ := strings.Cut(key, "@")
	version, platform, _ := strings.Cut(rest, "@")
	platform = cmp.Or(platform, catalog.Universal)
	subjects := []string{id, id + "@" + version, id + "@" + platform, id + "@" + version + "@" + platform}
	if !ref.IsZero() {
		subjects = append(subjects, catalog.Subject{SHA256: ref}.String())
	}
	return subjects
}

// IsEmpty reports whether the decisions keep nothing out.
func (s *Set) IsEmpty() bool { return len(s.entry)+len(s.listed) == 0 }

// About returns the decisions in force about exactly this subject, of which there are at most two.
func (s *Set) About(subject catalog.Subject) (all []*catalog.Record) {
	for _, m := range []map[string]*catalog.Record{s.entry, s.deprecated} {
		if r := m[subject.String()]; r != nil {
			all = append(all, r)
		}
	}
	return all
}

// All returns the decisions in force, sorted by subject.
func (s *Set) All() []*catalog.Record {
	all := slices.AppendSeq(slices.Collect(maps.Values(s.entry)), maps.Values(s.deprecated))
	slices.SortFunc(all, func(a, b *catalog.Record) int {
		return cmp.Or(strings.Compare(a.Subject.String(), b.Subject.String()), strictness[b.Kind]-strictness[a.Kind])
	})
	return all
}
