package publish_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/target"
	"galbuild/render"
)

// packageChunks returns the keys of the chunks with packages at a target.
func packageChunks(t *testing.T, at target.Target) []string {
	t.Helper()
	return slices.DeleteFunc(chunksAt(t, at), func(key string) bool { return !strings.HasPrefix(key, catalog.PackageDir) })
}

// TestPackageChunks publishes a site, loses and damages the chunk with its packages at the target,
// and publishes another generation. The chunk is sent again, verify names it, a pull gets it, and a
// prune removes it when no generation that stays has it.
func TestPackageChunks(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0")
	at, remote := newFolder(t)
	publishSite(t, at, root)
	first := packageChunks(t, at)
	if len(first) != 1 {
		t.Fatalf("the target has the chunks %q", first)
	}
	file := filepath.Join(remote, filepath.FromSlash(first[0]))
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if report, err := publish.Verify(t.Context(), at); err != nil || len(report.Problems) != 1 || !strings.Contains(report.Problems[0], first[0]) {
		t.Errorf("without the chunk: %+v, %v", report, err)
	}
	publishSite(t, at, root)
	serves(t, at)
	if r := publishSite(t, at, root); r.Objects != 0 {
		t.Errorf("%d objects of an unchanged site are sent", r.Objects)
	}

	copied := t.TempDir()
	pull(t, at, copied)
	if c, err := site.ReadCatalog(copied, currentOf(t, copied)); err != nil || len(c.Packages) != 1 {
		t.Errorf("the copy has the packages %+v, %v", c.Packages, err)
	}
	setBase(t, root)
	s := &spy{Target: at}
	publishSite(t, s, root)
	if sent := s.order(); slices.ContainsFunc(sent, func(key string) bool { return strings.HasPrefix(key, catalog.PackageDir) }) {
		t.Errorf("no package has changed, and %q was sent", sent)
	}
	buildSite(t, root, "one@1.0.0", "two@1.0.0")
	publishSite(t, at, root)
	if got := packageChunks(t, at); len(got) != 2 {
		t.Errorf("the target has the chunks %q, want those of two generations", got)
	}
	o := publish.Options{Commit: site.Commit{Keep: 1}}
	if _, err := publish.Prune(t.Context(), at, 0, o); err != nil {
		t.Fatal(err)
	}
	if got := packageChunks(t, at); len(got) != 1 || got[0] == first[0] {
		t.Errorf("after a prune, the target has the chunks %q", got)
	}
	serves(t, at)

	file = filepath.Join(remote, filepath.FromSlash(packageChunks(t, at)[0]))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(text)
	flipped[len(text)/2] ^= 1
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, flipped, 0o644); err != nil {
		t.Fatal(err)
	}
	if report, err := publish.Verify(t.Context(), at); err != nil || len(report.Problems) != 1 || !strings.Contains(report.Problems[0], filepath.Base(file)) {
		t.Errorf("with a damaged chunk: %+v, %v", report, err)
	}
}

// setBase makes a site serve another base URL.
func setBase(t *testing.T, root string) {
	t.Helper()
	dir, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	current := currentOf(t, root)
	c, err := site.ReadCatalog(root, current)
	if err != nil {
		t.Fatal(err)
	}
	c.BaseURL = "https://other.example"
	if err := dir.MarkDirty(); err != nil {
		t.Fatal(err)
	}
	next, err := render.Site(t.Context(), dir, c, site.Generation{Current: current}, nil)
	if err == nil {
		err = render.Commit(t.Context(), dir, site.Generation{Current: next, Catalog: c}, site.Previous{Current: current}, site.Commit{Command: "test"})
	}
	if err != nil {
		t.Fatal(err)
	}
}
