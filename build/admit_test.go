package build

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/decision"
)

// served returns a catalogue with a policy and three versions that were first seen on these days.
func served(policy string, days ...int) *catalog.Catalog {
	var all []*catalog.Version
	for i, day := range days {
		v := versionOf([]string{"1.0.0", "2.0.0", "3.0.0"}[i], []string{"A", "B", "C"}[i], "")
		v.Seen = now.AddDate(0, 0, day)
		all = append(all, v)
	}
	return catalogOf(catalog.Settings{Policy: policy}, all...)
}

// TestPolicyChange changes the policy of a gallery that serves versions 1.0.0 and 2.0.0 and gets
// one more, which may be too young or denied.
func TestPolicyChange(t *testing.T) {
	const denyOne, denyThree, week = `{"deny":["acme.hello@1.0.0"]}`, `{"deny":["acme.hello@3.0.0"]}`, `{"minimumAge":"7d"}`
	for name, tt := range map[string]struct {
		own    string
		change PolicyChange
		follow bool
		want   string // versions
		policy string
		taken  int // versions that the new policy would take away, which nobody has accepted
	}{
		"none":                     {"", PolicyChange{}, false, "1 2 3", "", 0},
		"it decides":               {denyThree, PolicyChange{}, false, "1 2", denyThree, 0},
		"too young":                {week, PolicyChange{}, false, "1 2", week, 0},
		"it takes versions away":   {"", PolicyChange{Text: denyOne}, false, "", "", 1},
		"that is accepted":         {"", PolicyChange{Text: denyOne, Accept: true}, false, "2 3", denyOne, 0},
		"it was there before":      {denyOne, PolicyChange{}, false, "2 3", denyOne, 0},
		"it is given again":        {denyOne, PolicyChange{Text: denyOne}, false, "2 3", denyOne, 0},
		"what is new is no matter": {"", PolicyChange{Text: denyThree}, false, "1 2", denyThree, 0},
		"dropped":                  {denyThree, PolicyChange{Drop: true}, false, "1 2 3", "", 0},
		"followed":                 {denyThree, PolicyChange{}, true, "1 2 3", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			old, more := served(tt.own, -30, -20), served("", -30, -20, -3)
			c, excluded, err := Receiver{Old: old, Policy: tt.change, Follow: tt.follow, Now: now}.Union(old, more)
			if tt.taken > 0 {
				refused, ok := errors.AsType[*PolicyError](err)
				if !ok || len(refused.Excluded) != tt.taken || refused.Excluded[0].Line != 1 || refused.Excluded[0].Rule != "deny" {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, v := range slices.Backward(c.Extensions[0].Versions) {
				got += " " + v.Version[:1]
			}
			if got != " "+tt.want || c.Policy != tt.policy || len(excluded) != 3-len(c.Extensions[0].Versions) {
				t.Errorf("versions%s under %q, without %+v", got, c.Policy, excluded)
			}
			if err := (MaxRemovals{set: true}).Check(old, c, excluded); err != nil {
				t.Error(err)
			}
			for _, x := range excluded {
				if !slices.ContainsFunc(c.Packages, func(p catalog.Package) bool { return p.ID == x.ID && !p.Seen.IsZero() }) {
					t.Errorf("it is forgotten when %s was first seen", x.ID)
				}
			}
		})
	}
}

// TestClockSetBack adds to galleries, with a clock that is earlier than when they let versions in.
func TestClockSetBack(t *testing.T) {
	const week = `{"minimumAge":"7d"}`
	old, more := served(week, -30, -20), served("", -30, -20, -25)
	for name, tt := range map[string]struct {
		change PolicyChange
		want   int
	}{
		"the same policy":        {PolicyChange{}, 2},
		"it is given again":      {PolicyChange{Text: week}, 2},
		"another policy decides": {PolicyChange{Text: `{"minimumAge":"8d"}`, Accept: true}, 0},
	} {
		c, _, err := Receiver{Old: old, Policy: tt.change, Now: now.AddDate(0, 0, -29)}.Union(old, more)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(maps.Collect(c.Versions())); got != tt.want {
			t.Errorf("%s: %d versions, want %d", name, got, tt.want)
		}
	}
}

// TestMergeSeen merges galleries that have seen the same package at different times, served it, or
// removed it. The earliest time is kept, in whatever order they are merged.
func TestMergeSeen(t *testing.T) {
	removed := served("", -20)
	records, err := decision.Add(nil, decision.Author{When: now}, decision.Removed, []catalog.Subject{{ID: catalog.ID{Extension: "acme.hello", Version: "1.0.0"}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	removed, _, err = Receiver{Old: removed, Now: now}.Decide(removed, records)
	if err != nil {
		t.Fatal(err)
	}
	restored := served("", -1)
	if restored.Records, err = decision.Add(records, decision.Author{When: now}, decision.Restored, []catalog.Subject{records[0].Subject}, ""); err != nil {
		t.Fatal(err)
	}
	all := []*catalog.Catalog{served("", -3), served("", -10), removed, restored}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 3, 0, 1}, {1, 3, 2, 0}, {0, 0, 3, 3, 1, 2, 2}} {
		merged := &catalog.Catalog{}
		for _, i := range order {
			if merged, _, err = (Receiver{Old: merged, Now: now}).Union(merged, all[i]); err != nil {
				t.Fatal(err)
			}
		}
		if got := merged.Extensions[0].Versions[0].Seen; !got.Equal(now.AddDate(0, 0, -20)) {
			t.Errorf("in the order %v, it was first seen %v", order, got)
		}
	}
}

// TestNextResult checks that the report of the last run is not used any more when the policy has
// another result.
func TestNextResult(t *testing.T) {
	h := header{origin: origin{Generation: "g"}, Report: &Report{}, Next: now}
	for at, want := range map[time.Duration]bool{-time.Second: true, 0: false, time.Hour: false} {
		if got := h.matches("g", h.Sources, now.Add(at)); got != want {
			t.Errorf("%v after the date: %t", at, got)
		}
	}
	if h.Next = (time.Time{}); !h.matches("g", h.Sources, now) {
		t.Error("without a date, it is not used")
	}
}
