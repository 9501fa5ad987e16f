package check

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"galbuild/build/pack/finding"
	"galbuild/build/vsix/manifest"
)

const plain = `{
	"name": "hello",
	"publisher": "acme",
	"version": "1.2.3",
	"engines": {"vscode": "^1.90.0"},
	"repository": "acme/hello"
}`

// with returns plain with other fields at its end, from line 7 on.
func with(fields string) []byte {
	return []byte(strings.TrimSuffix(plain, "\n}") + ",\n" + fields + "\n}")
}

func TestSyntaxError(t *testing.T) {
	for text, want := range map[string]string{
		"{\n  // why\n}":                 "package.json:2:3: is not JSON: a comment",
		"{} /* more */":                  "package.json:1:4: is not JSON: a comment",
		"{\"é\": \"ü\", /* */ \"a\": 1}": "package.json:1:12: is not JSON: a comment",
		"{\"a\": [\n1,\n]\n}":            "package.json:2:2: is not JSON: a trailing comma",
		"{\"a\": 1,\r\n}":                "package.json:1:8: is not JSON: a trailing comma",
		"{name: 1}":                      `package.json:1:2: is not JSON: "name" without quotes`,
		`{"a": undefined}`:               `package.json:1:7: is not JSON: "undefined" without quotes`,
		`{"a": nul}`:                     `package.json:1:7: is not JSON: "nul" without quotes`,
		"{'a': 1}":                       "package.json:1:2: is not JSON: a single quote",
		"{\"a\": \"b\tc\"}":              `package.json:1:9: is not JSON: invalid character '\t' in string (expecting non-control character)`,
		`{"a": 1`:                        "package.json:1:8: is not JSON: the text ends too early",
		`{"a": "b`:                       "package.json:1:9: is not JSON: the text ends too early",
		"{}\n{}":                         "package.json:2:1: is not JSON: more text after the end",
		"\n\n":                           "package.json: is empty",
		"\ufeff{}":                       "package.json:1:1: begins with a byte order mark, which editors do not accept",
		"\xff\xfe{\x00}\x00":             "package.json:1:1: is UTF-16, which editors cannot read",
		"\x00{\x00}":                     "package.json:1:1: is UTF-16, which editors cannot read",
	} {
		got := Manifest([]byte(text), Options{})
		if len(got) != 1 || got[0].String() != want || got[0].Warning {
			t.Errorf("%q: %v\nwant %s", text, got, want)
		}
		if Package([]byte(text), Folder{}, Options{}) != nil {
			t.Errorf("%q: reported twice", text)
		}
	}
}

// TestWhere has fields, which begin on line 7, and their findings.
func TestWhere(t *testing.T) {
	for fields, want := range map[string]string{
		`"pricing": "free"`:     `package.json:7: pricing "free": want "Free" or "Trial"`,
		"\n\"icon\": \"a.SVG\"": `package.json:8: icon "a.SVG": galleries and editors do not show SVG`,
		`"badges": [{"url": "https://a.example/a.png"},` + "\n" + `{"url": "a"}]`: `package.json:8: badges[1].url "a": not an address`,
		`"name": "a b"`:          `package.json:7: name "a b": want letters, digits and '-', beginning with a letter or digit`,
		`"files": ["a", 5]`:      "package.json:7: files[1] is a number, want a string",
		`"extensionKind": "web"`: `package.json:7: extensionKind "web": want "ui" or "workspace"`,
	} {
		got := Manifest(with(fields), Options{})
		if len(got) != 1 || got[0].String() != want {
			t.Errorf("%s: %v\nwant %s", fields, got, want)
		}
	}
}

// TestEditors has values that vsce accepts, and with which no editor installs the extension.
func TestEditors(t *testing.T) {
	for fields, want := range map[string]string{
		`"main": null`:                   "package.json: no editor installs it, and galleries of galbuild refuse it: main is null; editors want a string",
		`"engines": {"vscode": "x.x.x"}`: `package.json: no editor installs it, and galleries of galbuild refuse it: engines.vscode "x.x.x": want a number first, such as 1.x.x`,
	} {
		text := with(fields)
		if hasErrors(append(Manifest(text, Options{}), Package(text, Folder{License: "LICENSE", IgnoreFile: ".vscodeignore"}, Options{})...)) {
			t.Errorf("%s is an error", fields)
		}
		if got := Editors(text); len(got) != 1 || got[0].String() != want || !got[0].Warning {
			t.Errorf("%s: %v\nwant %s", fields, got, want)
		}
	}
	if got := Editors([]byte(plain)); got != nil {
		t.Errorf("a valid package.json: %v", got)
	}
}

func TestAllAtOnce(t *testing.T) {
	got := Manifest([]byte(`{"name": "a b", "version": "1", "pricing": 1, "icon": "x.svg", "extensionPack": 1}`), Options{Version: "v1"})
	for _, want := range []string{"name", "publisher", "version \"1\"", "version \"v1\"", "pricing", "icon", "extensionPack", "engines"} {
		if !slices.ContainsFunc(got, func(f finding.Finding) bool { return strings.HasPrefix(f.What, want) }) {
			t.Errorf("no finding of %s in %v", want, got)
		}
	}
}

// TestFlags checks that the hint of each finding for which vsce asks for confirmation names the
// flag that allows it.
func TestFlags(t *testing.T) {
	pkg := []byte(strings.Replace(plain, `"repository": "acme/hello"`, `"activationEvents": ["*"], "main": "main", "files": ["main.js", "no"]`, 1))
	folder := Folder{Files: []File{{"extension/main.js", "main.js"}}, Unused: []string{"no"}}
	var flags []string
	for _, f := range Package(pkg, folder, Options{}) {
		_, flag, _ := strings.Cut(f.Hint, "or use ")
		flags = append(flags, fmt.Sprint(f.Warning, flag))
	}
	want := []string{"true--allow-missing-repository", "true--allow-star-activation", "true--skip-license", "false--allow-unused-files-pattern"}
	if !slices.Equal(flags, want) {
		t.Errorf("%q, want %q", flags, want)
	}
	folder.Unused = nil
	if got := Package(pkg, folder, Options{AllowStar: true, AllowRepository: true, SkipLicense: true}); len(got) > 0 {
		t.Errorf("with all flags: %v", got)
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{"a b.txt": true, "ü": true, "a\x01": false, "a\u0085": false, "a\xff": false, "a\uffff": false} {
		folder := Folder{License: "extension/LICENSE", IgnoreFile: "x", Files: []File{{"extension/" + name, name}}}
		if got := Package([]byte(plain), folder, Options{}); (len(got) == 0) != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

// FuzzManifest checks that each finding has a text, and that package manifest can parse a
// package.json without errors.
func FuzzManifest(f *testing.F) {
	for _, c := range vsceCases(f) {
		f.Add(c.manifest(f))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o := Options{Platform: "linux-x64"}
		all := append(Manifest(text, o), Package(text, Folder{Files: []File{{"extension/a.js", "a.js"}}}, o)...)
		for _, found := range all {
			if found.What == "" || found.Where != "" && !strings.HasPrefix(found.Where, "package.json") {
				t.Errorf("finding %+v", found)
			}
		}
		if hasErrors(all) || len(Editors(text)) > 0 {
			return
		}
		pkg, err := manifest.ParsePackage(text)
		if err == nil {
			err = manifest.CheckIdentity(pkg.Publisher, pkg.Name, pkg.Version)
		}
		if err == nil {
			err = pkg.CheckEditors()
		}
		if err != nil {
			t.Errorf("no errors, but %v", err)
		}
	})
}
