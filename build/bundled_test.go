package build

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/site"
)

// TestBundled checks that the npm packages in a package are recorded, and that they stay when a run
// does not read the package again.
func TestBundled(t *testing.T) {
	dir, err := site.Lock(filepath.Join(t.TempDir(), "site"))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	sources, last, generation := t.TempDir(), &catalog.Catalog{}, "0"
	want := []catalog.Bundled{{Name: "@types/node", Version: "20.1.0", Licence: "MIT"}, {Name: "left-pad", Version: "1.3.0"}}
	for i, pkg := range [][]byte{
		archiveOf(t, time.Time{}, "extension/package.json", helloJSON,
			"extension/node_modules/left-pad/package.json", `{"name":"left-pad","version":"1.3.0"}`,
			"extension/node_modules/left-pad/node_modules/@types/node/package.json", `{"name":"@types/node","version":"20.1.0","license":"mit"}`),
		archiveOf(t, time.Time{}, "extension/package.json", `{"publisher":"Acme","name":"other","version":"1.0.0","engines":{"vscode":"*"}}`),
	} {
		if err := os.WriteFile(filepath.Join(sources, generation+".vsix"), pkg, 0o600); err != nil {
			t.Fatal(err)
		}
		var read []string
		result, err := Run(context.Background(), Config{
			Sources: []string{sources}, Site: dir, Generation: generation, Jobs: 1,
			Old: func() (*catalog.Catalog, error) { return last, nil },
			Progress: func(p Progress) {
				if p.Stage == "read" {
					read = append(read, p.Name)
				}
			},
		})
		if err != nil || len(read) != 1 {
			t.Fatalf("run %d: read %q, %v", i, read, err)
		}
		last, generation = result.Catalog, "1"
		if err := result.StoreCache(generation); err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(last.Packages, func(p catalog.Package) bool { return p.ID == "acme.hello@1.0.0" })
		if got := last.Packages[at].Bundled; !slices.Equal(got, want) {
			t.Errorf("run %d: got %v, want %v", i, got, want)
		}
	}
}
