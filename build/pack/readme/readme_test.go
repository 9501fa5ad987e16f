package readme

import (
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/pack/finding"
)

// rules pairs the beginnings of vsce's messages with texts in our findings.
var rules = []struct{ vsce, ours string }{
	{"It seems the README.md still contains template text.", "template text"},
	{"Couldn't detect the repository where this extension is published. The link '", "relative link "},
	{"Couldn't detect the repository where this extension is published. The image", "relative image "},
	{"Images in README.md must have a source.", "image has no source"},
	{"URI malformed", "broken percent escape"},
	{"Invalid image source in README.md: ", "is not an absolute address"},
	{"Images in README.md must come from an HTTPS source: ", "does not come over HTTPS"},
	{"SVGs are restricted in README.md; ", "is SVG from a host"},
	{"SVG tags are not allowed in README.md.", "do not show <svg>"},
}

// TestSamples compares the results with those recorded from vsce.
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
		t.Errorf("findings %q, want none", findings)
	case c.fail == "" && string(out) != c.out:
		t.Errorf("text\n%q\nwant\n%q", out, c.out)
	case c.fail != "" && !found(t, findings, c.fail):
		t.Errorf("findings %q, want one for %s", findings, c.fail)
	}
}

// found reports whether there is a finding for a message of vsce.
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
	t.Errorf("rules has no entry for the message %q", message)
	return false
}
