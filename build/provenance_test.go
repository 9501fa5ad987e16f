package build

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/source"
	"galbuild/build/vsix"
)

// TestPackages checks what is kept about packages: where each came from, also if two files are the
// same package, and after the package has left the sources.
func TestPackages(t *testing.T) {
	hello := archiveOf(t, time.Time{}, "extension/package.json",
		`{"publisher":"Acme","name":"hello","version":"1.0.0","license":"mit","engines":{"vscode":"*"}}`)
	first := buildFrom(t, nil, map[string][]byte{"a/x.vsix": hello, "b/y.vsix": hello})
	want := []catalog.Package{{SHA256: blob.Sum(hello), ID: "acme.hello@1.0.0", Licence: "MIT", Sources: []catalog.Source{{Path: "a/x.vsix"}, {Path: "b/y.vsix"}}}}
	if !equalPackages(first.Packages, want) || first.Extensions[0].Versions[0].Licence != "MIT" {
		t.Errorf("got %+v, want %+v", first.Packages, want)
	}
	second := buildFrom(t, first, map[string][]byte{"c.vsix": hello})
	want[0].Sources = append(want[0].Sources, catalog.Source{Path: "c.vsix"})
	if !equalPackages(second.Packages, want) {
		t.Errorf("from another file: got %+v, want %+v", second.Packages, want)
	}
	other := archiveOf(t, time.Time{}, "extension/package.json", `{"publisher":"Acme","name":"other","version":"1.0.0","engines":{"vscode":"*"}}`)
	third := buildFrom(t, second, map[string][]byte{"other.vsix": other})
	want = catalog.Packages(append(want, catalog.Package{SHA256: blob.Sum(other), ID: "acme.other@1.0.0", Sources: []catalog.Source{{Path: "other.vsix"}}}))
	if len(third.Extensions) != 1 || !equalPackages(third.Packages, want) {
		t.Errorf("after it was removed: got %+v, want %+v", third.Packages, want)
	}
	if !Carries(third, second) || Carries(second, third) {
		t.Error("it is not noticed that a catalogue has packages that another one does not have")
	}
	carried, _, err := Receiver{Old: third}.Decide(first, third.Records)
	if err != nil || !equalPackages(carried.Packages, want) || len(carried.Extensions) != 1 {
		t.Errorf("carried: got %+v, want %+v, %v", carried, want, err)
	}
}

func equalPackages(a, b []catalog.Package) bool {
	return len(a) == len(b) && catalog.IncludesPackages(a, b) && catalog.IncludesPackages(b, a)
}

// buildFrom returns the catalogue of a site after a run with these files as its sources, and with
// the last catalogue old.
func buildFrom(t *testing.T, old *catalog.Catalog, files map[string][]byte) *catalog.Catalog {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := Config{Sources: []string{dir}, Site: newReader(t, vsix.Limits{}).Site}
	if old != nil {
		c.Old = func() (*catalog.Catalog, error) { return old, nil }
	}
	result, err := Run(t.Context(), c)
	if err != nil || len(result.Report.Refused) > 0 {
		t.Fatal(err, result)
	}
	return result.Catalog
}

// TestSourceOf checks that every name of a file can be kept.
func TestSourceOf(t *testing.T) {
	long := strings.Repeat("x", 2*catalog.MaxSourceText)
	for origin, want := range map[string]catalog.Source{
		"a/x.vsix":            {Path: "a/x.vsix"},
		"https://host/x.vsix": {URL: "https://host/x.vsix"},
		"\x1b[2J\xff.vsix":    {Path: "\uFFFD[2J\uFFFD.vsix"},
		"-":                   {Path: "-"},
	} {
		if got := sourceOf(&source.Item{Origin: origin}); catalog.CompareSources(got, want) != 0 {
			t.Errorf("%q: got %+v, want %+v", origin, got, want)
		}
	}
	p := catalog.Package{SHA256: blob.Sum(nil), ID: "acme.hello@1.0.0", Sources: []catalog.Source{sourceOf(&source.Item{Origin: long})}}
	if err := p.Check(); err != nil || slices.Contains([]string{"", long}, p.Sources[0].Path) {
		t.Errorf("%.50s…: %v", p.Sources[0].Path, err)
	}
}
