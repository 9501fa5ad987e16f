// Package vet looks for signs of malice in packages, without running them and without a network.
// Its callers give it the content of the files; only RunScanner runs a program.
//
//	package ─ Scanner ▶ Result{Findings, Profile} ─ Compare with the Profile of the one before
//	ids of the gallery and popular ids ─ LookAlikes ▶ Findings
//
// A finding is what a rule has seen, with its evidence; it is not a verdict. The policy
// of the gallery decides what to do about a finding, by its severity and its rule. A
// check that could not be made is a finding, too.
package vet

import (
	"fmt"
)

// Severity orders findings.
type Severity int

// Severities.
const (
	Low    Severity = iota + 1 // worth knowing; most such packages are harmless
	Medium                     // unusual; somebody should look
	High                       // hardly ever in a harmless package
)

var severities = [...]string{Low: "low", Medium: "medium", High: "high"}

// String returns low, medium or high.
func (s Severity) String() string {
	if s < Low || s > High {
		return fmt.Sprintf("severity %d", int(s))
	}
	return severities[s]
}

// MarshalText implements [encoding.TextMarshaler].
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Severity) UnmarshalText(text []byte) error {
	for i, name := range severities {
		if name != "" && name == string(text) {
			*s = Severity(i)
			return nil
		}
	}
	return fmt.Errorf("want low, medium or high, found %.40q", text)
}

// A Finding is what a rule has seen in a package.
type Finding struct {
	Rule     string   `json:"rule"` // the ID of a Rule
	Severity Severity `json:"severity"`
	Detail   string   `json:"detail"`             // a sentence without a period
	File     string   `json:"file,omitempty"`     // path in the package
	Line     int      `json:"line,omitempty"`     // counted from 1
	Evidence string   `json:"evidence,omitempty"` // the bytes in question, printable and shortened
}

// A Rule is something that is looked for.
type Rule struct {
	ID       string   `json:"id"`       // such as hidden-characters
	Severity Severity `json:"severity"` // of its findings, at most
	Summary  string   `json:"summary"`  // one sentence
}
