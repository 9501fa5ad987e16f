package policy

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tailscale/hujson"

	"galbuild/build/jsondoc"
)

func encode(t *testing.T, v any) string {
	t.Helper()
	text, err := jsondoc.Line(v)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// valid are policies that Parse and the schema accept.
var valid = []string{
	`{}`,
	`{"$schema": "x.json", "allow": {"*": false, "A_b-1": true, "a.b": "stable", "a.b.c": ["1.2.3", "1.2.3-rc.1", "1.2.3@web", "1.2.3-a@universal"], "a.d": []}}`,
	`{"deny": ["acme", "acme.*", "acme.a", "ACME.a@1.2.3", "acme.a@web", "acme.a@1.2.3@web", "sha256:` + strings.Repeat("Ab", 32) + `"]}`,
	`{"denyLists": ["a"], "lists": {"a": {"evil.one": 3, "eve": 4}}}`,
	`{"minimumAge": "7d12h30m5s"}`, `{"minimumAge": {}}`, `{"minimumAge": {"*": "1d", "acme": "0s", "acme.a": "2h"}}`,
	`{"keep": {"last": 1}}`, `{"keep": {"last": 1, "grace": "0s"}}`, `{"keep": {"newerThan": "1d", "grace": "12h", "engines": ["1.85.0", "1.90.0-insider"], "pinned": ["a.b", "a.b@1.2.3", "a.b@1.2.3@web"]}}`,
	`{"required": {"signature": true, "verifiedPublisher": false, "licence": ["MIT", "apache-2.0", "GPL-2.0-only WITH Classpath-exception-2.0", "LicenseRef-x"]}}`,
	`{"required": {"approvals": 2, "verdicts": ["clamav", "ours"]}, "keys": {"alice": "` + aliceKey + `", "Bob B.": "` + bobKey + `"}}`,
	`{"vet": {}}`, `{"vet": {"high": "refuse", "medium": "quarantine", "low": "warn", "rules": {"new-host": "off"}, "except": {"Acme": ["*"], "acme.a": [], "acme.a@1.2.3": ["new-host"]}}}`,
	`{"limits": {"packageSize": "10MB", "files": 1000000000, "versionsPerExtension": 1, "total": "4GiB"}}`,
	`{"platforms": ["web", "universal", "alpine-arm64"]}`,
	`{"featured": ["a.b"], "recommended": [], "deprecated": {"a.b": {}, "a.c": {"use": "A.b", "reason": "It’s old"}}}`,
	`{"publishers": {"acme": {"displayName": "Acme Ltd.", "domain": "https://acme.example/x"}, "b": {}}}`,
	`{"publishers": {"acme": {"keys": {"alice": "` + aliceKey + `"}, "revoked": {"bob": "` + bobKey + `"}}, "b": {"keys": {}}}}`,
	`{"ratings": "ratings.csv", "rateUrl": "http://host/{id}/rate?x={id}"}`,
	`{"ratings": "a", "lists": {"a": {"acme.notes": [4.5, 12, 3], "acme.b": [0, 0, 1]}}}`,
	`{"search": {"pins": {"text with spaces": ["a.b"]}, "synonyms": [["js", "c++", "ünï"]]}}`,
	`{"gallery": {}}`, `{"gallery": {"title": "Für alle", "contact": "https://acme.example/help", "install": []}}`,
	`{"gallery": {"logo": "a.svg", "contact": "mailto:a.b+c@acme.example", "install": ["vscode", "code-server", "vscode"]}}`,
	`{"collect": {}}`, `{"collect": {"packs": false}}`,
	`{"gallery": {"logo": "a.svg"}, "files": {"a.svg": "` + base64.StdEncoding.EncodeToString([]byte(drawing)) + `"}}`,
}

// Keys of two people.
const (
	aliceKey = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
	bobKey   = "RWTTglCPL7PO7iJyyZ2UBtgQthyYiQX79GZMqmFe0CJgJ8K8xD939WXI"
)

// drawing is a logo.
const drawing = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64,32"><path d="M0 0h64v32z"/></svg>`

// readSample returns a file that policies name: the logo, or a list.
func readSample(path string) ([]byte, error) {
	switch {
	case strings.HasSuffix(path, ".svg"):
		return []byte(drawing), nil
	case path == "ratings.csv":
		return []byte("id,average,count\nacme.notes,4.5,12\n"), nil
	}
	return []byte("evil.thing\n"), nil
}

// invalid are policies that Parse refuses, with a part of the error.
var invalid = []struct {
	text, want string
	beyond     bool // the schema cannot describe the mistake
}{
	{`[]`, `policy.json:1: want an object such as {"deny": ["acme.bad"]}, found []`, false},
	{`{"minimumage": "7d"}`, `policy.json:1: there is no key "minimumage"; did you mean "minimumAge"?`, false},
	{`{"keep": {"lst": 3, "last": 2}}`, `policy.json:1: keep: there is no key "lst"; did you mean "last"?`, false},
	{`{"keep": {"xyz": 3, "last": 2}}`, `policy.json:1: keep: there is no key "xyz"; want last, newerThan, grace, engines or pinned`, false},
	{"{\n\"deny\": [],\n\"deny\": []}", `policy.json:3: deny: is given twice, first on line 2`, true},
	{`{"allow": true}`, `allow: want an object, found true`, false},
	{`{"allow": {"*": "stable"}}`, `allow.*: want true or false, found "stable"`, false},
	{`{"allow": {"acme": ["1.2.3"]}}`, `allow.acme: want true, false or "stable", found ["1.2.3"]`, false},
	{`{"allow": {"acme.a": "stabel"}}`, `allow.acme.a: want true, false, "stable" or a list of versions such as ["1.2.3"], found "stabel"`, false},
	{`{"allow": {"acme.a": ["1.2"]}}`, `allow.acme.a: want a version such as "1.2.3" or "1.2.3@linux-x64", found "1.2"`, false},
	{`{"allow": {"acme.a": ["1.2.3@linux-x86"]}}`, `allow.acme.a: "linux-x86" is not a platform; did you mean "linux-x64"?`, false},
	{`{"allow": {"acme.*": true}}`, `allow.acme.*: want "*", a publisher such as "acme", or an extension such as "acme.notes"`, false},
	{"{\"allow\": {\"acme\": true,\n\"ACME\": false}}", `policy.json:2: allow.ACME: is given twice, first on line 1 as acme: case does not matter`, true},
	{`{"deny": "acme"}`, `deny: want a list in square brackets, found "acme"`, false},
	{`{"deny": [1]}`, `deny: want a publisher such as "acme", an id such as "acme.notes", "acme.notes@1.2.3" or "acme.notes@linux-x64", or "sha256:" and a hash, found 1`, false},
	{`{"deny": ["*"]}`, `deny: want a publisher such as "acme"`, false},
	{`{"deny": ["acme.a@v1"]}`, `deny: "v1" is not a platform; want win32-x64, win32-arm64, `, true},
	{`{"deny": ["` + strings.Repeat("aB", 32) + `"]}`, `deny: ` + strings.Repeat("aB", 32) + ` is a hash; write sha256:` + strings.Repeat("aB", 32), true},
	{`{"deny": ["sha256:12"]}`, `deny: "sha256:12": want sha256: and 64 hexadecimal digits`, false},
	{`{"denyLists": ["a.txt"]}`, `denyLists: a.txt: the file is not included`, true},
	{`{"denyLists": ["a", "b"], "lists": {"a": {}}}`, `denyLists: b: the list is not among those of the key "lists"; delete that key`, true},
	{`{"lists": {"a": {"x.y": 1}}}`, `lists: "a" is neither among denyLists nor the file of ratings`, true},
	{`{"ratings": 7}`, `ratings: want the path of a file, found 7`, false},
	{`{"ratings": "r.csv"}`, `ratings: r.csv: the file is not included`, true},
	{`{"ratings": "r.csv", "lists": {"r.csv": {"a.b": [5.5, 1, 2]}}}`, `lists.r.csv.a.b: want an average, a count and a line, found [5.5, 1, 2]`, true},
	{`{"ratings": "r.csv", "lists": {"r.csv": {"a.b": [5, 1]}}}`, `lists.r.csv.a.b: want an average, a count and a line, found [5, 1]`, false},
	{`{"rateUrl": "https://host/rate"}`, `rateUrl: want an http or https address with {id} in place of the extension`, false},
	{`{"rateUrl": "javascript:alert({id})"}`, `rateUrl: want an http or https address`, false},
	{`{"denyLists": ["a"], "lists": {"a": {"x.y": 0}}}`, `lists.a.x.y: want a whole number from 1 to 1000000000, found 0`, false},
	{`{"denyLists": ["a"], "lists": {"a": {"x y": 7}}}`, `denyLists: a:7: want a publisher`, true},
	{`{"minimumAge": 7}`, `minimumAge: want a duration such as "12h", "7d" or "0s", found 7`, false},
	{`{"minimumAge": "a week"}`, `minimumAge: want a duration such as "12h", "7d" or "0s", found "a week"`, false},
	{`{"minimumAge": {"acme": "-1d"}}`, `minimumAge.acme: want a duration such as "12h", "7d" or "0s", found "-1d"`, false},
	{`{"minimumAge": {"a b": "1d"}}`, `minimumAge.a b: want "*", a publisher`, false},
	{`{"keep": {"engines": ["1.85.0"]}}`, `keep: want last or newerThan: without them, all versions are kept`, false},
	{`{"keep": 3}`, `keep: want an object, found 3`, false},
	{`{"keep": {"last": 0}}`, `keep.last: want a whole number from 1 to 1000000000, found 0`, false},
	{`{"keep": {"last": 1.5}}`, `keep.last: want a whole number`, false},
	{`{"keep": {"last": "3"}}`, `keep.last: want a whole number from 1 to 1000000000, found "3"`, false},
	{`{"keep": {"last": 1, "grace": "soon"}}`, `keep.grace: want a duration such as "12h", "7d" or "0s", found "soon"`, false},
	{`{"keep": {"newerThan": "0s"}}`, `keep.newerThan: want more than 0s`, true},
	{`{"keep": {"last": 1, "engines": ["1.85"]}}`, `keep.engines: want a version of VS Code such as "1.85.0", found "1.85"`, false},
	{`{"keep": {"last": 1, "pinned": ["acme"]}}`, `keep.pinned: "acme": the publisher is missing`, false},
	{`{"keep": {"last": 1, "pinned": ["sha256:` + strings.Repeat("ab", 32) + `"]}}`, `keep.pinned: want an id such as "acme.notes@1.2.3"`, false},
	{`{"required": {"signature": "yes"}}`, `required.signature: want true or false, found "yes"`, false},
	{`{"required": {"licence": ["MIT OR Apache-2.0"]}}`, `required.licence: want an SPDX identifier such as "MIT"`, false},
	{`{"required": {"licence": ["MTI"]}}`, `required.licence: want an SPDX identifier such as "MIT" or "GPL-2.0-only WITH Classpath-exception-2.0", found "MTI"`, true},
	{`{"required": {"licence": []}}`, `required.licence: the list is empty, so that nothing could enter; leave the key out to accept all`, false},
	{`{"required": {"approvals": 0}}`, `required.approvals: want a whole number from 1 to 1000000000, found 0`, false},
	{"{\"required\":\n{\"approvals\": 2}, \"keys\": {\"alice\": \"" + aliceKey + `"}}`, `policy.json:2: required.approvals: want at most 1, the number of keys, found 2: each approval is by another key`, true},
	{`{"required": {"verdicts": []}, "keys": {"alice": "` + aliceKey + `"}}`, `required.verdicts: the list is empty, so that nothing could enter`, false},
	{`{"required": {"verdicts": ["clamav"]}}`, `required.verdicts: the policy has no keys, so nothing could enter`, true},
	{`{"keys": {"alice": "RWQf"}}`, `keys.alice: want a minisign public key such as "` + aliceKey + `", found "RWQf"`, false},
	{`{"keys": {"alice": "` + aliceKey + `", "bob": "` + aliceKey + `"}}`, `keys.bob: is also the key of alice`, true},
	{`{"keys": {"": "` + aliceKey + `"}}`, `keys.: want a name of at most 100 characters`, false},
	{`{"vet": "warn"}`, `vet: want an object, found "warn"`, false},
	{`{"vet": {"hihg": "warn"}}`, `vet: there is no key "hihg"; did you mean "high"?`, false},
	{`{"vet": {"high": "deny"}}`, `vet.high: want off, warn, quarantine or refuse, found "deny"`, false},
	{`{"vet": {"rules": {"New Host": "off"}}}`, `vet.rules.New Host: want the name of a rule such as "hidden-characters"`, false},
	{`{"vet": {"except": {"acme": ["New"]}}}`, `vet.except.acme: want the name of a rule such as "hidden-characters" or "*", found "New"`, false},
	{`{"vet": {"except": {"acme.a@web": ["*"]}}}`, `vet.except.acme.a@web: want a publisher such as "acme", an extension such as "acme.notes" or a version such as "acme.notes@1.2.3": it has a hash or a platform`, false},
	{`{"vet": {"except": {"*": ["*"]}}}`, `vet.except.*: want a publisher`, false},
	{`{"limits": {"packageSize": 1000}}`, `limits.packageSize: want a size such as "500KB", "10MB" or "4GiB", found 1000`, false},
	{`{"limits": {"total": "ten"}}`, `limits.total: want a size such as "500KB", "10MB" or "4GiB", found "ten"`, false},
	{`{"limits": {"total": "0B"}}`, `limits.total: want a size`, true},
	{`{"limits": {"files": 0}}`, `limits.files: want a whole number`, false},
	{`{"platforms": ["linux"]}`, `platforms: "linux" is not a platform`, false},
	{`{"platforms": []}`, `platforms: the list is empty`, false},
	{`{"featured": ["acme"]}`, `featured: want the id of an extension such as "acme.notes", found "acme"`, false},
	{`{"featured": [""]}`, `featured: want the id of an extension such as "acme.notes", found ""`, false},
	{`{"deprecated": ["a.b"]}`, `deprecated: want an object, found ["a.b"]`, false},
	{`{"deprecated": {"a.b": {"use": "a.b"}}}`, `deprecated.a.b: is to be replaced with itself`, true},
	{`{"deprecated": {"a.b": {"reason": "x\u0007"}}}`, `deprecated.a.b.reason: has a control character`, false},
	{`{"publishers": {"a.b": {}}}`, `publishers.a.b: want the name of a publisher such as "acme"`, false},
	{`{"publishers": {"acme": {"domain": "acme.example"}}}`, `publishers.acme.domain: want an address such as https://acme.example, found "acme.example"`, false},
	{`{"publishers": {"acme": {"keys": {"alice": "RWQf"}}}}`, `publishers.acme.keys.alice: want a minisign public key`, false},
	{`{"publishers": {"acme": {"revoked": {"alice": 1}}}}`, `publishers.acme.revoked.alice: want a minisign public key`, false},
	{`{"publishers": {"acme": {"keys": {"new": "` + aliceKey + `"}, "revoked": {"old": "` + aliceKey + `"}}}}`,
		`publishers.acme: the revoked key old is also one of the keys, as new`, true},
	{`{"publishers": {"acme": {"revoked": {"a": "` + bobKey + `"}, "keys": {"a": "` + aliceKey + `"}}}}`,
		`publishers.acme: the revoked key a is also one of the keys, as a`, true},
	{`{"search": {"pins": {" ": []}}}`, `the text of the search is empty`, false},
	{`{"search": {"synonyms": [["js"]]}}`, `search.synonyms: want at least two words such as ["js", "javascript"]`, false},
	{`{"search": {"synonyms": [["js", "java script"]]}}`, `search.synonyms: want one word of letters and digits, found "java script"`, false},
	{`{"search": {"synonyms": [["js", "java-script"]]}}`, `search.synonyms: want one word of letters and digits, found "java-script"`, false},
	{`{"gallery": "Acme"}`, `gallery: want an object, found "Acme"`, false},
	{`{"gallery": {"titel": "Acme"}}`, `gallery: there is no key "titel"; did you mean "title"?`, false},
	{`{"gallery": {"title": ""}}`, `gallery.title: want a title, found ""`, false},
	{`{"gallery": {"title": "` + strings.Repeat("ä", 81) + `"}}`, `gallery.title: has 81 characters, more than the limit of 80`, false},
	{"{\n\"gallery\": {\n\"contact\": \"help@acme.example\"}}", `policy.json:3: gallery.contact: want an address such as https://acme.example/help or mailto:help@acme.example, found "help@acme.example"`, false},
	{`{"gallery": {"contact": "javascript:alert(1)"}}`, `gallery.contact: want an address`, false},
	{`{"gallery": {"contact": "http://acme.example"}}`, `gallery.contact: want an address`, false},
	{`{"gallery": {"contact": "mailto:a@b?cc=c@d"}}`, `gallery.contact: want an address`, false},
	{`{"gallery": {"install": ["vscodum"]}}`, `gallery.install: there is no editor "vscodum"; did you mean "vscodium"?`, false},
	{`{"gallery": {"install": "vscode"}}`, `gallery.install: want a list in square brackets, found "vscode"`, false},
	{`{"gallery": {"logo": 7}}`, `gallery.logo: want the path of a PNG or SVG file, found 7`, false},
	{"{\"gallery\":\n{\"logo\": \"a.svg\"}}", `policy.json:2: gallery.logo: a.svg: the file is not included`, true},
	{"{\"gallery\": {\n\"logo\": \"a.svg\"}, \"files\": {\"a.svg\": \"YQ==\"}}", `policy.json:2: gallery.logo: a.svg: want a PNG or SVG file: it is not XML`, true},
	{`{"gallery": {"logo": "a.svg"}, "files": {"a.svg": "?"}}`, `gallery.logo: a.svg: illegal base64`, true},
	{`{"gallery": {"logo": "a.svg"}, "files": {}}`, `gallery.logo: a.svg: the file is not among those of the key "files"; delete that key`, true},
	{"{\n\"files\": {\"a.svg\": \"YQ==\"}}", `policy.json:2: files: "a.svg" is not the file of a logo`, true},
	{`{"collect": {"packs": 1}}`, `collect.packs: want true or false, found 1`, false},
	{`{"collect": {"pack": true}}`, `collect: there is no key "pack"; did you mean "packs"?`, false},
	{`{"search": {"synonyms": [["js", "#"]]}}`, `search.synonyms: want one word of letters and digits, found "#"`, false},
}

// TestParse checks what Parse and the schema accept and refuse.
func TestParse(t *testing.T) {
	schema := compileSchema(t)
	for _, text := range append(valid, string(readme(t))) {
		if _, err := Load("policy.json", []byte(text), readSample); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if err := schema.Validate(standard(t, text)); err != nil {
			t.Errorf("%s: schema: %v", text, err)
		}
	}
	for _, test := range invalid {
		_, err := Parse("policy.json", []byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.text, err, test.want)
		}
		if err := schema.Validate(standard(t, test.text)); (err == nil) != test.beyond {
			t.Errorf("%s: schema: %v", test.text, err)
		}
	}
}

// TestSyntax checks the errors of texts that are not JSON with comments.
func TestSyntax(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "p:1: the file is empty; want an object such as {}",
		"\n\n":                           "p:1: the file is empty; want an object such as {}",
		"{\n  \"deny\": [\"a\"\n":        "p:2: the text ends before a bracket, a quotation mark or a comment is closed",
		"{\n  'deny': []}":               "p:2: is not JSON with comments from column 3 on: ",
		"{}\n{}":                         "p:2: is not JSON with comments from column 1 on: ",
		"{\n\"a\": \"\xff\"}":            "p:2: is not UTF-8",
		strings.Repeat("[\n", MaxText/2): "p:21: more than 20 brackets are open",
		"[\"" + strings.Repeat("[", 30) + "\", /*[[[[[[[[[[[[[[[[[[[[[*/ 1] // [[[[[[[[[[[[[[[[[[[[[[[[[": "p:1: want an object",
		"{" + strings.Repeat(" ", MaxText): "p: 1048577 bytes with its lists and its logo, more than the limit of 1048576",
	} {
		if _, err := Parse("p", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %s", text, err, want)
		}
	}
}

// TestAllMistakes checks that all mistakes are printed in the order of their lines.
func TestAllMistakes(t *testing.T) {
	_, err := Parse("p", []byte("{\"b\": 1,\n\"keep\": {},\n\"minimumAge\": {\"a b\": \"1d\", \"c d\": \"1d\"},\n\"deny\": [\"?\"]}"))
	var lines []string
	for line := range strings.Lines(err.Error()) {
		at, _, _ := strings.Cut(line, ": ")
		lines = append(lines, at)
	}
	if got := strings.Join(lines, " "); got != "p:1 p:2 p:3 p:3 p:4" {
		t.Errorf("got %s: %v", got, err)
	}
	_, err = Parse("p", []byte(`{"deny": [`+strings.Repeat("1,", 30)+"]}"))
	if n := strings.Count(err.Error(), "\n"); n != 20 || !strings.HasSuffix(err.Error(), "\np: and 10 more mistakes") {
		t.Errorf("got %d lines: %v", n+1, err)
	}
}

// TestInvalidLists checks the errors of lists.
func TestInvalidLists(t *testing.T) {
	for list, want := range map[string]string{
		"a.b\nnot an id\n":       `p:2: denyLists: l:2: want a publisher such as "acme"`,
		"a.b\n\xff":              "p:2: denyLists: l:2: is not UTF-8",
		"| a |\n| no dashes |":   "p:2: denyLists: l: the table has no row below its row of dashes",
		"|a|\n|-|\n|evil one|\n": "p:2: denyLists: l:3: want a publisher",
		`{"malicius": []}`:       `p:2: denyLists: l: want a list of ids, or an object with the key "malicious"`,
		"[\n1]":                  "p:2: denyLists: l:2: want the id of an extension, found 1",
		"[":                      "p:2: denyLists: l:1: the text ends before a bracket",
	} {
		_, err := Load("p", []byte("{\n\"denyLists\": [\"l\"]}"), func(string) ([]byte, error) { return []byte(list), nil })
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", list, err, want)
		}
	}
}

// standard returns the value of a policy without comments.
func standard(t *testing.T, text string) any {
	t.Helper()
	plain, err := hujson.Standardize([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	const address = "https://example.com/policy.schema.json" // a file name would be resolved
	if err := c.AddResource(address, document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(address)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// FuzzParse checks that no text makes Parse or Evaluate panic, and that the kept text of a policy
// parses to the same text.
func FuzzParse(f *testing.F) {
	for _, text := range valid {
		f.Add(text, "evil.one\n", "MIT")
	}
	for _, test := range invalid {
		f.Add(test.text, "|a|\n|-|\n|evil.two|\n", "MIT OR Apache-2.0")
	}
	f.Add(`{"denyLists": ["a"] /* , */ , // c
	}`, `{"malicious": ["a.b"]}`, "(")
	f.Fuzz(func(t *testing.T, text, list, licence string) {
		p, err := Load("p", []byte(text), func(path string) ([]byte, error) {
			if strings.HasSuffix(path, ".svg") {
				return readSample(path)
			}
			return []byte(list), nil
		})
		if err != nil {
			return
		}
		again, err := Parse("p", p.Text())
		if err != nil || string(again.Text()) != string(p.Text()) {
			t.Fatalf("%q: %v\n%s", text, err, p.Text())
		}
		c := candidate("acme.a@1.0.0", func(c *Candidate) { c.Licence = licence })
		(&listRule{values: []string{"MIT"}}).refuses(licence)
		p.Evaluate([]Candidate{c, candidate("acme.a@1.0.1")}, now)
		encode(t, p.AllowedExtensions())
		p.NotInAllowed()
	})
}
