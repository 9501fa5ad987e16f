package delivery

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tailscale/hujson"

	"galbuild/build/collect"
)

// valid are files that Parse and the schema accept.
var valid = []string{
	`{}`,
	`{"$schema": "x.json", "collect": {"requests": ["acme.hello", "@list.txt"]}} // no newline`,
	`{"collect": {"requests": ["@a"], "from": ["https://open-vsx.org"], "engines": ["1.96"], "platforms": ["linux-x64", "universal"], "keep": 2, "packs": false, "preReleases": true, "pictures": true, "rate": 5}}`,
	`{"collect": {"requests": ["a.b"], "with": {"cli/code.tar.gz": "code.tar.gz", "server.tar.gz": "https://host/server"}, "mirrors": ["https://open-vsx.org=https://mirror.example"]}}`,
	`{"packages": "vsixs", "site": "/srv/site", "policy": "policy.json", "baseUrl": "https://tools.example/gallery", "publish": "s3://vsix/gallery"}`,
	`{"vet": {"scanners": ["clamscan --no-summary"], "osv": "osv.zip"}}`,
	`{"views": [{"name": "team-a", "policy": "a.json"}, {"name": "team-b", "policy": "b.json", "output": "/srv/b"}]}`,
	`{"export": {"output": "out/gallery.tar.zst"}}`, `{"export": {"output": "g.tgz", "since": "last", "split": "700MB",}}`,
}

// invalid are files that Parse refuses, with a part of the error.
var invalid = []struct {
	text, want string
	beyond     bool // the schema cannot describe the mistake
}{
	{`[]`, `galbuild.json:1: want an object, found []`, false},
	{"{\n\"colect\": {}}", `galbuild.json:2: there is no key "colect"; did you mean "collect"?`, false},
	{"{\n\"site\": \"a\",\n\"site\": \"b\"}", `galbuild.json:3: site: is given twice, first on line 2`, true},
	{`{"collect": {"request": ["a.b"]}}`, `collect: there is no key "request"; did you mean "requests"?`, false},
	{`{"collect": {}}`, `collect: want the key "requests" with an extension such as "acme.hello", or a list such as "@list.txt"`, false},
	{`{"collect": {"requests": []}}`, `collect: want the key "requests"`, false},
	{`{"collect": ["a.b"]}`, `collect: want an object, found ["a.b"]`, false},
	{`{"collect": {"requests": "a.b"}}`, `collect.requests: want a list in square brackets, found "a.b"`, false},
	{`{"collect": {"requests": [""]}}`, `collect.requests: want an extension such as "acme.hello", or a list such as "@list.txt", found ""`, false},
	{`{"collect": {"from": [7]}}`, `collect.from: want the address of an upstream such as "https://open-vsx.org", found 7`, false},
	{`{"collect": {"engines": [1.96]}}`, `collect.engines: want a version of VS Code such as "1.96", found 1.96`, false},
	{`{"collect": {"engines": ["new"]}}`, `collect.engines: "new" is not a version of VS Code`, false},
	{`{"collect": {"requests": ["a.b"], "mirrors": ["mirror.example"]}}`, `collect.mirrors: `, true},
	{`{"collect": {"requests": ["a.b"], "with": {"../a": "b"}}}`, `collect.with.../a: `, true},
	{`{"collect": {"platforms": ["linux"]}}`, `collect.platforms: "linux" is not a platform`, false},
	{`{"collect": {"keep": 0}}`, `collect.keep: want a whole number from 1 to 1000000000, found 0`, false},
	{`{"collect": {"packs": "yes"}}`, `collect.packs: want true or false, found "yes"`, false},
	{`{"collect": {"with": {"a": 7}}}`, `collect.with.a: want a file or an address, found 7`, false},
	{`{"collect": {"rate": "5"}}`, `collect.rate: want a whole number`, false},
	{`{"site": ""}`, `site: want the folder of a site, found ""`, false},
	{`{"baseUrl": "tools.example"}`, `baseUrl: tools.example: `, false},
	{`{"vet": {"scanner": []}}`, `vet: there is no key "scanner"; did you mean "scanners"?`, false},
	{`{"views": [{"name": "team-a"}]}`, `views: want the key "policy", the file of the view's policy`, false},
	{`{"views": [{"policy": "p"}]}`, `views: view "": want a name`, false},
	{`{"views": [{"name": "Team", "policy": "p"}]}`, `views: view "Team": want a name`, false},
	{`{"views": [{"name": "api", "policy": "p"}]}`, `views: view "api": the gallery has addresses`, true},
	{`{"views": [{"name": "a", "policy": "p"}, {"name": "a", "policy": "p"}]}`, `views: two views have the name "a" or its folder`, true},
	{`{"views": [{"name": "a", "policy": "p", "output": "site"}]}`, `the view a has the folder of the site`, true},
	{`{"views": [7]}`, `views: want an object, found 7`, false},
	{`{"export": {}}`, `export: want the key "output", the name of the tarball such as "out/gallery.tar.zst"`, false},
	{`{"export": {"output": "gallery.zip"}}`, `export.output: "gallery.zip": the name must end in .tar.gz, .tar.zst, .tgz or .tar`, false},
	{`{"export": {"output": "out/.tar"}}`, `export.output: "out/.tar": the name must end in`, false},
	{`{"export": {"output": "g.tar", "since": "arived"}}`, `export.since: "arived" is not one of the values; did you mean "arrived"?`, false},
	{`{"export": {"output": "g.tar", "split": 7}}`, `export.split: want a size such as "500KB", "10MB" or "4GiB", found 7`, false},
	{`{"publish": true}`, `publish: want a target such as "s3://BUCKET/PREFIX", found true`, false},
}

// TestParse checks what Parse and the schema accept and refuse.
func TestParse(t *testing.T) {
	schema := compileSchema(t)
	for _, text := range valid {
		if _, err := Parse(FileName, []byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if err := schema.Validate(standard(t, text)); err != nil {
			t.Errorf("%s: schema: %v", text, err)
		}
	}
	for _, test := range invalid {
		if _, err := Parse(FileName, []byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.text, err, test.want)
		}
		if err := schema.Validate(standard(t, test.text)); (err == nil) != test.beyond {
			t.Errorf("%s: schema: %v", test.text, err)
		}
	}
	if _, err := Parse(FileName, bytes.Repeat([]byte(" "), MaxText+1)); err == nil || !strings.Contains(err.Error(), "more than the limit") {
		t.Errorf("a long file: %v", err)
	}
}

// TestReadme checks that the example in README.md is a valid file.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```jsonc\n")
	example, _, _ = strings.Cut(example, "```")
	if _, err := Parse(FileName, []byte(example)); err != nil {
		t.Error(err)
	}
	if err := compileSchema(t).Validate(standard(t, example)); err != nil {
		t.Error(err)
	}
}

// TestPaths checks that paths are relative to the file.
func TestPaths(t *testing.T) {
	const text = `{
		"collect": {"requests": ["acme.hello@^1.2", "@list.txt", "@/etc/list", "ws/extensions.json", "https://host/x.vsix"], "with": {"a": "b/c", "d": "https://host/e"}},
		"policy": "../policy.json", "vet": {"osv": "osv.zip"}, "export": {"output": "out/g.tar"},
	}`
	got, err := Parse(filepath.FromSlash("etc/galbuild.json"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := &File{
		Collect: &Collect{Statistics: true,
			Requests: []string{"acme.hello@^1.2", "@etc/list.txt", "@/etc/list", "etc/ws/extensions.json", "https://host/x.vsix"},
			With:     []collect.Companion{{Path: "a", From: "etc/b/c"}, {Path: "d", From: "https://host/e"}},
		},
		Packages: "etc/vsixs", Site: "etc/site", Policy: "policy.json", Vet: Vet{OSV: "etc/osv.zip"}, Export: &Export{Output: "etc/out/g.tar", Since: SinceArrived},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// standard returns the value of a text without comments.
func standard(t *testing.T, text string) any {
	t.Helper()
	plain, err := hujson.Standardize([]byte(text + "\n"))
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
	const address = "https://example.com/galbuild.schema.json" // a file name would be resolved
	if err := c.AddResource(address, document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile(address)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func FuzzParse(f *testing.F) {
	for _, text := range valid {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := Parse(FileName, []byte(text)); err == nil && len(text) == 0 {
			t.Error("an empty text was accepted")
		}
	})
}
