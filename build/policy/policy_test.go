package policy

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func daysAgo(n int) time.Time { return now.AddDate(0, 0, -n) }

// candidate returns a candidate with this key, such as acme.notes@1.0.0@linux-x64, and changes it.
func candidate(key string, changes ...func(*Candidate)) Candidate {
	parts := strings.Split(key, "@")
	publisher, name, _ := strings.Cut(parts[0], ".")
	v := &catalog.Version{Version: parts[1], Updated: daysAgo(1000)}
	if len(parts) > 2 {
		v.Platform = parts[2]
	}
	v.Package.Ref = blob.Sum([]byte(key))
	c := Candidate{Key: strings.ToLower(key), Version: v, Extension: &catalog.Extension{Name: name}, Seen: daysAgo(1000), Size: 1000}
	c.Extension.Publisher.Name = publisher
	for _, change := range changes {
		change(&c)
	}
	return c
}

func preRelease(c *Candidate) { c.Version.PreRelease = true }
func signed(c *Candidate)     { c.Version.Signed = true }
func verified(c *Candidate)   { c.Extension.Publisher.Verified = true }
func served(c *Candidate)     { c.Served = true }
func fiveFiles(c *Candidate) {
	c.Version.Files, c.Version.Assets = make([]catalog.File, 3), make([]catalog.Asset, 2)
}
func size(n int64) func(*Candidate) { return func(c *Candidate) { c.Size = n } }
func seen(t time.Time) func(*Candidate) {
	return func(c *Candidate) { c.Seen = t }
}
func published(t time.Time) func(*Candidate) {
	return func(c *Candidate) { c.Published = t }
}
func updated(t time.Time) func(*Candidate) {
	return func(c *Candidate) { c.Version.Updated = t }
}
func licence(s string) func(*Candidate) {
	return func(c *Candidate) { c.Licence = s }
}
func engine(s string) func(*Candidate) {
	return func(c *Candidate) {
		c.Version.Properties = []catalog.Property{{Key: catalog.PropertyEngine, Value: s}}
	}
}

func parse(t *testing.T, text string) *Policy {
	t.Helper()
	p, err := Parse("policy.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRules checks each rule: what it keeps out of a list of versions, and what it says.
func TestRules(t *testing.T) {
	for _, test := range []struct {
		name, policy string
		versions     []Candidate
		want         []string // "key: rule: detail"
	}{
		{"no rule", `{}`, []Candidate{candidate("acme.notes@1.0.0")}, nil},
		{"deny", `{"deny": ["Mallory", "eve.*", "acme.notes@1.0.0", "acme.old", "acme.x@linux-x64", "acme.y@universal"]}`,
			[]Candidate{
				candidate("mallory.a@1.0.0"), candidate("eve.b@1.0.0"), candidate("acme.notes@1.0.0@web"), candidate("acme.notes@1.0.1"),
				candidate("acme.old@2.0.0"), candidate("acme.older@2.0.0"), candidate("acme.x@1.0.0@linux-x64"), candidate("acme.x@1.0.0"),
				candidate("acme.y@1.0.0"), candidate("acme.y@1.0.0@web"),
			},
			[]string{
				"acme.notes@1.0.0@web: deny: acme.notes@1.0.0 is denied", "acme.old@2.0.0: deny: acme.old is denied",
				"acme.x@1.0.0@linux-x64: deny: acme.x@linux-x64 is denied", "acme.y@1.0.0: deny: acme.y@universal is denied",
				"eve.b@1.0.0: deny: eve.* is denied", "mallory.a@1.0.0: deny: Mallory is denied",
			}},
		{"deny a hash", `{"deny": ["SHA256:` + blob.Sum([]byte("acme.a@1.0.0")).String() + `"]}`,
			[]Candidate{candidate("acme.a@1.0.0"), candidate("acme.a@1.0.1")},
			[]string{"acme.a@1.0.0: deny: SHA256:" + blob.Sum([]byte("acme.a@1.0.0")).String() + " is denied"}},
		{"deny before allow", `{"allow": {"acme.a": true}, "deny": ["acme"]}`,
			[]Candidate{candidate("acme.a@1.0.0")}, []string{"acme.a@1.0.0: deny: acme is denied"}},
		{"allow nothing", `{"allow": {}}`, []Candidate{candidate("acme.a@1.0.0")},
			[]string{"acme.a@1.0.0: allow: acme.a is not among the allowed extensions"}},
		{"allow all but", `{"allow": {"*": true, "Acme": false, "acme.B": true}}`,
			[]Candidate{candidate("other.a@1.0.0"), candidate("acme.a@1.0.0"), candidate("ACME.b@1.0.0")},
			[]string{"acme.a@1.0.0: allow: acme is not allowed"}},
		{"allow stable", `{"allow": {"acme": "stable", "other.a": "stable"}}`,
			[]Candidate{candidate("acme.a@1.0.0"), candidate("acme.a@1.1.0", preRelease), candidate("other.a@1.0.0", preRelease)},
			[]string{"acme.a@1.1.0: allow: pre-releases of acme are not allowed", "other.a@1.0.0: allow: pre-releases of other.a are not allowed"}},
		{"allow versions", `{"allow": {"acme": true, "acme.a": ["1.0.0", "2.0.0@linux-x64"]}}`,
			[]Candidate{
				candidate("acme.a@1.0.0@web"), candidate("acme.a@2.0.0@linux-x64"), candidate("acme.a@2.0.0@web"),
				candidate("acme.a@2.0.0"), candidate("acme.a@3.0.0"), candidate("acme.b@3.0.0"),
			},
			[]string{
				"acme.a@2.0.0@web: allow: 2.0.0@web is not among the allowed versions of acme.a",
				"acme.a@3.0.0: allow: 3.0.0 is not among the allowed versions of acme.a",
			}},
		{"platforms", `{"platforms": ["linux-x64"]}`,
			[]Candidate{candidate("acme.a@1.0.0"), candidate("acme.a@1.0.0@linux-x64"), candidate("acme.a@1.0.0@web")},
			[]string{"acme.a@1.0.0@web: platforms: web is not among the platforms"}},
		{"signature", `{"required": {"signature": true}}`, []Candidate{candidate("acme.a@1.0.0"), candidate("acme.b@1.0.0", signed)},
			[]string{"acme.a@1.0.0: required.signature: the package has no signature of a gallery"}},
		{"a verified signature", `{"required": {"signature": true}}`, []Candidate{candidate("acme.a@1.0.0", func(c *Candidate) { c.Version.Verified = true })}, nil},
		{"not required", `{"required": {"signature": false, "verifiedPublisher": false}}`, []Candidate{candidate("acme.a@1.0.0")}, nil},
		{"publisher", `{"required": {"verifiedPublisher": true}, "publishers": {"Acme": {"domain": "https://acme.example"}, "other": {"displayName": "O"}}}`,
			[]Candidate{candidate("acme.a@1.0.0"), candidate("other.b@1.0.0"), candidate("third.b@1.0.0", verified)},
			[]string{"other.b@1.0.0: required.verifiedPublisher: the publisher other is not verified"}},
		{"licence", `{"required": {"licence": ["MIT", "GPL-2.0-only WITH Classpath-exception-2.0"]}}`,
			[]Candidate{
				candidate("a.a@1.0.0", licence("MIT")), candidate("a.b@1.0.0", licence("mit")), candidate("a.c@1.0.0", licence("MIT OR GPL-3.0-only")),
				candidate("a.d@1.0.0", licence("MIT AND GPL-3.0-only")), candidate("a.e@1.0.0"), candidate("a.f@1.0.0", licence("SEE LICENSE IN x")),
				candidate("a.g@1.0.0", licence("GPL-2.0-only WITH Classpath-exception-2.0")), candidate("a.h@1.0.0", licence("GPL-2.0-only")),
			},
			[]string{
				"a.d@1.0.0: required.licence: the licence MIT AND GPL-3.0-only is not among those accepted",
				"a.e@1.0.0: required.licence: the package names no licence",
				`a.f@1.0.0: required.licence: the licence "SEE LICENSE IN x" is not an SPDX expression`,
				"a.h@1.0.0: required.licence: the licence GPL-2.0-only is not among those accepted",
			}},
		{"limits", `{"limits": {"packageSize": "1KB", "files": 4}}`,
			[]Candidate{candidate("a.a@1.0.0"), candidate("a.b@1.0.0", size(1001)), candidate("a.c@1.0.0", fiveFiles)},
			[]string{
				"a.b@1.0.0: limits.packageSize: the package has 1,001 bytes, more than 1,000 bytes",
				"a.c@1.0.0: limits.files: the gallery would serve 5 files for it, more than 4",
			}},
		{"age", `{"minimumAge": {"*": "7d", "acme": "0s", "acme.slow": "30d"}}`,
			[]Candidate{
				candidate("other.a@1.0.0", seen(daysAgo(6))), candidate("other.b@1.0.0", seen(daysAgo(7))),
				candidate("acme.c@1.0.0", seen(now)), candidate("acme.slow@1.0.0", seen(daysAgo(29))),
				candidate("other.d@1.0.0", seen(now), published(daysAgo(8))), candidate("other.e@1.0.0", seen(daysAgo(9)), published(daysAgo(1))),
				candidate("other.f@1.0.0", seen(time.Time{})),
			},
			[]string{
				"acme.slow@1.0.0: minimumAge: first seen 2026-01-31T12:00:00Z, offered from 2026-03-02T12:00:00Z on",
				"other.a@1.0.0: minimumAge: first seen 2026-02-23T12:00:00Z, offered from 2026-03-02T12:00:00Z on",
				"other.e@1.0.0: minimumAge: published 2026-02-28T12:00:00Z, offered from 2026-03-07T12:00:00Z on",
				"other.f@1.0.0: minimumAge: first seen 2026-03-01T12:00:00Z, offered from 2026-03-08T12:00:00Z on",
			}},
		{"versions of an extension", `{"limits": {"versionsPerExtension": 2}}`,
			[]Candidate{
				candidate("a.a@1.0.0@web"), candidate("a.a@3.0.0@web"), candidate("a.a@3.0.0@linux-x64"), candidate("a.a@10.0.0@web"),
				candidate("a.a@2.0.0@web"), candidate("a.a@9.0.0@web"), candidate("a.b@1.0.0"),
			},
			[]string{ // 3.0.0 is the newest for linux-x64
				"a.a@1.0.0@web: limits.versionsPerExtension: the extension has more than 2 versions",
				"a.a@2.0.0@web: limits.versionsPerExtension: the extension has more than 2 versions",
				"a.a@9.0.0@web: limits.versionsPerExtension: the extension has more than 2 versions",
			}},
		{"total", `{"limits": {"total": "2500B"}}`,
			[]Candidate{candidate("a.new@1.0.0"), candidate("b.old@1.0.0", served), candidate("b.old@2.0.0", served), candidate("c.small@1.0.0", size(500))},
			[]string{"a.new@1.0.0: limits.total: the package has 1,000 bytes, and only 500 bytes of 2,500 bytes are left"}},
		{"total of old versions", `{"limits": {"total": "2KB"}}`,
			[]Candidate{candidate("a.a@1.0.0", served), candidate("a.a@2.0.0", served), candidate("a.a@3.0.0", served)},
			[]string{"a.a@1.0.0: limits.total: the package has 1,000 bytes, and only 0 bytes of 2,000 bytes are left"}},
		{"total of what is served", `{"limits": {"total": "1KB"}}`,
			[]Candidate{candidate("b.old@1.0.0", served), candidate("b.old@2.0.0", served)},
			[]string{"b.old@1.0.0: limits.total: the package has 1,000 bytes, and only 0 bytes of 1,000 bytes are left"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := parse(t, test.policy)
			var got []string
			for _, x := range p.Evaluate(test.versions, now).Excluded {
				got = append(got, x.Key+": "+x.Rule+": "+x.Detail)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			slices.Reverse(test.versions)
			var reversed []string
			for _, x := range p.Evaluate(test.versions, now).Excluded {
				reversed = append(reversed, x.Key+": "+x.Rule+": "+x.Detail)
			}
			if !slices.Equal(got, reversed) {
				t.Errorf("in reverse order, got\n%s", strings.Join(reversed, "\n"))
			}
		})
	}
}

// TestKeep checks which of the versions of an extension the rule drops.
func TestKeep(t *testing.T) {
	versions := func() []Candidate {
		return []Candidate{
			candidate("a.a@1.0.0", engine("^1.50.0")),
			candidate("a.a@1.1.0", engine("^1.50.0"), updated(daysAgo(10))),
			candidate("a.a@1.2.0", engine("^1.80.0")),
			candidate("a.a@1.9.0", preRelease, engine("^1.80.0")),
			candidate("a.a@1.10.0", preRelease, engine("^1.90.0")),
			candidate("a.a@2.0.0", engine("^1.90.0")),
			candidate("a.a@0.1.0@web", engine("^1.90.0")),
			candidate("a.only@1.0.0", engine("^1.999.0")),
		}
	}
	for policy, want := range map[string]string{
		`"last": 1`:                                  "1.0.0 1.1.0 1.2.0 1.9.0",
		`"last": 2`:                                  "1.0.0 1.1.0",
		`"newerThan": "11d"`:                         "1.0.0 1.2.0 1.9.0",
		`"last": 1, "newerThan": "5d"`:               "1.0.0 1.1.0 1.2.0 1.9.0",
		`"last": 1, "engines": ["1.85.0"]`:           "1.0.0 1.1.0",
		`"last": 1, "engines": ["1.60.0"]`:           "1.0.0 1.2.0 1.9.0",
		`"last": 1, "engines": ["1.60.0", "1.85.0"]`: "1.0.0",
		`"last": 1, "engines": ["1.10.0"]`:           "1.0.0 1.1.0 1.2.0 1.9.0",
		`"last": 1, "pinned": ["A.a@1.0.0"]`:         "1.1.0 1.2.0 1.9.0",
		`"last": 1, "pinned": ["a.a"]`:               "",
		`"last": 1, "pinned": ["a.a@universal"]`:     "",
		`"last": 1, "pinned": ["a.a@web"]`:           "1.0.0 1.1.0 1.2.0 1.9.0",
	} {
		p := parse(t, `{"keep": {`+policy+`}}`)
		var got []string
		for _, x := range p.Evaluate(versions(), now).Excluded {
			got = append(got, strings.TrimPrefix(x.Key, "a.a@"))
			if x.Rule != "keep" || x.Line != 1 {
				t.Errorf("%s: %+v", policy, x)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %s, want %s", policy, got, want)
		}
	}
}

// TestProtectedVersions checks that the limit of versions does not drop what keep protects, and
// that a version which another rule keeps out does not count.
func TestProtectedVersions(t *testing.T) {
	p := parse(t, `{"keep": {"last": 9, "pinned": ["a.a@1.0.0"]}, "limits": {"versionsPerExtension": 2}, "deny": ["a.a@4.0.0"]}`)
	var got []string
	for _, x := range p.Evaluate([]Candidate{candidate("a.a@1.0.0"), candidate("a.a@2.0.0"), candidate("a.a@3.0.0"), candidate("a.a@4.0.0")}, now).Excluded {
		got = append(got, x.Key)
	}
	if want := []string{"a.a@2.0.0", "a.a@4.0.0"}; !slices.Equal(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestNext checks when the result changes: when a version becomes old enough to be offered, or too
// old to be kept.
func TestNext(t *testing.T) {
	for _, test := range []struct {
		policy string
		want   time.Time
	}{
		{`{}`, time.Time{}},
		{`{"minimumAge": "7d"}`, now.AddDate(0, 0, 3)},
		{`{"minimumAge": "3d"}`, time.Time{}},
		{`{"keep": {"newerThan": "10d"}}`, now.AddDate(0, 0, 4)},
		{`{"keep": {"newerThan": "10d", "last": 2}}`, time.Time{}},
		{`{"keep": {"newerThan": "10d"}, "minimumAge": "5d"}`, now.AddDate(0, 0, 1)},
	} {
		p := parse(t, test.policy)
		all := []Candidate{
			candidate("a.a@1.0.0", updated(daysAgo(6))), candidate("a.a@2.0.0", updated(daysAgo(5))), candidate("a.b@1.0.0", seen(daysAgo(4)), updated(daysAgo(4))),
		}
		r := p.Evaluate(all, now)
		if !r.Next.Equal(test.want) {
			t.Errorf("%s: got %s, want %s", test.policy, r.Next, test.want)
		}
		if test.want.IsZero() {
			continue
		}
		before, after := p.Evaluate(all, r.Next.Add(-time.Second)), p.Evaluate(all, r.Next)
		if len(before.Excluded) != len(r.Excluded) || len(after.Excluded) == len(r.Excluded) {
			t.Errorf("%s: %d excluded now, %d before %s, %d from then on", test.policy, len(r.Excluded), len(before.Excluded), r.Next, len(after.Excluded))
		}
	}
}

// TestLines checks that an exclusion names the line of its rule.
func TestLines(t *testing.T) {
	p := parse(t, `// A comment.
{
  "allow": {
    "*": true,
    "acme": false,
  },
  "deny": [
    "mallory",
    "eve.bad",
  ],
  /* Another
     comment. */
  "keep": {"last": 1},
  "required": {
    "licence": ["MIT"],
  },
}`)
	want := map[string]int{"acme.a@1.0.0": 5, "mallory.b@1.0.0": 8, "eve.bad@1.0.0": 9, "x.y@1.0.0": 13, "x.z@1.0.0": 15}
	for _, x := range p.Evaluate([]Candidate{
		candidate("acme.a@1.0.0"), candidate("mallory.b@1.0.0"), candidate("eve.bad@1.0.0"), candidate("x.z@1.0.0"),
		candidate("x.y@1.0.0", licence("MIT")), candidate("x.y@2.0.0", licence("MIT")),
	}, now).Excluded {
		if want[x.Key] != x.Line {
			t.Errorf("%s: got line %d, want %d", x.Key, x.Line, want[x.Key])
		}
		delete(want, x.Key)
	}
	if len(want) > 0 {
		t.Errorf("not excluded: %v", want)
	}
}

// readme returns the policy in README.md.
func readme(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, ok := strings.Cut(string(text), "```jsonc\n")
	example, _, closed := strings.Cut(example, "```")
	if !ok || !closed {
		t.Fatal("README.md has no example")
	}
	return []byte(example)
}

// TestReadme checks that the example is a policy with all keys, and that the table has all rules.
func TestReadme(t *testing.T) {
	example := readme(t)
	p, err := Load("README.md", example, readSample)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range policyKeys {
		if key != "lists" && key != "files" && !strings.Contains(string(example), "\n  \""+key+`": `) {
			t.Errorf("the example has no %q", key)
		}
	}
	if p.Publishers["acme"].DisplayName != "Acme Tools" || p.Deprecated[0] != (Deprecation{"acme.jots", "acme.notes", "acme.notes has all its functions"}) ||
		!slices.Equal(p.Search.Pins["notes"], []string{"acme.notes"}) || len(p.Search.Synonyms) != 2 ||
		p.Ratings["acme.notes"] != (catalog.Rating{Average: 4.5, Count: 12, Line: 2}) ||
		p.RateLink("acme.notes") != "https://intranet.example/rate?extension=acme.notes" ||
		!slices.Equal(p.Featured, []string{"acme.notes"}) || p.Gallery.Title != "Acme extensions" || p.Gallery.Logo.File != "logo.svg" || !slices.Equal(p.Recommended, []string{"acme.notes", "globex.beta"}) {
		t.Errorf("got %+v", p)
	}
	text, _ := os.ReadFile("README.md")
	for _, rule := range []string{
		"deny", "denyLists", "allow", "platforms", "required.signature", "required.licence", "required.verifiedPublisher",
		"limits.packageSize", "limits.files", "minimumAge", "keep", "limits.versionsPerExtension", "limits.total",
	} {
		if !strings.Contains(string(text), "\n| `"+rule+"` | ") {
			t.Errorf("the table has no rule %s", rule)
		}
	}
}

// TestLists checks that lists of each format are included, and that a policy with its lists parses
// to the same policy.
func TestLists(t *testing.T) {
	lists := map[string]string{
		"a.txt": "# Ours.\nEvil.One  # a comment\n\nmallory\nevil.one\nacme.notes@1.0.0\n",
		"b.md": "# History\n\nText with evil.text.\n\n| Extension Identifier | Date |\n|---|:--|\n|evil.two|5/17/2025| Malware\n" +
			"| `evil.three` | 1/2/2025 | Malware ||evil.four|6/24/2025| Malware\n\nLegend | evil.legend\n",
		"c.json": "{\n  // Comment.\n  \"malicious\": [\"evil.five\",\n    \"eve\"]\n}",
		"d.json": `["evil.six"]`,
	}
	read := func(path string) ([]byte, error) {
		text, ok := lists[path]
		if !ok {
			return nil, errors.New("no such file")
		}
		return []byte(text), nil
	}
	for _, text := range []string{
		"{\n  \"denyLists\": [\n    \"a.txt\", \"b.md\",\n    \"c.json\", \"d.json\",\n  ],\n}\n",
		"{\n  \"denyLists\": [\n    \"a.txt\", \"b.md\",\n    \"c.json\", \"d.json\"] // no comma,\n}",
		"{\n\"denyLists\":\n[\"a.txt\", \"b.md\",\n\"c.json\", \"d.json\"] /* , */, /* c */ } // end",
	} {
		p, err := Load("policy.json", []byte(text), read)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("policy.json", p.Text())
		if err != nil {
			t.Fatalf("%v\n%s", err, p.Text())
		}
		if string(again.Text()) != string(p.Text()) {
			t.Errorf("got\n%s\nwant\n%s", again.Text(), p.Text())
		}
		for _, p := range []*Policy{p, again} {
			got := make(map[string]string)
			lines := make(map[string]int)
			for _, x := range p.Evaluate([]Candidate{
				candidate("evil.one@1.0.0"), candidate("mallory.a@1.0.0"), candidate("acme.notes@1.0.0"), candidate("evil.two@1.0.0"), candidate("evil.three@1.0.0"),
				candidate("evil.four@1.0.0"), candidate("evil.five@1.0.0"), candidate("eve.a@1.0.0"), candidate("evil.six@1.0.0"),
				candidate("evil.text@1.0.0"), candidate("evil.legend@1.0.0"), candidate("acme.notes@1.0.1"),
			}, now).Excluded {
				got[x.Key], lines[x.Key] = x.Detail, x.Line
				if x.Rule != "denyLists" {
					t.Errorf("got rule %s", x.Rule)
				}
			}
			for key, want := range map[string]string{
				"evil.one@1.0.0": "Evil.One is on line 2 of the list a.txt", "mallory.a@1.0.0": "mallory is on line 4 of the list a.txt",
				"acme.notes@1.0.0": "acme.notes@1.0.0 is on line 6 of the list a.txt", "evil.two@1.0.0": "evil.two is on line 7 of the list b.md",
				"evil.three@1.0.0": "evil.three is on line 8 of the list b.md", "evil.four@1.0.0": "evil.four is on line 8 of the list b.md",
				"evil.five@1.0.0": "evil.five is on line 3 of the list c.json", "eve.a@1.0.0": "eve is on line 4 of the list c.json",
				"evil.six@1.0.0": "evil.six is on line 1 of the list d.json",
			} {
				if got[key] != want {
					t.Errorf("%s: got %q, want %q", key, got[key], want)
				}
				delete(got, key)
			}
			if len(got) > 0 {
				t.Errorf("also excluded: %v", got)
			}
			if lines["evil.one@1.0.0"] != 3 || lines["evil.six@1.0.0"] != 4 {
				t.Errorf("got lines %v", lines)
			}
		}
	}
}

// TestAllowedExtensions checks the setting for editors.
func TestAllowedExtensions(t *testing.T) {
	hash := "sha256:" + strings.Repeat("ab", 32)
	for _, test := range []struct{ policy, want, not string }{
		{`{}`, `{"*":true}`, ""},
		{`{"allow": {}}`, `{}`, ""},
		{`{"allow": {"*": true, "Acme": "stable", "acme.A": ["1.0.0"], "x": false}}`, `{"*":true,"acme":"stable","acme.a":["1.0.0"],"x":false}`, ""},
		{`{"deny": ["mallory", "acme.bad"]}`, `{"*":true,"acme.bad":false,"mallory":false}`, ""},
		{`{"allow": {"acme": true, "mallory.good": true, "mallory": true}, "deny": ["mallory", "acme.bad", "other.bad"]}`, `{"acme":true,"acme.bad":false}`, ""},
		{`{"allow": {"acme": true, "acme.a": true}, "deny": ["acme.a"]}`, `{"acme":true,"acme.a":false}`, ""},
		{`{"allow": {"*": true, "acme": false}, "deny": ["acme.a"]}`, `{"*":true,"acme":false}`, ""},
		{`{"allow": {"acme.a": ["1.0.0", "2.0.0", "3.0.0@web"]}, "deny": ["acme.a@1.0.0", "acme.a@web", "acme.a@2.0.0@web"]}`,
			`{"acme.a":["2.0.0"]}`, "acme.a@2.0.0@web acme.a@web"},
		{`{"allow": {"acme.a": ["1.0.0"]}, "deny": ["acme.a@1.0.0"]}`, `{"acme.a":false}`, ""},
		{`{"deny": ["acme.a@1.0.0", "` + hash + `"]}`, `{"*":true}`, "acme.a@1.0.0 " + hash},
	} {
		p := parse(t, test.policy)
		text := encode(t, p.AllowedExtensions())
		if text != test.want {
			t.Errorf("%s: got %s, want %s", test.policy, text, test.want)
		}
		if not := strings.Join(p.NotInAllowed(), " "); not != test.not {
			t.Errorf("%s: not in the setting: got %s, want %s", test.policy, not, test.not)
		}
	}
}
