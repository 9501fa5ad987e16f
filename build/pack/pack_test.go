package pack

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"galbuild/build/vsix"
)

const packageJSON = `{
	"name": "hello", "publisher": "acme", "version": "1.2.3-beta.1", "engines": {"vscode": "^1.90.0"},
	"displayName": "%title%", "description": "Says <hello> & \"more\"", "preview": true,
	"categories": ["Other", "Themes"], "keywords": ["greeting", "two words"],
	"icon": "./media/icon.png", "browser": "./dist/web.js", "repository": "acme/hello",
	"extensionDependencies": ["Acme.Base"], "extensionPack": ["acme.one", "acme.two"],
	"badges": [{"url": "https://acme.example/b.png", "href": "https://acme.example", "description": "build"}],
	"contributes": {"themes": [{"path": "a"}], "languages": [{"id": "toy", "extensions": [".toy"]}]}
}`

var day = time.Date(2024, 5, 6, 7, 8, 10, 0, time.UTC)

// folder returns a fresh copy of the extension.
func folder() fstest.MapFS {
	file := func(text string, mode fs.FileMode, modified time.Time) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(text), Mode: mode, ModTime: modified}
	}
	return fstest.MapFS{
		"package.json":     file(packageJSON, 0o600, day),
		"package.nls.json": file(`{"title": {"message": "Hello World"},}`, 0o644, day.AddDate(-1, 0, 0)),
		"README.md":        file("# Hello", 0o644, day),
		"LICENSE":          file("MIT", 0o644, day),
		"media/icon.png":   file("png", 0o644, day),
		"dist/web.js":      file("", 0o644, day),
		"dist/a&b.x<y":     file("", 0o644, day),
		"bin/run":          file("#!/bin/sh", 0o755, day),
		".git/HEAD":        file("ref", 0o644, day.AddDate(1, 0, 0)),
		"hello-1.vsix":     file("old", 0o644, day.AddDate(1, 0, 0)),
	}
}

func packed(t *testing.T, dir fs.FS, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, dir, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t *testing.T, archive []byte) *vsix.Package {
	t.Helper()
	p, err := vsix.Open(bytes.NewReader(archive), int64(len(archive)), vsix.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWrite(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	p := open(t, packed(t, folder(), Options{Platform: "linux-x64", PreRelease: true}))
	if p.Publisher != "acme" || p.Name != "hello" || p.Version != "1.2.3-beta.1" || p.Platform != "linux-x64" {
		t.Errorf("identity %s.%s %s %s", p.Publisher, p.Name, p.Version, p.Platform)
	}
	if p.DisplayName != "Hello World" || p.Description != `Says <hello> & "more"` {
		t.Errorf("names %q, %q", p.DisplayName, p.Description)
	}
	if !p.PreRelease || !p.Preview || !p.Web || !p.Theme {
		t.Errorf("pre-release %v, preview %v, web %v, theme %v; want all", p.PreRelease, p.Preview, p.Web, p.Theme)
	}
	if !p.Modified.Equal(day) {
		t.Errorf("modified %v, want the newest packed file's %v", p.Modified, day)
	}
	if len(p.Warnings) > 0 {
		t.Errorf("our own package makes us warn: %q", p.Warnings)
	}
	var entries []string
	err := p.Walk(func(e vsix.Entry, r io.Reader) error {
		entries = append(entries, e.Name+" "+e.Mode.String()[1:4])
		return nil
	})
	want := []string{
		"extension.vsixmanifest rw-", "[Content_Types].xml rw-", "extension/LICENSE rw-", "extension/README.md rw-",
		"extension/bin/run rwx", "extension/dist/a&b.x<y rw-", "extension/dist/web.js rw-", "extension/media/icon.png rw-",
		"extension/package.json rw-", "extension/package.nls.json rw-",
	}
	if err != nil || !slices.Equal(entries, want) {
		t.Errorf("entries %q, %v; want %q", entries, err, want)
	}
}

// TestOneDerivation opens a package with and without its XML: what we write is
// what we would have derived.
func TestOneDerivation(t *testing.T) {
	archive := packed(t, folder(), Options{})
	with, without := open(t, archive), open(t, dropManifest(t, archive))
	without.Warnings = nil
	with.Assets = slices.DeleteFunc(with.Assets, func(a vsix.Asset) bool { return a.Entry == "extension.vsixmanifest" })
	a, b := reflect.ValueOf(*with), reflect.ValueOf(*without)
	for i := range a.NumField() {
		field := a.Type().Field(i)
		if field.IsExported() && !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			t.Errorf("%s: with XML %v, without %v", field.Name, a.Field(i), b.Field(i))
		}
	}
}

func dropManifest(t *testing.T, archive []byte) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range r.File[1:] {
		if err := w.Copy(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDeterministic(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	first := packed(t, folder(), Options{})
	touched := folder()
	for _, f := range touched {
		f.ModTime = f.ModTime.AddDate(0, 1, 0)
		f.Mode &= 0o711 // another umask
	}
	if !bytes.Equal(first, packed(t, touched, Options{})) {
		t.Error("two packages of the same files differ")
	}
	if got, want := open(t, first).Modified, time.Unix(1700000000, 0); !got.Equal(want) {
		t.Errorf("modified %v, want %v", got, want)
	}
}

func TestContentTypes(t *testing.T) {
	r, err := zip.NewReader(bytes.NewReader(packed(t, folder(), Options{})), int64(len(packed(t, folder(), Options{}))))
	if err != nil {
		t.Fatal(err)
	}
	got, err := fs.ReadFile(r, "[Content_Types].xml")
	if err != nil {
		t.Fatal(err)
	}
	want := `<Default Extension=".js" ContentType="text/javascript"/><Default Extension=".json" ContentType="application/json"/>` +
		`<Default Extension=".md" ContentType="text/markdown"/><Default Extension=".png" ContentType="image/png"/>` +
		`<Default Extension=".vsixmanifest" ContentType="text/xml"/><Default Extension=".x&lt;y" ContentType="application/octet-stream"/></Types>`
	if !strings.HasSuffix(strings.TrimSpace(string(got)), want) {
		t.Errorf("content types\n%s\nwant …\n%s", got, want)
	}
}

func TestRefused(t *testing.T) {
	with := func(name, text string) fstest.MapFS {
		dir := maps.Clone(folder())
		dir[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644, ModTime: day}
		return dir
	}
	link := folder()
	link["link"] = &fstest.MapFile{Data: []byte("README.md"), Mode: fs.ModeSymlink | 0o777}
	noIcon := folder()
	delete(noIcon, "media/icon.png")
	for name, c := range map[string]struct {
		dir     fs.FS
		options Options
		want    string
	}{
		"empty":     {fstest.MapFS{}, Options{}, "not an extension's folder"},
		"comment":   {with("package.json", "{ // no\n}"), Options{}, "read package.json: line 1"},
		"mark":      {with("package.json", "\ufeff"+packageJSON), Options{}, "read package.json: line 1"},
		"publisher": {with("package.json", `{"name":"a","version":"1.0.0"}`), Options{}, "publisher is missing"},
		"version":   {with("package.json", `{"name":"a","publisher":"b","version":"1.0"}`), Options{}, `version "1.0"`},
		"engine":    {with("package.json", `{"name":"a","publisher":"b","version":"1.0.0"}`), Options{}, "engines.vscode is missing"},
		"nls":       {with("package.nls.json", `{`), Options{}, "read package.nls.json"},
		"svg":       {with("package.json", strings.Replace(packageJSON, "icon.png", "icon.svg", 1)), Options{}, "editors show no SVG"},
		"no icon":   {noIcon, Options{}, "no such file"},
		"platform":  {folder(), Options{Platform: "solaris"}, `target platform "solaris": want one of win32-x64`},
		"link":      {link, Options{}, `"link" is not a regular file`},
	} {
		t.Run(name, func(t *testing.T) {
			err := Write(io.Discard, c.dir, c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if err := Write(io.Discard, folder(), Options{}); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Errorf("error %v, want one about SOURCE_DATE_EPOCH", err)
	}
}
