package build

import (
	"testing"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/decision"
)

// TestDropped drops versions of a gallery that serves 1.0.0, 2.0.0 and 3.0.0 and had dropped 0.1.0
// ten days ago, and checks the files of which versions are still served.
func TestDropped(t *testing.T) {
	const last, week, none = `{"keep":{"last":1}}`, `{"keep":{"last":1,"grace":"7d"}}`, `{"keep":{"last":1,"grace":"0s"}}`
	before := now.AddDate(0, 0, -10)
	for name, tt := range map[string]struct {
		policy  string
		now     time.Time
		blocked string
		follow  bool // the policy and the date are those of the other gallery
		want    string
	}{
		"within the period":       {last, now, "", false, "0.1.0 1.0.0 2.0.0"},
		"just before its end":     {last, before.AddDate(0, 0, 30).Add(-time.Second), "", false, "0.1.0 1.0.0 2.0.0"},
		"at its end":              {last, before.AddDate(0, 0, 30), "", false, "1.0.0 2.0.0"},
		"a shorter period":        {week, now, "", false, "1.0.0 2.0.0"},
		"no period":               {none, now, "", false, ""},
		"no policy":               {"", now, "", false, ""},
		"no rule keep":            {`{"deny":["acme.other"]}`, now, "", false, ""},
		"blocked":                 {last, now, "acme.hello@0.1.0", false, "1.0.0 2.0.0"},
		"blocked when dropped":    {last, now, "acme.hello@1.0.0", false, "0.1.0 2.0.0"},
		"denied":                  {`{"keep":{"last":1},"deny":["acme.hello@0.1.0"]}`, now, "", false, "1.0.0 2.0.0"},
		"denied when dropped":     {`{"keep":{"last":1},"deny":["acme.hello@1.0.0"]}`, now, "", false, "0.1.0 2.0.0"},
		"a looser rule":           {`{"keep":{"last":2}}`, now, "", false, "0.1.0 1.0.0"},
		"the other gallery's end": {week, now, "", true, "0.1.0 1.0.0 2.0.0"},
	} {
		t.Run(name, func(t *testing.T) {
			old := served(tt.policy, -30, -20, -10)
			was := *versionOf("0.1.0", "Z", "")
			was.Publisher, was.Name = "acme", "hello"
			old.Dropped = []catalog.Dropped{{Since: before, Version: was}}
			if tt.blocked != "" {
				id, err := catalog.ParseID(tt.blocked)
				if err != nil {
					t.Fatal(err)
				}
				if old.Records, err = decision.Add(nil, decision.Author{}, decision.Blocked, []catalog.Subject{{ID: id}}, ""); err != nil {
					t.Fatal(err)
				}
			}
			c, _, err := Receiver{Old: old, Follow: tt.follow, Now: tt.now}.Decide(old, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, d := range c.Dropped {
				got += " " + d.Version.Version
				want := tt.now.UTC()
				if d.Version.Version == "0.1.0" {
					want = before
				}
				if !d.Since.Equal(want.Truncate(time.Second)) {
					t.Errorf("%s was dropped at %s, want %s", d.Key(), d.Since, want)
				}
			}
			if len(got) > 0 {
				got = got[1:]
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
