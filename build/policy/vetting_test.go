package policy

import (
	"slices"
	"strings"
	"testing"

	"galbuild/build/catalog"
)

func finds(rule, severity string) func(*Candidate) {
	return func(c *Candidate) {
		c.Findings = append(c.Findings, catalog.Finding{Rule: rule, Severity: severity, Detail: "something", File: "extension/a.js", Line: 3})
	}
}

func approvedBy(names ...string) func(*Candidate) { return func(c *Candidate) { c.Approvals = names } }
func admitted(c *Candidate)                       { c.Admitted = true }
func verdict(scanner, result string) func(*Candidate) {
	return func(c *Candidate) { c.Verdicts = map[string]string{scanner: result} }
}

// TestVet checks what follows from findings, approvals and verdicts.
func TestVet(t *testing.T) {
	const vet = `{"vet": {"high": "quarantine", "medium": "warn", "rules": {"a": "refuse", "b": "off", "c": "quarantine"},
		"except": {"acme.x": ["a"], "Acme.y@1.0.0": ["*"], "other": ["new"]}}}`
	keys := `"keys": {"alice": "` + aliceKey + `", "bob": "` + bobKey + `"}`
	for _, test := range []struct {
		name, policy string
		version      Candidate
		want         string // rule, "quarantine" or not, and detail; "" if it may enter
		action       Action
		left         []string // rules of the findings from which anything follows
	}{
		{"nothing found", vet, candidate("acme.a@1.0.0"), "", Off, nil},
		{"not vetted", `{}`, candidate("acme.a@1.0.0", finds("new", "high")), "", Off, nil},
		{"high", vet, candidate("acme.a@1.0.0", finds("new", "high")), "vet.new quarantine: something (extension/a.js:3)", Quarantine, []string{"new"}},
		{"approved", vet, candidate("acme.a@1.0.0", finds("new", "high"), approvedBy("alice")), "", Warn, []string{"new"}},
		{"medium", vet, candidate("acme.a@1.0.0", finds("new", "medium")), "", Warn, []string{"new"}},
		{"low", vet, candidate("acme.a@1.0.0", finds("new", "low")), "", Off, nil},
		{"refused by rule", vet, candidate("acme.a@1.0.0", finds("new", "high"), finds("a", "low")), "vet.a out: something (extension/a.js:3)", Refuse, []string{"new", "a"}},
		{"refused although approved", vet, candidate("acme.a@1.0.0", finds("a", "low"), approvedBy("alice", "bob")), "vet.a out: something (extension/a.js:3)", Refuse, []string{"a"}},
		{"rule is off", vet, candidate("acme.a@1.0.0", finds("b", "high")), "", Off, nil},
		{"rule of low severity", vet, candidate("acme.a@1.0.0", finds("c", "low")), "vet.c quarantine: something (extension/a.js:3)", Quarantine, []string{"c"}},
		{"except an extension", vet, candidate("acme.x@1.0.0", finds("a", "high")), "", Off, nil},
		{"except only that rule", vet, candidate("acme.x@1.0.0", finds("new", "high")), "vet.new quarantine: something (extension/a.js:3)", Quarantine, []string{"new"}},
		{"except a version", vet, candidate("acme.y@1.0.0@web", finds("new", "high"), finds("a", "high")), "", Off, nil},
		{"except another version", vet, candidate("acme.y@1.0.1", finds("new", "high")), "vet.new quarantine: something (extension/a.js:3)", Quarantine, []string{"new"}},
		{"except a publisher", vet, candidate("other.y@1.0.1", finds("new", "high")), "", Off, nil},
		{"let in before", vet, candidate("acme.a@1.0.0", finds("a", "high"), admitted), "", Warn, []string{"a"}},
		{"approvals", `{"required": {"approvals": 2}, ` + keys + `}`, candidate("acme.a@1.0.0", approvedBy("alice"), admitted),
			"required.approvals out: the package has 1 of the 2 approvals that it needs", Off, nil},
		{"enough approvals", `{"required": {"approvals": 2}, ` + keys + `}`, candidate("acme.a@1.0.0", approvedBy("alice", "bob")), "", Off, nil},
		{"verdicts", `{"required": {"verdicts": ["clamav"]}, ` + keys + `}`, candidate("acme.a@1.0.0", verdict("yara", "clean")),
			"required.verdicts out: the package has no signed verdict of clamav", Off, nil},
		{"verdict found", `{"required": {"verdicts": ["clamav"]}, ` + keys + `}`, candidate("acme.a@1.0.0", verdict("clamav", "found")),
			`required.verdicts out: the verdict of clamav is "found"`, Off, nil},
		{"clean", `{"required": {"verdicts": ["clamav"]}, ` + keys + `}`, candidate("acme.a@1.0.0", verdict("clamav", "clean")), "", Off, nil},
		{"quarantine before approvals", strings.Replace(vet, "{", `{"required": {"approvals": 1}, `+keys+`, `, 1), candidate("acme.a@1.0.0", finds("new", "high")),
			"vet.new quarantine: something (extension/a.js:3)", Quarantine, []string{"new"}},
	} {
		p := parse(t, test.policy)
		got := ""
		for _, x := range p.Evaluate([]Candidate{test.version}, now).Excluded {
			how := " out"
			if x.Quarantine {
				how = " quarantine"
			}
			got = x.Rule + how + ": " + x.Detail
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
		action, findings := p.Vet(&test.version)
		var left []string
		for _, f := range findings {
			left = append(left, f.Rule)
		}
		if action != test.action || !slices.Equal(left, test.left) {
			t.Errorf("%s: got %s and %q, want %s and %q", test.name, action, left, test.action, test.left)
		}
	}
}

// TestVets checks when packages must be vetted.
func TestVets(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`: false, `{"vet": {}}`: false, `{"vet": {"high": "off", "rules": {"a": "off"}}}`: false,
		`{"vet": {"low": "warn"}}`: true, `{"vet": {"rules": {"a": "quarantine"}}}`: true,
	} {
		if got := parse(t, text).Vets(); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}
