package cmd_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/pack"
	"galbuild/build/site"
)

// TestKilledBuild kills builds with SIGKILL at moments that are spread over a whole run. After
// each, the site is sound and has the old or the new generation. After a build that is not killed,
// the site is the same as one that was built without interruptions.
func TestKilledBuild(t *testing.T) {
	dir := t.TempDir()
	vsixs, root, uninterrupted := filepath.Join(dir, "vsixs"), filepath.Join(dir, "site"), filepath.Join(dir, "uninterrupted")
	build := func(root string) []string { return []string{vsixs, "-o", root, "--now", "2026-01-01T00:00:00Z"} } // pages have dates
	for i := range 20 {
		writePackage(t, vsixs, i)
	}
	for _, root := range []string{root, uninterrupted} {
		mustBuild(t, build(root)...)
	}
	for i := range 100 {
		writePackage(t, vsixs, i)
	}
	start := time.Now()
	mustBuild(t, build(uninterrupted)...)
	duration := time.Since(start)

	const kills = 12
	for i := range kills {
		run := exec.Command("galbuild", build(root)...)
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(duration * time.Duration(i) / kills)
		_ = run.Process.Kill() // it may have finished
		_ = run.Wait()
		mustBuild(t, "verify", root)
	}
	mustBuild(t, build(root)...)
	mustBuild(t, "verify", root)
	compareContent(t, root, uninterrupted)
	checkHistory(t, root)
	checkChunks(t, root)
}

// checkChunks checks that a site has the chunks of its generations, and no others.
func checkChunks(t *testing.T, root string) {
	t.Helper()
	mains, err := filepath.Glob(filepath.Join(root, "index", "*", site.CatalogName))
	if err != nil || len(mains) == 0 {
		t.Fatal(mains, err)
	}
	want := make(map[string]bool)
	for _, file := range mains {
		main, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, files, err := site.DecompressMain(main)
		if err != nil {
			t.Fatal(err)
		}
		for path := range catalog.AllChunkFiles(files) {
			want[filepath.Join(root, filepath.FromSlash(path))] = true
		}
	}
	found, err := filepath.Glob(filepath.Join(root, "index", "chunks", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if all := slices.Sorted(maps.Keys(want)); !slices.Equal(found, all) {
		t.Errorf("the site has the chunks %q, want %q", found, all)
	}
}

// compareContent compares two sites, except for older generations and the work directory.
func compareContent(t *testing.T, got, want string) {
	t.Helper()
	for _, part := range []string{"blobs", "assets", "control.json", "index.html"} {
		out, err := exec.Command("diff", "-r", filepath.Join(got, part), filepath.Join(want, part)).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", part, err, out)
		}
	}
	if got, want := currentOf(t, got), currentOf(t, want); generationOf(got) != generationOf(want) {
		t.Errorf("%s\n%s", got, want)
	}
}

func currentOf(t *testing.T, site string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(site, "index", "CURRENT"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkHistory checks that the history of a site has no files that killed commands have left: one
// entry and one head for each number.
func checkHistory(t *testing.T, site string) {
	t.Helper()
	for folder, suffix := range map[string]string{"index": "head", "private": "json"} {
		files, err := filepath.Glob(filepath.Join(site, folder, "history", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range files {
			if found, err := filepath.Glob(filepath.Join(site, folder, "history", fmt.Sprintf("%d-*.%s", i+1, suffix))); err != nil || len(found) != 1 {
				t.Errorf("%q: %v, %q", found, err, files)
			}
		}
	}
}

func mustBuild(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("galbuild", args...).CombinedOutput(); err != nil {
		t.Fatalf("galbuild %v: %v\n%s", args, err, out)
	}
}

func writePackage(t *testing.T, dir string, i int) { writeVersion(t, dir, i, "1.0.0") }

func writeVersion(t *testing.T, dir string, i int, version string) {
	t.Helper()
	when := time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s), ModTime: when} }
	var archive bytes.Buffer
	err := pack.Write(&archive, fstest.MapFS{
		"package.json": text(fmt.Sprintf(`{"name":"ext-%d","publisher":"acme","version":%q,"categories":["Themes"],"main":"main.js","activationEvents":[],"engines":{"vscode":"^1.80.0"}}`, i, version)),
		"README.md":    text(fmt.Sprintf("# Extension %d\n", i)),
		"main.js":      text(fmt.Sprintf("exports.activate = () => %d;\n", i)),
	}, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("ext-%d-%s.vsix", i, version)), archive.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
