package catalog

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	json2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Vetted is what package vet has found in a package. The policy of the gallery decides what to do
// about it.
type Vetted struct {
	Version  int       `json:"version"`            // of the rules, from 1 on
	Findings []Finding `json:"findings,omitempty"` // in the order of the rules
	// Profile is what the next version of the extension is compared with, in the form of the
	// version of the rules.
	Profile jsontext.Value `json:"profile,omitempty"`
}

// Finding is what a rule has seen in a package. It is not a verdict.
type Finding struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`           // low, medium or high
	Detail   string `json:"detail"`             // a sentence without a period
	File     string `json:"file,omitempty"`     // path in the package
	Line     int    `json:"line,omitempty"`     // counted from 1
	Evidence string `json:"evidence,omitempty"` // the bytes in question, printable and shortened
}

// String returns what was found and where.
func (f *Finding) String() string {
	text := f.Detail
	if f.File != "" {
		text += " (" + f.File
		if f.Line > 0 {
			text += fmt.Sprintf(":%d", f.Line)
		}
		text += ")"
	}
	if f.Evidence != "" {
		text += ": " + f.Evidence
	}
	return text
}

// Limits of what is kept about a package.
const (
	MaxFindings = 200
	MaxProfile  = 64 << 10 // bytes
	maxRule     = 60       // bytes
	MaxFinding  = 1000     // bytes of each of its texts
)

// Severities returns the severities of findings, the highest one first.
func Severities() []string { return []string{"high", "medium", "low"} }

func (v *Vetted) check() error {
	switch {
	case v == nil:
		return nil
	case v.Version < 1:
		return fmt.Errorf("vetted: version: want at least 1, found %d", v.Version)
	case len(v.Findings) > MaxFindings:
		return fmt.Errorf("vetted: at most %d findings are allowed, found %d", MaxFindings, len(v.Findings))
	case len(v.Profile) > MaxProfile:
		return fmt.Errorf("vetted: profile: want at most %d bytes, found %d", MaxProfile, len(v.Profile))
	}
	for i := range v.Findings {
		if err := v.Findings[i].check(); err != nil {
			return err
		}
	}
	return nil
}

func (f *Finding) check() error {
	if !IsRule(f.Rule) || !slices.Contains(Severities(), f.Severity) || f.Line < 0 {
		return fmt.Errorf("finding: want a rule, a severity and a line, found %.100q, %.100q and %d", f.Rule, f.Severity, f.Line)
	}
	for _, text := range []string{f.Detail, f.File, f.Evidence} {
		if len(text) > MaxFinding || !isPlain(text) {
			return fmt.Errorf("finding of %s: want at most %d bytes without control characters, found %.200q", f.Rule, MaxFinding, text)
		}
	}
	return nil
}

// IsRule reports whether s can be the name of a rule that finds something: lower-case letters,
// digits and '-'.
func IsRule(s string) bool {
	return s != "" && len(s) <= maxRule && !strings.ContainsFunc(s, func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' })
}

// preferVetted returns the result of the later rules. Of two results of the same rules, it returns
// the one with the greater text, so that the choice does not depend on the order.
func preferVetted(a, b *Vetted) *Vetted {
	switch {
	case a == nil || b == nil || a.Version != b.Version:
		if a == nil || b != nil && b.Version > a.Version {
			return b
		}
		return a
	case bytes.Compare(a.text(), b.text()) < 0:
		return b
	}
	return a
}

// sameVetted reports whether a and b, which may be nil, say the same.
func sameVetted(a, b *Vetted) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a == b || bytes.Equal(a.text(), b.text())
}

func (v *Vetted) text() []byte {
	text, _ := json2.Marshal(v, json2.Deterministic(true)) // fails for nothing that check accepts
	return text
}
