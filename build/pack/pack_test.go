package pack

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"galbuild/build/pack/finding"
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

// folder returns a new copy of an extension.
func folder() fstest.MapFS {
	file := func(text string, mode fs.FileMode, modified time.Time) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(text), Mode: mode, ModTime: modified}
	}
	return fstest.MapFS{
		"package.json":     file(packageJSON, 0o600, day),
		"package.nls.json": file(`{"title": {"message": "Hello World"},}`, 0o644, day.AddDate(-1, 0, 0)),
		"README.md":        file("# Hello", 0o644, day),
		"LICENSE":          file("MIT", 0o644, day),
		"LICENSE-MIT":      file("MIT", 0o644, day),
		"media/icon.png":   file("png", 0o644, day),
		"dist/web.js":      file("", 0o644, day),
		"dist/a&b.x<y":     file("", 0o644, day),
		"bin/run":          file("#!/bin/sh", 0o755, day),
		".git/HEAD":        file("ref", 0o644, day.AddDate(1, 0, 0)),
		"hello-1.vsix":     file("old", 0o644, day.AddDate(1, 0, 0)),
	}
}

func packageOf(t *testing.T, dir fs.FS, o Options) []byte {
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
	p := open(t, packageOf(t, folder(), Options{Platform: "linux-x64", PreRelease: true}))
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
		t.Errorf("modified %v, want that of the newest file, %v", p.Modified, day)
	}
	if len(p.Warnings) > 0 {
		t.Errorf("warnings of the package: %q", p.Warnings)
	}
	var entries []string
	err := p.Walk(func(e vsix.Entry, r io.Reader) error {
		entries = append(entries, e.Name+" "+e.Mode.String()[1:4])
		return nil
	})
	want := []string{
		"extension.vsixmanifest rw-", "[Content_Types].xml rw-", "extension/LICENSE-MIT rw-", "extension/LICENSE.txt rw-", "extension/bin/run rwx",
		"extension/dist/a&b.x<y rw-", "extension/dist/web.js rw-", "extension/media/icon.png rw-",
		"extension/package.json rw-", "extension/package.nls.json rw-", "extension/readme.md rw-",
	}
	if err != nil || !slices.Equal(entries, want) {
		t.Errorf("entries %q, %v; want %q", entries, err, want)
	}
}

// TestOneDerivation opens a package with and without its extension.vsixmanifest. What packing
// writes must be the same as what opening derives.
func TestOneDerivation(t *testing.T) {
	archive := packageOf(t, folder(), Options{})
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
	date := time.Unix(1700000000, 0).UTC()
	first := packageOf(t, folder(), Options{Time: date})
	touched := folder()
	for _, f := range touched {
		f.ModTime = f.ModTime.AddDate(0, 1, 0)
		f.Mode &= 0o711 // another umask
	}
	if !bytes.Equal(first, packageOf(t, touched, Options{Time: date})) {
		t.Error("two packages of the same files differ")
	}
	if got := open(t, first).Modified; !got.Equal(date) {
		t.Errorf("modified %v, want %v", got, date)
	}
}

func TestTime(t *testing.T) {
	for _, c := range []struct{ given, want int64 }{
		{0, 315532800}, // a common value of SOURCE_DATE_EPOCH
		{315532799, 315532800},
		{315532802, 315532802},
		{1 << 31, 1 << 31},
		{math.MaxUint32 + 1, math.MaxUint32},
	} {
		got := modified(t, packageOf(t, folder(), Options{Time: time.Unix(c.given, 0)}))
		if got.Unix() != c.want {
			t.Errorf("%d: got %d, want %d", c.given, got.Unix(), c.want)
		}
	}
	old := folder()
	for _, f := range old {
		f.ModTime = time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if got := modified(t, packageOf(t, old, Options{})); got.Year() != 1980 {
		t.Errorf("files of 1960: got %v", got)
	}
}

// modified returns the time of an archive's first entry.
func modified(t *testing.T, archive []byte) time.Time {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	return r.File[0].Modified
}

// TestProgress checks that progress has all bytes, and reports a large file several times.
func TestProgress(t *testing.T) {
	dir := folder()
	dir["large.png"] = &fstest.MapFile{Data: make([]byte, maxBuffered+1), Mode: 0o644, ModTime: day}
	plan, err := Read(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var calls []int64
	err = plan.Write(t.Context(), io.Discard, func(done, total int64) {
		if calls = append(calls, done); done > total {
			t.Errorf("%d of %d bytes", done, total)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, f := range plan.Files {
		sum += f.Size
	}
	if len(calls) < 2*len(plan.Files) || !slices.IsSorted(calls) || calls[len(calls)-1] != sum {
		t.Errorf("%d calls, the last with %d bytes; want %d", len(calls), calls[len(calls)-1], sum)
	}
}

// TestUnusableLinks has symbolic links that cannot be packed: broken ones and one to a folder.
func TestUnusableLinks(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(root, folder()); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"media/gone": "nowhere", "CHANGELOG.md": "nowhere", "folder": "media"} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Skip(err) // most users of Windows may not make links
		}
	}
	plan, err := Read(t.Context(), os.DirFS(root), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range plan.Findings {
		if strings.Contains(f.What, "is a symbolic link") {
			found = append(found, f.Where)
		}
	}
	if want := []string{"CHANGELOG.md", "folder", "media/gone"}; !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
	if _, err := Read(t.Context(), os.DirFS(root), Options{FollowLinks: true}); err != nil {
		t.Error(err)
	}
}

// TestNamedPipe checks that named pipes are not read. Reading one could block.
func TestNamedPipe(t *testing.T) {
	for _, name := range []string{"package.json", "package.nls.json", ".vscodeignore"} {
		dir := folder()
		dir[name] = &fstest.MapFile{Mode: fs.ModeNamedPipe | 0o644}
		_, err := Read(t.Context(), dir, Options{})
		if err == nil || !strings.Contains(err.Error(), "read "+name+": not a regular file") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRefused(t *testing.T) {
	with := func(name, text string) fstest.MapFS {
		dir := maps.Clone(folder())
		dir[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644, ModTime: day}
		return dir
	}
	noIcon := folder()
	delete(noIcon, "media/icon.png")
	for name, c := range map[string]struct {
		dir     fs.FS
		options Options
		want    string
	}{
		"empty":     {fstest.MapFS{}, Options{}, "not an extension's folder"},
		"comment":   {with("package.json", "{ // no\n}"), Options{}, "package.json:1"},
		"mark":      {with("package.json", "\ufeff"+packageJSON), Options{}, "package.json:1"},
		"publisher": {with("package.json", `{"name":"a","version":"1.0.0"}`), Options{}, "publisher is missing"},
		"version":   {with("package.json", `{"name":"a","publisher":"b","version":"1.0"}`), Options{}, `version "1.0"`},
		"engine":    {with("package.json", `{"name":"a","publisher":"b","version":"1.0.0"}`), Options{}, "engines is missing"},
		"nls":       {with("package.nls.json", `{`), Options{}, "package.nls.json: cannot be read"},
		"svg":       {with("package.json", strings.Replace(packageJSON, "icon.png", "icon.svg", 1)), Options{}, "editors do not show SVG"},
		"no icon":   {noIcon, Options{}, "no such file"},
		"platform":  {folder(), Options{Platform: "solaris"}, `target platform "solaris": want one of win32-x64`},
	} {
		t.Run(name, func(t *testing.T) {
			err := Write(io.Discard, c.dir, c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestLargeFile packs a file that is too large to be scanned or buffered.
func TestLargeFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"package.json": `{"name":"large","publisher":"acme","version":"1.0.0","engines":{"vscode":"^1.90.0"}}`, "data": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(filepath.Join(dir, "data"), maxScan+1); err != nil {
		t.Fatal(err)
	}
	p, err := Read(t.Context(), os.DirFS(dir), Options{AllowRepository: true, SkipLicense: true})
	if err != nil {
		t.Fatal(err)
	}
	warned := slices.ContainsFunc(p.Findings, func(f finding.Finding) bool { return f.Where == "data" && f.Warning })
	var archive bytes.Buffer
	if err := p.Write(t.Context(), &archive, nil); err != nil || !warned {
		t.Errorf("%v; findings %v", err, p.Findings)
	}
	z, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	if err != nil {
		t.Fatal(err)
	}
	info, err := fs.Stat(z, "extension/data")
	if err != nil || info.Size() != maxScan+1 {
		t.Errorf("packed %v, %v", info, err)
	}
}
