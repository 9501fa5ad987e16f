package build

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
)

// viewed is a gallery with acme.hello 1.0.0 to 3.0.0, and settings and records that a view has in
// part.
func viewed(t *testing.T) *catalog.Catalog {
	t.Helper()
	c := served(`{"deny":["acme.other"]}`, -30, -20, -10)
	c.BaseURL, c.ContentURL, c.Sign = "https://gallery.example", "https://files.example", "empty"
	c.Featured = []string{"acme.gone", "acme.hello"}
	c.Companions = []catalog.Companion{{Path: "a", SHA256: blob.Sum(nil)}}
	c.Usage = []catalog.Usage{{ID: "acme.gone", Imported: &catalog.Imported{}}, {ID: "acme.hello", Imported: &catalog.Imported{}}}
	c.Counted = []catalog.CountedFile{{File: "x"}}
	var err error
	if c.Records, err = decision.Add(nil, decision.Author{By: "alice", Reason: "secret"}, decision.Blocked, []catalog.Subject{{ID: catalog.ID{Extension: "acme.evil"}}}, ""); err != nil {
		t.Fatal(err)
	}
	c.Packages = []catalog.Package{{SHA256: blob.Sum(nil), ID: "acme.hello@1.0.0"}}
	return c
}

func keysOf(c *catalog.Catalog) string {
	var keys []string
	for key := range c.Served() {
		keys = append(keys, strings.TrimPrefix(key, "acme.hello@"))
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

// TestView makes views with policies, and checks which versions they have.
func TestView(t *testing.T) {
	blocked := func(c *catalog.Catalog) { // as the catalogue of a gallery that has lost a decision
		id, _ := catalog.ParseID("acme.hello@2.0.0")
		c.Records, _ = decision.Add(c.Records, decision.Author{}, decision.Blocked, []catalog.Subject{{ID: id}}, "")
	}
	drop := func(c *catalog.Catalog) {
		v := *versionOf("0.1.0", "Z", "")
		v.Publisher, v.Name = "acme", "hello"
		c.Dropped = []catalog.Dropped{{Since: now.AddDate(0, 0, -1), Version: v}}
	}
	for name, x := range map[string]struct {
		policy string
		change func(of *catalog.Catalog)
		old    func(c *catalog.Catalog) // changes the view before; nil if there is none
		want   string
		out    string
	}{
		"everything":           {policy: "", want: "1.0.0 2.0.0 3.0.0"},
		"a version is denied":  {policy: `{"deny":["acme.hello@2.0.0"]}`, want: "1.0.0 3.0.0", out: "acme.hello@2.0.0 policy"},
		"nothing is allowed":   {policy: `{"allow":{"globex":true}}`, want: "", out: "acme.hello@1.0.0 policy acme.hello@2.0.0 policy acme.hello@3.0.0 policy"},
		"too young":            {policy: `{"minimumAge":"15d"}`, want: "1.0.0 2.0.0", out: "acme.hello@3.0.0 policy"},
		"decision":             {policy: "", change: blocked, want: "1.0.0 3.0.0", out: "acme.hello@2.0.0 blocked"},
		"keeps the newest":     {policy: `{"keep":{"last":1}}`, want: "3.0.0", out: "acme.hello@1.0.0 policy acme.hello@2.0.0 policy"},
		"dropped by the site":  {policy: "", change: drop, old: func(c *catalog.Catalog) { *c = *served("", -30, -20, -10); drop(c) }, want: "0.1.0 1.0.0 2.0.0 3.0.0"},
		"never in the view":    {policy: "", change: drop, old: func(c *catalog.Catalog) { *c = *served("", -30, -20, -10) }, want: "1.0.0 2.0.0 3.0.0"},
		"dropped with another": {policy: `{"deny":["acme.x"]}`, change: drop, old: func(c *catalog.Catalog) { *c = *served("", -30, -20, -10); drop(c) }, want: "1.0.0 2.0.0 3.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			of, old := viewed(t), new(catalog.Catalog)
			if x.change != nil {
				x.change(of)
			}
			if x.old != nil {
				x.old(old)
			}
			c, excluded, err := View(of, ViewConfig{Policy: PolicyChange{Text: x.policy, Drop: x.policy == ""}, Now: now, Old: old})
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, e := range excluded {
				out = append(out, e.ID+" "+e.Kind)
			}
			if got := keysOf(c); got != x.want || strings.Join(out, " ") != x.out {
				t.Errorf("has %q, keeps out %q; want %q and %q", got, out, x.want, x.out)
			}
		})
	}
}

// TestViewSettings checks what of a gallery is in a view besides versions.
func TestViewSettings(t *testing.T) {
	of := viewed(t)
	c, _, err := View(of, ViewConfig{Render: 7, Policy: PolicyChange{Text: `{"deny":["acme.x"]}`}, Now: now, Old: new(catalog.Catalog)})
	if err != nil {
		t.Fatal(err)
	}
	want := catalog.Settings{Render: 7, View: true, Sign: "empty", Unpack: of.Unpack, Policy: `{"deny":["acme.x"]}`, Featured: []string{"acme.hello"}}
	if changed := Changed(c.Settings, want); len(changed) > 0 || c.Render != 7 {
		t.Errorf("settings %v differ: %+v", changed, c.Settings)
	}
	if len(c.Usage) != 1 || c.Usage[0].ID != "acme.hello" || len(c.Counted) > 0 {
		t.Errorf("statistics %+v, counted %+v: want those of acme.hello only", c.Usage, c.Counted)
	}
	if c.HasPrivate() || len(c.Records) != 1 || c.Records[0].ID != of.Records[0].ID || of.Records[0].Private == nil {
		t.Errorf("records %+v: want the public part only, and the gallery's unchanged", c.Records)
	}
	if again, _, err := View(of, ViewConfig{Render: 7, Now: now, Old: c}); err != nil || again.Policy != c.Policy {
		t.Errorf("made again without a policy, it has %q, %v", again.Policy, err)
	}
}

// TestViewRefused checks that a policy does not take versions out unless that is accepted, and that
// one with the rule vet needs to know what was found.
func TestViewRefused(t *testing.T) {
	old := served(`{"deny":["acme.x"]}`, -30, -20, -10)
	stricter := PolicyChange{Text: `{"deny":["acme.hello@1.0.0"]}`}
	_, _, err := View(viewed(t), ViewConfig{Policy: stricter, Now: now, Old: old})
	if refused, ok := errors.AsType[*PolicyError](err); !ok || len(refused.Excluded) != 1 {
		t.Errorf("not accepted: %v", err)
	}
	stricter.Accept = true
	if c, _, err := View(viewed(t), ViewConfig{Policy: stricter, Now: now, Old: old}); err != nil || keysOf(c) != "2.0.0 3.0.0" {
		t.Errorf("accepted: %v", err)
	}
	vets := PolicyChange{Text: `{"vet":{"high":"refuse"}}`}
	if _, _, err := View(viewed(t), ViewConfig{Policy: vets, Now: now, Old: new(catalog.Catalog)}); !errors.Is(err, ErrNotVetted) {
		t.Errorf("not vetted: %v", err)
	}
}

func TestAbsent(t *testing.T) {
	view, of := served("", -30, -20, -10), served("", -30, -20, -10)
	if got := Absent(view, of); len(got) > 0 {
		t.Errorf("the same: %v", got)
	}
	of.Extensions[0].Versions = of.Extensions[0].Versions[:2]
	of.Extensions[0].Versions[0].Package.Ref = blob.Sum([]byte("other"))
	want := []string{"acme.hello@1.0.0", "acme.hello@3.0.0"}
	if got := Absent(view, of); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
