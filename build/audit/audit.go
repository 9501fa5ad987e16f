// Package audit reports which versions a gallery has ever served, from when to when, where they
// came from, and what was decided about them. It also compares two galleries. It reads no files.
//
// Which versions were served is in the history of a site or target, whose entries name what each
// generation added and removed. The rest is in the catalogue and in its private file.
package audit

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/history"
)

// Report is the report on a gallery. Its lists are never nil.
type Report struct {
	Target     string     `json:"target"`
	Generation string     `json:"generation"`        // the current one
	History    *Moment    `json:"history,omitempty"` // when it became current; nil if the history is not known
	Complete   bool       `json:"complete"`          // whether the private file and the history could be read
	Versions   []Version  `json:"versions"`          // sorted by id; those that are served, and those that were or are kept out
	Decisions  []Decision `json:"decisions"`         // sorted by counter
}

// Version is a package, identified by its id and its hash.
type Version struct {
	ID      string           `json:"id"` // catalog.Key
	SHA256  blob.Ref         `json:"sha256"`
	Served  bool             `json:"served"`
	First   *Moment          `json:"first,omitempty"`  // the first generation with it; nil if that is not known
	Last    *Moment          `json:"last,omitempty"`   // the last generation with it; nil if that is not known
	Until   time.Time        `json:"until,omitzero"`   // when it was removed
	Bytes   int64            `json:"bytes,omitempty"`  // of the package, if it is served
	Updated time.Time        `json:"updated,omitzero"` // as in the catalogue, if it is served
	Seen    time.Time        `json:"seen,omitzero"`    // when it was first seen, if that is known
	Licence string           `json:"licence"`          // SPDX expression; "" if it is not known
	Signed  bool             `json:"signed"`           // with a genuine signature
	Sources []catalog.Source `json:"sources"`          // where it came from
	// Decisions are the ids of all decisions about it, in the order of those of the report.
	Decisions []blob.Ref `json:"decisions"`
	// Bundled are the npm packages in it. They are in the bill of materials only.
	Bundled []catalog.Bundled `json:"-"`
}

// Moment is a generation that became current.
type Moment struct {
	Number     int64     `json:"number"` // of its entry in the history
	When       time.Time `json:"when"`
	Generation string    `json:"generation"`
}

// Decision is a decision, in force or not.
type Decision struct {
	ID      blob.Ref  `json:"id"`
	Kind    string    `json:"kind"`
	Subject string    `json:"subject"`
	Counter int64     `json:"counter"`
	When    time.Time `json:"when"`
	Use     string    `json:"use,omitempty"`
	By      string    `json:"by,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	InForce bool      `json:"inForce"` // only of an attestation: whether it is in force

	Attestation bool               `json:"-"`                   // it is an approval, a revocation of approvals, or a verdict
	Scanner     string             `json:"scanner,omitempty"`   // of a verdict
	Result      string             `json:"result,omitempty"`    // of a verdict
	Output      string             `json:"output,omitempty"`    // of a verdict
	Key         string             `json:"key,omitempty"`       // the ID of the key that has signed it
	Signature   decision.SignState `json:"signature,omitempty"` // of an attestation, by the keys of the policy
	SignedBy    string             `json:"signedBy,omitempty"`  // the name of the key in the policy
}

// New returns the report on a gallery with a catalogue. The entries are those of its history, the
// first one first; there may be none.
func New(c *catalog.Catalog, entries []*history.Entry) *Report {
	r := &Report{Decisions: Decisions(c), Versions: []Version{}}
	all := make(accounts)
	for _, e := range entries {
		all.apply(e, r.History)
		r.History = &Moment{e.Number, e.When, e.Generation}
	}
	for _, p := range c.Packages {
		v := all.version(p.ID, p.SHA256)
		v.Sources, v.Licence, v.Signed, v.Seen = append(v.Sources, p.Sources...), p.Licence, p.Signed, p.Seen
		v.Bundled = p.Bundled
	}
	for key, served := range c.Versions() {
		v := all.version(key, served.Package.Ref)
		v.Served, v.Last = true, r.History
		v.Bytes, v.Updated, v.Licence, v.Signed = served.Package.Size, served.Updated, served.Licence, served.Signed
		v.Seen = catalog.Earliest(v.Seen, served.Seen)
	}
	about := make(map[string][]int) // indexes of decisions by subject
	for i, d := range r.Decisions {
		about[d.Subject] = append(about[d.Subject], i)
	}
	for _, v := range all {
		var indexes []int
		for _, subject := range decision.Subjects(v.ID, v.SHA256) {
			indexes = append(indexes, about[subject]...)
		}
		slices.Sort(indexes)
		for _, i := range indexes {
			v.Decisions = append(v.Decisions, r.Decisions[i].ID)
		}
		r.Versions = append(r.Versions, *v)
	}
	slices.SortFunc(r.Versions, func(a, b Version) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), slices.Compare(a.SHA256[:], b.SHA256[:]))
	})
	return r
}

// accounts are versions by id and hash.
type accounts map[history.Change]*Version

func (a accounts) version(id string, ref blob.Ref) *Version {
	key := history.Change{Key: id, SHA256: ref}
	v, ok := a[key]
	if !ok {
		v = &Version{ID: id, SHA256: ref, Sources: []catalog.Source{}, Decisions: []blob.Ref{}}
		a[key] = v
	}
	return v
}

// apply applies what a generation has added and removed. The generation before it is nil for the
// first one.
func (a accounts) apply(e *history.Entry, before *Moment) {
	for _, x := range e.Removed {
		v := a.version(x.Key, x.SHA256)
		v.Last, v.Until = before, e.When
	}
	for _, x := range e.Added {
		v := a.version(x.Key, x.SHA256)
		v.Last, v.Until = nil, time.Time{}
		if v.First == nil {
			v.First = &Moment{e.Number, e.When, e.Generation}
		}
	}
}

// Decisions returns the decisions of a catalogue in the order in which they were made: by counter,
// and then by time and id. The list is not nil.
func Decisions(c *catalog.Catalog) []Decision {
	inForce := make(map[blob.Ref]bool)
	for _, r := range decision.In(c.Records, nil).All() {
		inForce[r.ID] = true
	}
	keys, revoked := newSigners(c), decision.Revocations(c.Records)
	all := make([]Decision, len(c.Records))
	for i := range c.Records {
		r := &c.Records[i]
		d := Decision{
			ID: r.ID, Kind: r.Kind, Subject: r.Subject.String(), Counter: r.Counter, When: r.When, Use: r.Use, InForce: inForce[r.ID],
			Scanner: r.Scanner, Result: r.Result, Key: r.Key,
		}
		if p := r.Private; p != nil {
			d.By, d.Reason, d.Output = p.By, p.Reason, p.Output
		}
		if d.Attestation = decision.IsAttestation(r); d.Attestation {
			d.Signature, d.SignedBy = decision.Verify(r, keys.of(r))
			last := revoked[r.Subject.SHA256]
			d.InForce = d.Signature == decision.Valid && (r.Kind != decision.Approved || !last.Ends(r)) || r.Kind == decision.Revoked && (r.Counter == last.Counter || r.When.Equal(last.When))
		}
		all[i] = d
	}
	slices.SortFunc(all, func(a, b Decision) int {
		return cmp.Or(cmp.Compare(a.Counter, b.Counter), a.When.Compare(b.When), slices.Compare(a.ID[:], b.ID[:]))
	})
	return all
}
