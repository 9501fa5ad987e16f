package policy

import (
	"slices"
	"testing"
	"time"
)

// TestCheckListed checks the rules for packages that an upstream lists: what it does not state
// excludes nothing.
func TestCheckListed(t *testing.T) {
	p := parse(t, `{
		"required": {"licence": ["MIT"]}, "minimumAge": "7d", "limits": {"packageSize": "1kB", "total": "10B"}, "keep": {"last": 1}
	}`)
	listed := func(c *Candidate) { c.Listed, c.Seen, c.Size = true, time.Time{}, 0 }
	for _, test := range []struct {
		name   string
		change func(*Candidate)
		want   string // the rule
	}{
		{"nothing is stated", func(*Candidate) {}, ""},
		{"an accepted licence", licence("MIT"), ""},
		{"another licence", licence("GPL-3.0-only"), "required.licence"},
		{"old enough", published(daysAgo(7)), ""},
		{"too young", published(daysAgo(6)), "minimumAge"},
		{"small enough, though not for the limit of all", size(1000), ""},
		{"too large", size(1001), "limits.packageSize"},
		{"not listed", func(c *Candidate) { c.Listed = false }, "required.licence"},
		{"not listed and never seen", func(c *Candidate) { c.Listed, c.Licence = false, "MIT" }, "minimumAge"},
	} {
		x, excluded := p.Check(candidate("acme.a@1.0.0", listed, test.change), now)
		if x.Rule != test.want || excluded != (test.want != "") {
			t.Errorf("%s: got %v, want %q", test.name, x, test.want)
		}
	}
}

func TestCollect(t *testing.T) {
	if p := parse(t, `{}`); p.Collect.Packs || p.Platforms() != nil {
		t.Errorf("without keys: %+v, %q", p.Collect, p.Platforms())
	}
	p := parse(t, `{"collect": {"packs": true}, "platforms": ["web", "universal", "linux-x64"]}`)
	if want := []string{"web", "linux-x64"}; !p.Collect.Packs || !slices.Equal(p.Platforms(), want) {
		t.Errorf("%+v, %q, want packs and %q", p.Collect, p.Platforms(), want)
	}
}
