// Package policy reads the policy of a gallery: which versions may enter it, which of them it
// keeps, and how it presents extensions. The package does no I/O. README.md describes the file.
//
// All rules apply to each version, except those that compare versions. These see only the
// versions that no other rule keeps out:
//
//	deny, denyLists, allow, platforms, required, vet, required.approvals,
//	required.verdicts, limits of a version, minimumAge
//	▶ keep ▶ limits.versionsPerExtension ▶ limits.total
//
// A version is kept out by the first of these rules that applies, so the result does not depend on
// the order of the candidates.
package policy

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"aead.dev/minisign"

	"galbuild/build/catalog"
	"galbuild/build/jsonc"
)

// MaxText is the largest size of a policy in bytes, with the lists that it includes.
const MaxText = 1 << 20

// A Policy says which versions a gallery offers, and how it presents extensions.
type Policy struct {
	text []byte
	rules

	Featured    []string             // lower-case ids, in the order of the file
	Recommended []string             // lower-case ids, in the order of the file
	Deprecated  []Deprecation        // sorted by ID
	Publishers  map[string]Publisher // by lower-case name
	Search      Search
	Gallery     Gallery
	Collect     Collect

	Keys map[string]minisign.PublicKey // of those who sign approvals and verdicts, by name

	Ratings     map[string]catalog.Rating // by lower-case id; those of RatingsFile
	RatingsFile string                    // the path in the policy, or ""
	// RateURL is the address at which people rate an extension, with {id} in place of its id;
	// "" if there is none. See RateLink.
	RateURL string
}

// A Deprecation is what the policy says about a deprecated extension.
type Deprecation struct {
	ID     string // lower case
	Use    string // lower-case id of the replacement, or ""
	Reason string
}

// A Publisher is how the gallery presents a publisher.
type Publisher struct {
	DisplayName string
	Domain      string // such as https://acme.example; it counts as verified

	// Keys are those of the authors who may submit packages of the publisher to the inbox, by
	// name. What a revoked key has signed is refused, and reports still name the key.
	Keys, Revoked map[string]minisign.PublicKey
}

// AuthorKeys returns the keys that sign the submissions of a publisher, named in any case of
// letters, with the revoked ones.
func (p *Policy) AuthorKeys(publisher string) map[string]minisign.PublicKey {
	of := p.Publishers[strings.ToLower(publisher)]
	all := maps.Clone(of.Revoked)
	if all == nil {
		return of.Keys
	}
	maps.Copy(all, of.Keys)
	return all
}

// Search changes the results of searches. All texts are in lower case.
type Search struct {
	Pins     map[string][]string // the ids that come first, by the text of a search
	Synonyms [][]string          // words of which each finds what the others find
}

// A Candidate is a version that the policy decides about.
type Candidate struct {
	Key       string // see [catalog.Key]
	Extension *catalog.Extension
	Version   *catalog.Version
	Seen      time.Time // when the package was first seen; zero is now
	Published time.Time // as the upstream that it was collected from states it; zero if none does
	Size      int64     // of the package
	Licence   string    // SPDX expression; "" if it is not known
	Served    bool      // it is in the generation that is served
	Admitted  bool      // this policy has let it in before, so it is old enough
	// Listed is set for a package that an upstream lists and that was not downloaded yet. Rules
	// about the licence and the size (0 if it is not stated) apply only if the upstream states
	// them. If it states no date of publication, no minimum age applies: that of the gallery
	// counts from when the package was first seen.
	Listed bool

	Findings  []catalog.Finding // in its package, if it was vetted
	Approvals []string          // names of the keys of the policy whose approval is in force
	Verdicts  map[string]string // results that a key of the policy has signed, by scanner
}

// NewCandidate returns a version of an extension in a catalogue as a candidate.
func NewCandidate(key string, e *catalog.Extension, v *catalog.Version, served bool) Candidate {
	c := Candidate{Key: key, Extension: e, Version: v, Seen: v.Seen, Size: v.Package.Size, Licence: v.Licence, Served: served}
	if v.Published {
		c.Published = v.Updated
	}
	return c
}

// An Exclusion is a version that a rule keeps out.
type Exclusion struct {
	Key    string    `json:"id"`
	Rule   string    `json:"rule"`           // the key in the policy, such as "deny" or "limits.total"
	Line   int       `json:"line"`           // of the rule in the policy, counted from 1
	Detail string    `json:"detail"`         // a sentence without a period
	Until  time.Time `json:"until,omitzero"` // the version is offered from then on; zero if no date is known

	Quarantine bool              `json:"quarantine,omitempty"` // an approval lets it in
	Findings   []catalog.Finding `json:"findings,omitempty"`   // whose action is not off
}

// A Result is what a policy does to candidates.
type Result struct {
	Excluded []Exclusion // sorted by key
	Next     time.Time   // when the result changes although nothing else does; zero is never
}

// Parse parses a policy that includes the lists and the logo that it names. The name is for errors,
// which are one for each mistake, joined.
func Parse(name string, text []byte) (*Policy, error) {
	return Load(name, text, func(string) ([]byte, error) {
		return nil, errors.New("the file is not included, which galbuild does when it reads the policy from its file")
	})
}

// Load parses a policy, and includes the lists and the logo that it names. The function read
// returns the content of a file, given its path as in the policy. It is not called for what is
// included already.
func Load(name string, text []byte, read func(path string) ([]byte, error)) (*Policy, error) {
	d, root, err := newReader(name, text)
	if err != nil {
		return nil, err
	}
	p := &Policy{text: text}
	r := &reader{Reader: d, policy: p}
	r.readPolicy(root)
	lists, files := r.readLists(read), r.readLogo(read)
	if err := d.Err(); err != nil {
		return nil, err
	}
	p.text = include(text, root.Value, lists, files)
	if len(p.text) > MaxText {
		return nil, errTooLarge(name, len(p.text))
	}
	return p, nil
}

// newReader parses a text, which must be an object.
func newReader(name string, text []byte) (*jsonc.Reader, jsonc.Field, error) {
	if len(text) > MaxText {
		return nil, jsonc.Field{}, errTooLarge(name, len(text))
	}
	r, root, err := jsonc.NewReader(name, text)
	if err == nil && root.Value.Value.Kind() != '{' {
		err = fmt.Errorf(`%s:%d: want an object such as {"deny": ["acme.bad"]}, found %s`, name, root.Line, r.Show(root))
	}
	return r, root, err
}

func errTooLarge(name string, size int) error {
	return fmt.Errorf("%s: %d bytes with its lists and its logo, more than the limit of %d", name, size, MaxText)
}

// Text returns the policy as it was given, with comments. If lists or a logo were included, it has
// them on lines of their own before the last bracket, so that the lines of rules are those of the
// file.
func (p *Policy) Text() []byte { return p.text }
