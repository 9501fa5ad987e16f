package decision

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"aead.dev/minisign"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

// Kinds of attestations. Their subject is the hash of a package. They keep nothing out; a policy
// can require approvals and verdicts. They count if they are signed with a key of the policy. A
// revocation needs no signature, because it only makes the gallery stricter.
const (
	Approved  = "approved"  // somebody has looked at the package and lets it in
	Revoked   = "revoked"   // none of the earlier approvals of the package is in force
	Verdict   = "verdict"   // the result of a scanner
	Submitted = "submitted" // an author has submitted the package to the inbox; approves nothing
)

// Results of a [Verdict].
const (
	Clean  = "clean"
	Found  = "found"  // the scanner has found something
	Failed = "failed" // the scanner could not scan the package
)

// severity orders the results of verdicts. Results that this program does not know are as bad as
// the worst one.
var severity = map[string]int{Clean: 1, Failed: 2}

// IsAttestation reports whether a record is an attestation about the hash of a package.
func IsAttestation(r *catalog.Record) bool {
	return slices.Contains([]string{Approved, Revoked, Verdict, Submitted}, r.Kind) && !r.Subject.SHA256.IsZero()
}

// Seal sets the ID of a record, which is complete otherwise, and signs it unless the key is nil.
// The signature has no date, so that it is always the same.
func Seal(r *catalog.Record, key *minisign.PrivateKey) (err error) {
	if key != nil {
		r.Key = fmt.Sprintf("%016X", key.ID())
	}
	if r.ID, err = r.Identity(); err == nil && key != nil {
		err = sign(r, key)
	}
	return cmp.Or(err, r.Check())
}

func sign(r *catalog.Record, key *minisign.PrivateKey) error {
	text, err := r.SignedText()
	if err != nil {
		return err
	}
	r.Signature = string(minisign.SignWithComments(*key, text, "", "record of galbuild"))
	return nil
}

// Attest returns records with a new one like r about each package, by an author. The new ones are
// signed unless the key is nil.
func Attest(records []catalog.Record, a Author, r catalog.Record, packages []blob.Ref, key *minisign.PrivateKey) ([]catalog.Record, error) {
	r = a.Record(r)
	r.Counter = nextCounter(records)
	var added []catalog.Record
	for _, ref := range packages {
		r.Subject = catalog.Subject{SHA256: ref}
		if err := Seal(&r, key); err != nil {
			return nil, err
		}
		added = append(added, r)
	}
	return Merge(records, added), nil
}

// SignState says what is known about the signature of a record.
type SignState string

// States of signatures.
const (
	Unsigned   SignState = "none"
	UnknownKey SignState = "unknown key" // none of the keys has made it, or the record was changed
	Valid      SignState = "valid"
)

// Verify returns the state of the signature of a record, and the name of the key if it is valid. A
// record whose parts do not match its ID has no valid signature.
func Verify(r *catalog.Record, keys map[string]minisign.PublicKey) (state SignState, name string) {
	if r.Signature == "" {
		return Unsigned, ""
	}
	text, err := r.SignedText()
	if err != nil || checkParts(r) != nil {
		return UnknownKey, ""
	}
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		if minisign.Verify(keys[name], text, []byte(r.Signature)) {
			return Valid, name
		}
	}
	return UnknownKey, ""
}

// checkParts refuses a record whose private part is known and does not match its ID.
func checkParts(r *catalog.Record) error {
	if r.Private == nil {
		return nil
	}
	if id, err := r.Identity(); err != nil || id != r.ID {
		return cmp.Or(err, errors.New("the parts of the record do not match its id"))
	}
	return nil
}

// Attestations are the approvals and verdicts in force whose signatures are valid.
type Attestations struct {
	approvals map[blob.Ref][]string // sorted names of the keys, by package
	verdicts  map[verdictOf]*catalog.Record
}

// verdictOf is what a verdict is about.
type verdictOf struct {
	sha256  blob.Ref
	scanner string
}

// NewAttestations returns what records say about packages, with signatures by these keys.
func NewAttestations(records []catalog.Record, keys map[string]minisign.PublicKey) *Attestations {
	v := &Attestations{make(map[blob.Ref][]string), make(map[verdictOf]*catalog.Record)}
	revoked := Revocations(records)
	for i := range records {
		r := &records[i]
		if !IsAttestation(r) || r.Kind != Approved && r.Kind != Verdict {
			continue
		}
		state, name := Verify(r, keys)
		switch {
		case state != Valid:
		case r.Kind == Verdict:
			v.addVerdict(r)
		case !revoked[r.Subject.SHA256].Ends(r):
			v.approvals[r.Subject.SHA256] = append(v.approvals[r.Subject.SHA256], name)
		}
	}
	for ref, names := range v.approvals {
		slices.Sort(names)
		v.approvals[ref] = slices.Compact(names)
	}
	return v
}

// A Revocation says which approvals of a package are not in force: those with a counter up to its
// own, and those that were made before it. The counters of records next to a package start with 1,
// whatever those of a gallery are, so the counters alone do not say what is later.
type Revocation struct {
	Counter int64
	When    time.Time
}

// Ends reports whether an approval is not in force.
func (w Revocation) Ends(r *catalog.Record) bool {
	return r.Counter <= w.Counter || r.When.Before(w.When)
}

// Revocations returns the revocations of approvals, by package. Of several, it returns the highest
// counter and the latest time.
func Revocations(records []catalog.Record) map[blob.Ref]Revocation {
	all := make(map[blob.Ref]Revocation)
	for i := range records {
		r := &records[i]
		if r.Kind != Revoked || !IsAttestation(r) {
			continue
		}
		w := all[r.Subject.SHA256]
		w.Counter = max(w.Counter, r.Counter)
		if r.When.After(w.When) {
			w.When = r.When
		}
		all[r.Subject.SHA256] = w
	}
	return all
}

// addVerdict keeps the later one of two verdicts of a scanner, and the worse one if neither is
// later.
func (v *Attestations) addVerdict(r *catalog.Record) {
	key := verdictOf{r.Subject.SHA256, r.Scanner}
	other := v.verdicts[key]
	if other == nil || cmp.Or(
		r.When.Compare(other.When), cmp.Compare(r.Counter, other.Counter), cmp.Compare(rank(r.Result), rank(other.Result)),
		bytes.Compare(r.ID[:], other.ID[:]),
	) > 0 {
		v.verdicts[key] = r
	}
}

func rank(result string) int { return cmp.Or(severity[result], len(severity)+1) }

// Approvals returns the names of the keys that have approved a package, sorted.
func (v *Attestations) Approvals(sha256 blob.Ref) []string { return v.approvals[sha256] }

// Verdict returns the result of a scanner for a package, or "" if there is none.
func (v *Attestations) Verdict(sha256 blob.Ref, scanner string) string {
	if r := v.verdicts[verdictOf{sha256, scanner}]; r != nil {
		return r.Result
	}
	return ""
}
