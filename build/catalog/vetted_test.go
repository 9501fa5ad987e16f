package catalog

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"galbuild/build/blob"
)

func vettedPackage(v *Vetted) Package {
	return Package{SHA256: blob.Sum(nil), ID: "acme.hello@1.0.0", Vetted: v}
}

// TestMergeVetted checks that the result of later rules is kept, in any order.
func TestMergeVetted(t *testing.T) {
	first := &Vetted{Version: 1, Findings: []Finding{{Rule: "a", Severity: "low"}}}
	same := &Vetted{Version: 1, Findings: []Finding{{Rule: "a", Severity: "low"}}}
	greater := &Vetted{Version: 1, Findings: []Finding{{Rule: "b", Severity: "low"}}}
	later := &Vetted{Version: 2}
	for _, test := range []struct{ a, b, want *Vetted }{
		{nil, nil, nil}, {first, nil, first}, {first, same, first}, {first, greater, greater}, {greater, later, later},
	} {
		a, b := vettedPackage(test.a), vettedPackage(test.b)
		for _, got := range []Package{a.merge(b), b.merge(a)} {
			if !sameVetted(got.Vetted, test.want) {
				t.Errorf("%+v and %+v: got %+v", test.a, test.b, got.Vetted)
			}
			if !IncludesPackages([]Package{got}, []Package{a}) || !IncludesPackages([]Package{got}, []Package{b}) {
				t.Errorf("%+v and %+v: the union does not include both", test.a, test.b)
			}
		}
		if want := sameVetted(a.merge(b).Vetted, test.a); IncludesPackages([]Package{a}, []Package{b}) != want {
			t.Errorf("%+v includes %+v: want %v", test.a, test.b, want)
		}
	}
}

func TestVettedCheck(t *testing.T) {
	for want, v := range map[string]*Vetted{
		"":             {Version: 1, Findings: []Finding{{Rule: "new-host", Severity: "high", Detail: "it’s new", File: "a.js", Line: 1}}, Profile: jsontext.Value(`{"size":1}`)},
		"version":      {},
		"findings are": {Version: 1, Findings: make([]Finding, MaxFindings+1)},
		"profile":      {Version: 1, Profile: bytes.Repeat([]byte("1"), MaxProfile+1)},
		"want a rule":  {Version: 1, Findings: []Finding{{Rule: "New", Severity: "high"}}},
		"a severity":   {Version: 1, Findings: []Finding{{Rule: "new", Severity: "urgent"}}},
		"control":      {Version: 1, Findings: []Finding{{Rule: "new", Severity: "high", Evidence: "\x1b[2J"}}},
		"at most 1000": {Version: 1, Findings: []Finding{{Rule: "new", Severity: "high", Detail: strings.Repeat("x", MaxFinding+1)}}},
	} {
		p := vettedPackage(v)
		if err := p.Check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestFindingString(t *testing.T) {
	for want, f := range map[string]Finding{
		"it is new":                     {Detail: "it is new"},
		"it is new (a.js)":              {Detail: "it is new", File: "a.js"},
		"it is new (a.js:3): evil.test": {Detail: "it is new", File: "a.js", Line: 3, Evidence: "evil.test"},
	} {
		if got := f.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
