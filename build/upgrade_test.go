package build

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// builtEarlier returns a catalogue of an earlier galbuild, which accepted a package.
func builtEarlier(pkg []byte, version string) *catalog.Catalog {
	file := catalog.File{Ref: blob.Sum(pkg), Size: int64(len(pkg)), Type: "application/vsix"}
	when := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	return &catalog.Catalog{Extensions: []catalog.Extension{{
		Publisher: catalog.Publisher{ID: uuidOf("acme"), Name: "acme", DisplayName: "acme"},
		Name:      "hello", UUID: uuidOf("acme.hello"), Released: when, Published: when, Updated: when,
		Versions: []catalog.Version{{
			Version: version, DisplayName: "as it was", Updated: when, Package: file,
			Assets: []catalog.Asset{{Type: catalog.PackageAsset, File: file}},
		}},
	}}}
}

// TestUpgrade has sites of an earlier galbuild with versions that newer rules refuse, and no
// build cache. The versions stay as they were while the site and a source have them.
func TestUpgrade(t *testing.T) {
	for name, c := range map[string]struct{ packageJSON, version, want string }{
		"byte order mark": {"\ufeff" + helloJSON, "1.0.0", "byte order mark"},
		"no engine":       {`{"name":"hello","publisher":"acme","version":"1.0.0"}`, "1.0.0", "engines.vscode is missing"},
		"no publisher":    {`{"name":"hello","version":"1.0.0","engines":{"vscode":"*"}}`, "1.0.0", "publisher is missing"},
		"large version":   {strings.Replace(helloJSON, "1.0.0", "1.20240101235959999.0", 1), "1.20240101235959999.0", "a number is too large"},
	} {
		t.Run(name, func(t *testing.T) {
			pkg := archive(t, map[string]string{"extension/package.json": c.packageJSON})
			old := builtEarlier(pkg, c.version)
			result := rebuild(t, pkg, old)
			key := "acme.hello@" + c.version
			if !slices.Equal(result.Report.Kept, []string{key}) || len(result.Report.Removed) > 0 {
				t.Errorf("kept %q, removed %q", result.Report.Kept, result.Report.Removed)
			}
			if e := result.Catalog.Find("acme.hello"); e == nil || len(e.Versions) != 1 || e.Versions[0].DisplayName != "as it was" {
				t.Errorf("the catalogue has %+v", e)
			}
			refused := result.Report.Refused
			if len(refused) != 1 || !strings.Contains(refused[0].Reason, c.want) || !strings.HasSuffix(refused[0].Reason, "; the gallery keeps "+key+" as it was until it is removed with galbuild remove") {
				t.Errorf("refused %v", refused)
			}
			if removed := rebuild(t, pkg, &catalog.Catalog{}); len(removed.Catalog.Extensions)+len(removed.Report.Kept) > 0 || strings.Contains(removed.Report.Refused[0].Reason, "keeps") {
				t.Errorf("after it was removed: %+v", removed.Report)
			}
			changed := append(slices.Clip(pkg[:len(pkg)-2]), "\x01\x00 "...) // different content: a comment
			if other := rebuild(t, changed, old); !slices.Equal(other.Report.Removed, []string{key}) {
				t.Errorf("of another package: removed %q", other.Report.Removed)
			}
		})
	}
}

// rebuild builds a site that has old from one package.
func rebuild(t *testing.T, pkg []byte, old *catalog.Catalog) *Result {
	t.Helper()
	dir, err := site.Lock(filepath.Join(t.TempDir(), "site"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	file := filepath.Join(t.TempDir(), "hello.vsix")
	if err := os.WriteFile(file, pkg, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Blobs.PutBytes(pkg); err != nil {
		t.Fatal(err)
	}
	result, err := Run(context.Background(), Config{
		Sources: []string{file}, Settings: catalog.Settings{Unpack: "web"}, Site: dir, Generation: "earlier",
		Old: func() (*catalog.Catalog, error) { return old, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestFileBecomesInvalid has a file whose content is replaced from run to run. The version that the
// gallery has from it stays until the file is valid again, however often it is replaced.
func TestFileBecomesInvalid(t *testing.T) {
	good := archive(t, map[string]string{"extension/package.json": helloJSON})
	other := archive(t, map[string]string{"extension/package.json": helloJSON, "extension/more": "x"})
	dir, err := site.Lock(filepath.Join(t.TempDir(), "site"))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	file := filepath.Join(t.TempDir(), "hello.vsix")
	for name, steps := range map[string][][]byte{
		"changed, then invalid":         {other, []byte("no zip")},
		"changed, then invalid twice":   {other, other, []byte("no zip"), []byte("none either")},
		"invalid after another command": {nil, []byte("no zip")}, // nil: a generation without reading the sources
	} {
		t.Run(name, func(t *testing.T) {
			last, generation := &catalog.Catalog{}, "0"
			for i, content := range append([][]byte{good}, steps...) {
				if content == nil {
					generation = "of another command"
					continue
				}
				if err := os.WriteFile(file, content, 0o600); err != nil {
					t.Fatal(err)
				}
				result, err := Run(context.Background(), Config{
					Sources: []string{file}, Settings: catalog.Settings{Unpack: "web"}, Site: dir, Generation: generation,
					Old: func() (*catalog.Catalog, error) { return last, nil },
				})
				if err != nil {
					t.Fatal(err)
				}
				last, generation = result.Catalog, strings.Repeat("x", i+1)
				if err := result.StoreCache(generation); err != nil {
					t.Fatal(err)
				}
				if last.Find("acme.hello") == nil {
					t.Fatalf("step %d: removed %v, refused %v", i, result.Report.Removed, result.Report.Refused)
				}
			}
		})
	}
}
