package decision

import (
	"encoding/json"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/policy"
)

func TestControl(t *testing.T) {
	gallery := []catalog.Extension{
		{Publisher: catalog.Publisher{Name: "Acme"}, Name: "New", Versions: []catalog.Version{{Version: "2.0.0", DisplayName: "Acme New"}}},
		{Publisher: catalog.Publisher{Name: "acme"}, Name: "notes", Versions: []catalog.Version{{Version: "1.10.0"}, {Version: "1.2.0"}}},
	}
	for name, test := range map[string]struct {
		control   string
		decisions []catalog.Record
		want      string
	}{
		"neither":              {"", nil, ""},
		"only a file":          {`{"x":1,"malicious":["a.b"]}`, nil, `{"malicious":["a.b"],"x":1}`},
		"kinds without effect": {"", records(t, decided{"acme.notes", Removed, 1}, decided{"acme.x", Blocked, 1}), ""},
		"malicious":            {"", records(t, decided{"acme.evil", Malicious, 1}), `{"malicious":["acme.evil"]}`},
		"both": {`{"malicious":["Acme.Evil","worse"],"search":[]}`, records(t, decided{"acme.evil", Malicious, 1}, decided{"acme.bad", Malicious, 1}),
			`{"malicious":["Acme.Evil","worse","acme.bad"],"search":[]}`},
		"restored": {"", records(t, decided{"acme.evil", Malicious, 1}, decided{"acme.evil", Restored, 2}), ""},
		"versions": {`{"autoUpdate":{"Acme.Notes":"1.0.0","acme.x":"1.0.0"}}`, records(t, decided{"acme.notes@1.9.0", Malicious, 1}, decided{"acme.notes@1.8.0@web", Malicious, 1}),
			`{"autoUpdate":{"acme.notes":"1.9.0","acme.x":"1.0.0"},"malicious":[]}`},
		"no newer version": {"", records(t, decided{"acme.notes@1.10.0", Malicious, 1}, decided{"acme.gone@1.0.0", Malicious, 1}), ""},
		"hash":             {"", records(t, decided{"sha256:0000000000000000000000000000000000000000000000000000000000000001", Malicious, 1}), ""},
		"deprecated": {`{"deprecated":{"Acme.Old":true,"acme.x":false}}`, use(records(t, decided{"acme.old", Deprecated, 1}), "acme.new"),
			`{"deprecated":{"acme.old":{"extension":{"id":"Acme.New","displayName":"Acme New"}},"acme.x":false},"malicious":[]}`},
		"replacement elsewhere": {"", use(records(t, decided{"acme.old", Deprecated, 1}), "other.x"),
			`{"deprecated":{"acme.old":{"extension":{"id":"other.x","displayName":"other.x"}}},"malicious":[]}`},
		"no replacement": {"", records(t, decided{"acme.old", Deprecated, 1}), `{"deprecated":{"acme.old":true},"malicious":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			c := &catalog.Catalog{Records: test.decisions, Extensions: gallery}
			if test.control != "" {
				var err error
				if c.Control, err = catalog.ParseControl([]byte(test.control)); err != nil {
					t.Fatal(err)
				}
			}
			got := Control(c, new(policy.Policy))
			if string(got) != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if _, err := catalog.ParseControl(got); got != nil && (err != nil || !json.Valid(got)) {
				t.Errorf("%s: %v", got, err)
			}
		})
	}
}

// TestControlWithPolicy has deprecated extensions in the policy. It is stronger than a control
// manifest, and a decision is stronger than it.
func TestControlWithPolicy(t *testing.T) {
	gallery := []catalog.Extension{{Publisher: catalog.Publisher{Name: "Acme"}, Name: "New", Versions: []catalog.Version{{DisplayName: "Acme New"}}}}
	says := func(d policy.Deprecation) *policy.Policy { return &policy.Policy{Deprecated: []policy.Deprecation{d}} }
	old := use(records(t, decided{"acme.old", Deprecated, 1}), "acme.new")
	for name, test := range map[string]struct {
		control   string
		policy    *policy.Policy
		decisions []catalog.Record
		want      string
	}{
		"a replacement and a reason": {"", says(policy.Deprecation{ID: "acme.old", Use: "acme.new", Reason: "It was merged."}), nil,
			`{"acme.old":{"extension":{"id":"Acme.New","displayName":"Acme New"},"additionalInfo":"It was merged."}}`},
		"a reason": {"", says(policy.Deprecation{ID: "acme.old", Reason: "It was merged."}), nil, `{"acme.old":{"additionalInfo":"It was merged."}}`},
		"neither":  {"", says(policy.Deprecation{ID: "acme.old"}), nil, `{"acme.old":true}`},
		"a control manifest": {`{"deprecated":{"Acme.Old":true,"acme.x":false}}`, says(policy.Deprecation{ID: "acme.old", Use: "x.y"}), nil,
			`{"acme.old":{"extension":{"id":"x.y","displayName":"x.y"}},"acme.x":false}`},
		"a decision": {"", says(policy.Deprecation{ID: "acme.old", Use: "x.y", Reason: "It was merged."}), old,
			`{"acme.old":{"extension":{"id":"Acme.New","displayName":"Acme New"}}}`},
		"a decision that is not in force": {"", says(policy.Deprecation{ID: "acme.old"}), append(records(t, decided{"acme.old", Restored, 2}), old...), `{"acme.old":true}`},
	} {
		c := &catalog.Catalog{Records: test.decisions, Extensions: gallery}
		if test.control != "" {
			c.Control, _ = catalog.ParseControl([]byte(test.control))
		}
		if got, want := string(Control(c, test.policy)), `{"deprecated":`+test.want+`,"malicious":[]}`; got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
		}
	}
}

func use(all []catalog.Record, other string) []catalog.Record {
	for i := range all {
		all[i].Use = other
	}
	return all
}
