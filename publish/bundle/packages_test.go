package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// withPackages makes a site serve a catalogue with packages of many extensions, and others.
func withPackages(t *testing.T, root string, others ...string) {
	t.Helper()
	dir, c := openSite(t, root)
	defer dir.Close()
	for _, name := range many(others...) {
		id := fmt.Sprintf("acme.%s@1.0.0", name)
		c.Packages = append(c.Packages, catalog.Package{SHA256: blob.Sum([]byte(id)), ID: id})
	}
	c.Packages = catalog.Packages(c.Packages)
	serve(t, dir, c)
}

// TestDeltaOfPackages adds a package to many. The delta carries one chunk with packages, and is
// refused by a site that has lost another one.
func TestDeltaOfPackages(t *testing.T) {
	old, root := newSite(t, "one"), newSite(t, "one")
	withPackages(t, old)
	withPackages(t, root, "new")
	isOfPackages := func(name string) bool { return strings.HasPrefix(name, catalog.PackageDir) }
	first, delta := export(t, old), export(t, root, old)
	of := func(archive string) []string {
		return slices.DeleteFunc(chunksIn(t, archive), func(name string) bool { return !isOfPackages(name) })
	}
	all, carried := of(first), of(delta)
	if len(all) < 2 || len(carried) != 1 {
		t.Errorf("the delta has %d chunks of %d", len(carried), len(all))
	}
	if _, c, err := ReadCatalog(t.Context(), delta, site.LinesIn(old)); err != nil || len(c.Packages) != 301 {
		t.Errorf("the catalogue of the delta: %v", err)
	}
	if _, _, err := ReadCatalog(t.Context(), delta, nil); err == nil {
		t.Error("the catalogue of the delta was read without its base")
	}
	target := filepath.Join(t.TempDir(), "site")
	mustImport(t, ImportConfig{Archive: first, Site: target, Commit: testCommit})
	shared := of(export(t, root))
	lost := all[slices.IndexFunc(all, func(name string) bool { return slices.Contains(shared, name) })]
	file, kept := filepath.Join(target, filepath.FromSlash(lost)), filepath.Join(target, filepath.FromSlash(importedPath(lost)))
	text, err := os.ReadFile(file)
	if err := errors.Join(err, os.Remove(file), os.Remove(kept)); err != nil {
		t.Fatal(err)
	}
	if _, err := Import(t.Context(), ImportConfig{Archive: delta, Site: target, Commit: testCommit}); !errors.Is(err, ErrLeftOut) || !strings.Contains(err.Error(), filepath.Base(file)) {
		t.Errorf("without a chunk: got %v, want ErrLeftOut", err)
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	mustImport(t, ImportConfig{Archive: delta, Site: target, Commit: testCommit, AllowOlder: true})
	mustVerify(t, target)
	if c, err := site.ReadCatalog(target, mustCurrent(t, target)); err != nil || len(c.Packages) != 301 {
		t.Errorf("got %v", err)
	}
}

// TestForgedPackages refuses an archive with a chunk of packages that no private file names, and
// one without a chunk that one names.
func TestForgedPackages(t *testing.T) {
	root := newSite(t, "one")
	withPackages(t, root)
	archive := export(t, root)
	at := find(readEntries(t, archive), catalog.PackageDir)
	more := catalog.PackagesPath(blob.Sum([]byte("more")))
	for want, forge := range map[string]func(all []entry) []entry{
		"the catalogue does not list this chunk": func(all []entry) []entry { return with(all, at, more, '0', "", "more") },
		"the chunk is missing":                   func(all []entry) []entry { return slices.Delete(all, at, at+1) },
	} {
		file := filepath.Join(t.TempDir(), "forged.tar")
		if err := os.WriteFile(file, writeEntries(t, sorted(forge(readEntries(t, archive)))), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Import(t.Context(), ImportConfig{Archive: file, Site: filepath.Join(t.TempDir(), "site")}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
