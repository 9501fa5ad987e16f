package readme

import (
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/pack/finding"
)

// rules pairs the beginning of vsce's messages with what our findings say.
var rules = []struct{ vsce, ours string }{
	{"It seems the README.md still contains template text.", "template text"},
	{"Couldn't detect the repository where this extension is published. The link '", "relative link "},
	{"Couldn't detect the repository where this extension is published. The image", "relative image "},
	{"Images in README.md must have a source.", "image has no source"},
	{"URI malformed", "broken percent escape"},
	{"Invalid image source in README.md: ", "is not an absolute address"},
	{"Images in README.md must come from an HTTPS source: ", "does not come over HTTPS"},
	{"SVGs are restricted in README.md; ", "is SVG from a host"},
	{"SVG tags are not allowed in README.md.", "no <svg>"},
}

// TestSamples compares with what the real vsce did.
func TestSamples(t *testing.T) {
	total := 0
	for _, file := range caseFiles(t) {
		for _, c := range readCases(t, file) {
			total++
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+c.name, func(t *testing.T) { c.compare(t) })
		}
	}
	if total < 120 {
		t.Errorf("%d samples, want at least 120", total)
	}
}

func (c sample) compare(t *testing.T) {
	out, findings := Rewrite("README.md", []byte(c.in), c.options)
	switch {
	case c.fail == "" && len(findings) > 0:
		t.Errorf("findings %q, vsce has none", findings)
	case c.fail == "" && string(out) != c.out:
		t.Errorf("text\n%q\nwant vsce's\n%q", out, c.out)
	case c.fail != "" && !found(t, findings, c.fail):
		t.Errorf("findings %q, want what vsce says: %s", findings, c.fail)
	}
}

// found tells whether one of the findings is by the rule of vsce's message.
func found(t *testing.T, findings []finding.Finding, message string) bool {
	for _, r := range rules {
		if !strings.HasPrefix(message, r.vsce) {
			continue
		}
		for _, f := range findings {
			if strings.Contains(f.What, r.ours) && !f.Warning {
				return true
			}
		}
		return false
	}
	t.Errorf("vsce's message %q is in none of the rules", message)
	return false
}
