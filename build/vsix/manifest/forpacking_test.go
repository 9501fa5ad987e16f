package manifest

import (
	"fmt"
	"strings"
	"testing"
)

// TestTranslated compares the texts without a translation, in the order of the file.
func TestTranslated(t *testing.T) {
	const packageJSON = `{
	"name": "hello", "version": "1.0.0",
	"displayName": "%title%",
	"contributes": {
		"menus": {"editor/title": [{}, {"when": "%missing.when%"}]},
		"commands": [{"title": "%command%"}, {"title": "%a-b%"}]
	}
}`
	for nls, want := range map[string]string{
		`{"title": "Hello", "missing.when": "x", "command": "Run"}`: "[]",
		`{"title": "Hello"}`:       `[{5 contributes.menus["editor/title"][1].when %missing.when% missing.when} {6 contributes.commands[0].title %command% command}]`,
		`{"title": "Hello"`:        "it is not complete JSON: a bracket or a quotation mark is not closed",
		`5`:                        "not a JSON object",
		strings.Repeat("[", 8<<20): "it is not JSON from line 1, column 10001 on",
		" ":                        "[]",
	} {
		text, missing, err := Translated([]byte(packageJSON), []byte(nls))
		got := fmt.Sprint(missing)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.50s: %s, want %s", nls, got, want)
		}
		if _, err := ForPacking(text); err != nil {
			t.Errorf("%.50s: %v", nls, err)
		}
	}
	for _, text := range []string{"\ufeff{}", "{ // no\n}", strings.Repeat("[", 8<<20)} {
		if _, _, err := Translated([]byte(text), []byte(`{}`)); err == nil {
			t.Errorf("%.50q is accepted as JSON", text)
		}
	}
}

// TestOneDerivation derives the XML of an ordinary extension for galleries, where files are found
// by name, and for packing, where they are given. Both must be equal.
func TestOneDerivation(t *testing.T) {
	const packageJSON = `{
		"name": "hello", "publisher": "acme", "version": "1.2.3", "engines": {"vscode": "^1.90.0"},
		"displayName": "%title%", "description": "Says <hello> about git", "preview": true, "icon": "./media/icon.png",
		"categories": ["Other", "Themes"], "keywords": ["greeting", "two words"], "main": "./dist/main.js",
		"repository": {"url": "git+https://github.com/acme/hello.git"}, "badges": [{"url": "https://acme.example/b.png"}],
		"contributes": {"themes": [{}], "localizations": [{"languageId": "de", "translations": [{"id": "vscode", "path": "./de.json"}]}]}
	}`
	const nls = `{"title": {"message": "Hello World"},}`
	entries := []string{PackagePath, "extension/readme.md", "extension/changelog.md", "extension/LICENSE.txt", "extension/media/icon.png", "extension/de.json"}
	gallery, err := ParsePackage([]byte(packageJSON))
	if err == nil {
		err = gallery.Translate([]byte(nls), 1000)
	}
	if err != nil {
		t.Fatal(err)
	}
	packer, missing, err := translatedPackage(packageJSON, []byte(nls))
	if err != nil || len(missing) > 0 {
		t.Fatal(err, missing)
	}
	found := bytesOf(t, Derive(gallery, entries, Options{PreRelease: true}))
	given := bytesOf(t, Derive(packer, entries, Options{PreRelease: true,
		Readme: "extension/readme.md", Changelog: "extension/changelog.md", License: "extension/LICENSE.txt", Icon: "extension/media/icon.png"}))
	if found != given {
		t.Errorf("for galleries\n%s\nfor packing\n%s", found, given)
	}
}

func bytesOf(t *testing.T, x *XML) string {
	t.Helper()
	text, err := x.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPlainComments(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		`["a",]`:                  `["a" ]`,
		"{\"a\":1, // x,\n}":      "{\"a\":1       \n}",
		`{"a":[1,/* ] */],"b":2}`: `{"a":[1        ],"b":2}`,
		`"//,]\"/*"`:              `"//,]\"/*"`,
		"[1,,]":                   "[1, ]",
		"[1/2]":                   "[1/2]",
		"1//":                     "1  ",
		"/* x\n":                  "    \n",
		`["a`:                     `["a`,
		`"\`:                      `"\`,
	} {
		if got := string(plainComments([]byte(text))); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	p := parse(t, `"displayName":"%a%"`)
	if err := p.Translate([]byte(strings.Repeat(`{"a":`, 2<<20)), 1000); err == nil {
		t.Error("two million nested objects are accepted")
	}
}

// FuzzForPacking writes well-formed XML for any package.json that it can read.
func FuzzForPacking(f *testing.F) {
	f.Add([]byte(`{"name":"hello","version":"1.0.0"}`), []byte(`{"k":"v"}`))
	f.Add([]byte(`{"name":"h","version":"1","displayName":"%k%","keywords":"ab","categories":["%k%",1e21,null],"badges":[{"url":"%k%"}]}`), []byte("// x\n{\"k\":[1,\"\x01\"],}"))
	f.Add([]byte(`{"name":"h","version":"1","contributes":{"localizations":[{"languageId":"de","translations":[{"id":"vscode","path":"a"}]}]}}`), []byte(`{`))
	f.Fuzz(func(t *testing.T, text, nls []byte) {
		p, missing, err := translatedPackage(string(text), nls)
		if err != nil {
			return
		}
		for _, m := range missing {
			if m.Line < 1 || m.Field == "" || m.Text != "%"+m.Key+"%" {
				t.Errorf("missing %+v", m)
			}
		}
		x := Derive(p, []string{PackagePath, "extension/a"}, Options{Icon: "extension/a"})
		again, err := ParseXML([]byte(bytesOf(t, x)))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := again.Metadata.Tags, x.Metadata.Tags; got != want {
			t.Errorf("tags %q, parsed %q", want, got)
		}
	})
}
