package render

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
)

// replace replaces a file of a site. It does not write to it, because it may be a link to a blob.
func replace(t *testing.T, dir *site.Dir, path, text string) {
	t.Helper()
	if err := errors.Join(os.Remove(dir.Path(path)), os.WriteFile(dir.Path(path), []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// TestVerify damages a site with 5 extensions.
func TestVerify(t *testing.T) {
	const asset, latest = "assets/acme/ext1/1.0.0/" + catalog.PackageAsset, "api/vscode/acme/ext1/latest"
	pkg := "package 1"
	path := blob.Sum([]byte(pkg)).Path()
	remove := func(path string) func(*testing.T, *site.Dir, site.Current) {
		return func(t *testing.T, dir *site.Dir, _ site.Current) {
			if err := os.Remove(dir.Path(path)); err != nil {
				t.Fatal(err)
			}
		}
	}
	with := func(path, text string) func(*testing.T, *site.Dir, site.Current) {
		return func(t *testing.T, dir *site.Dir, _ site.Current) { replace(t, dir, path, text) }
	}
	for name, tt := range map[string]struct {
		damage func(*testing.T, *site.Dir, site.Current)
		want   []string // the beginnings of the problems
	}{
		"nothing":                  {func(*testing.T, *site.Dir, site.Current) {}, nil},
		"a copy instead of a link": {with(asset, pkg), nil},
		"path missing":             {remove(asset), []string{asset + ": no such file"}},
		"path with other content":  {with(asset, "package 2"), []string{asset + ": SHA-256 is"}},
		"page with other content":  {with("index.html", "x"), []string{"index.html: SHA-256 is"}},
		"blob missing":             {remove(path), []string{path + ": no such file"}},
		"blob with other content":  {with(path, "package 2"), []string{path + ": SHA-256 is"}},
		"blob longer":              {with(path, pkg+"x"), []string{path + ": 10 bytes, want 9 as in the catalogue"}},
		"blob shorter":             {with(path, ""), []string{path + ": 0 bytes, want 9 as in the catalogue"}},
		"response missing":         {remove(latest), []string{latest + ": no such file"}},
		"response changed":         {with(latest, "{}"), []string{latest + ": differs from what is derived"}},
		"response longer":          {with(latest, strings.Repeat("x", 1<<20)), []string{latest + ": differs from what is derived"}},
		"manifest missing":         {remove("manifest.json"), []string{"manifest.json: no such file"}},
		"index damaged": {func(t *testing.T, dir *site.Dir, c site.Current) {
			replace(t, dir, c.IndexPath(), "x")
		}, []string{"index/"}},
		"index missing": {func(t *testing.T, dir *site.Dir, c site.Current) {
			remove(c.IndexPath())(t, dir, c)
		}, []string{"index/"}},
		"head missing": {func(t *testing.T, dir *site.Dir, _ site.Current) {
			remove(headOf(t, dir).Path())(t, dir, site.Current{})
		}, []string{"the history is damaged: "}},
		"head changed": {func(t *testing.T, dir *site.Dir, _ site.Current) {
			replace(t, dir, headOf(t, dir).Path(), "x")
		}, []string{"the history is damaged: index/history/1-"}},
		"entry missing": {func(t *testing.T, dir *site.Dir, _ site.Current) {
			remove(entryOf(t, dir, 1))(t, dir, site.Current{})
		}, []string{"the history is damaged: "}},
		"entry changed": {func(t *testing.T, dir *site.Dir, _ site.Current) {
			replace(t, dir, entryOf(t, dir, 1), "{}")
		}, []string{"the history is damaged: private/history/1-"}},
		"catalogue damaged": {func(t *testing.T, dir *site.Dir, c site.Current) {
			replace(t, dir, c.CatalogPath(), "x")
		}, []string{"catalogue: "}},
		"chunks missing": {func(t *testing.T, dir *site.Dir, c site.Current) {
			for path := range chunksOf(t, dir, c) {
				remove(path)(t, dir, c)
			}
		}, []string{catalog.ChunkDir, catalog.ChunkDir}},
		"a chunk that no generation lists": {func(t *testing.T, dir *site.Dir, _ site.Current) {
			if err := dir.WriteFile(catalog.IndexChunkPath(blob.Sum(nil)), nil); err != nil {
				t.Fatal(err)
			}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newSite(t)
			tt.damage(t, dir, serveAll(t, dir, 5))
			checkProblems(t, dir, tt.want)
		})
	}
}

// chunksOf returns the files of the chunks of a generation, by path.
func chunksOf(t *testing.T, dir *site.Dir, c site.Current) map[string]catalog.ChunkFile {
	t.Helper()
	files, err := site.ReadChunks(dir.Root, c)
	if err != nil {
		t.Fatal(err)
	}
	return maps.Collect(catalog.AllChunkFiles(files))
}

// TestVerifyChunks flips a bit in each chunk, makes it longer, and removes it. The problem names
// the chunk, and there is no other problem.
func TestVerifyChunks(t *testing.T) {
	dir := newSite(t)
	current := serve(t, dir, many(t, dir, 90))
	chunks := chunksOf(t, dir, current)
	if len(chunks) < 3 {
		t.Fatal(chunks)
	}
	for path := range chunks {
		sound, err := os.ReadFile(dir.Path(path))
		if err != nil {
			t.Fatal(err)
		}
		flipped := slices.Clone(sound)
		flipped[len(flipped)/3] ^= 4
		replace(t, dir, path, string(flipped))
		checkProblems(t, dir, []string{path + ": SHA-256 is "})
		replace(t, dir, path, string(sound)+"x")
		checkProblems(t, dir, []string{fmt.Sprintf("%s: %d bytes, want %d as in the catalogue", path, len(sound)+1, len(sound))})
		if err := os.Remove(dir.Path(path)); err != nil {
			t.Fatal(err)
		}
		checkProblems(t, dir, []string{path + ": no such file"})
		if err := dir.WriteFile(path, sound); err != nil {
			t.Fatal(err)
		}
	}
	checkProblems(t, dir, nil)
}

// headOf returns the head that CURRENT names.
func headOf(t *testing.T, dir *site.Dir) site.Head {
	t.Helper()
	_, head, err := site.ReadCurrentHead(dir.Root)
	if err != nil {
		t.Fatal(err)
	}
	return head
}

// entryOf returns the path of the entry with a number.
func entryOf(t *testing.T, dir *site.Dir, number int) string {
	t.Helper()
	found, err := filepath.Glob(dir.Path(fmt.Sprintf("private/history/%d-*.json", number)))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	return "private/history/" + filepath.Base(found[0])
}

// TestVerifyLog has entries that are sound, but not those of the head.
func TestVerifyLog(t *testing.T) {
	dir := newSite(t)
	serveAll(t, dir, 1, 2, 3)
	other := newSite(t)
	serveAll(t, other, 1, 3)
	if err := os.Remove(dir.Path(entryOf(t, dir, 2))); err != nil {
		t.Fatal(err)
	}
	checkProblems(t, dir, []string{"the history is damaged: "})
	c := sample(t, other, 4)
	identify(c)
	current, err := Site(t.Context(), other, c, site.Generation{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Switch(t.Context(), current, headOf(t, other)); err != nil { // with the head of another generation
		t.Fatal(err)
	}
	checkProblems(t, other, []string{"the history is damaged: index/history/2-"})
}

// checkProblems checks what Verify reports: problems that begin like those of want, and no others.
func checkProblems(t *testing.T, dir *site.Dir, want []string) {
	t.Helper()
	report, err := Verify(t.Context(), dir.Root)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(report.Problems, want, strings.HasPrefix) {
		t.Errorf("problems %q, want %q", report.Problems, want)
	}
}

// TestVerifyCounts checks the numbers in a report.
func TestVerifyCounts(t *testing.T) {
	dir := newSite(t)
	current := serveAll(t, dir, 5)
	report, err := Verify(t.Context(), dir.Root)
	if err != nil {
		t.Fatal(err)
	}
	// There are 5 packages. The responses are the service manifest and 2 for each extension.
	main, _, err := site.ReadMain(dir.Root, current)
	if err != nil {
		t.Fatal(err)
	}
	contents := make(map[blob.Ref]bool)
	for _, f := range main.Derived {
		contents[f.SHA256] = true
	}
	if derived := len(main.Derived); derived < 10 || report.Files != 5+derived+1+2*5 || report.Blobs != 5+len(contents) {
		t.Errorf("%+v", report)
	}
	if report.Extensions != 5 || report.Versions != 5 || report.Generation != current.Generation || report.Site != dir.Root {
		t.Errorf("%+v", report)
	}
}

// TestVerifyNoSite has folders without a generation.
func TestVerifyNoSite(t *testing.T) {
	dir := newSite(t)
	if _, err := Verify(t.Context(), dir.Root); !errors.Is(err, site.ErrNoGeneration) {
		t.Errorf("an empty site: %v", err)
	}
	serveAll(t, dir, 1)
	replace(t, dir, site.CurrentPath, "x")
	if report, err := Verify(t.Context(), dir.Root); err == nil {
		t.Errorf("CURRENT is damaged: %+v", report)
	}
}

// TestVerifyIndex has indexes that are sound, but not those of the catalogue.
func TestVerifyIndex(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(c *catalog.Catalog) // of the catalogue of the index
		want   []string                 // the problems, after the path of the index
	}{
		"another name": {func(c *catalog.Catalog) { c.Extensions[1].Versions[0].DisplayName = "x" }, []string{"Acme.Ext1 is not as in the catalogue"}},
		"another UUID": {func(c *catalog.Catalog) { c.Extensions[1].UUID = c.Extensions[0].UUID[:35] + "9" }, []string{"Acme.Ext1 is not as in the catalogue"}},
		"one too few":  {func(c *catalog.Catalog) { c.Extensions = c.Extensions[:1] }, []string{"Acme.Ext1 is missing", "assets/acme/ext1/1.0.0/" + catalog.PackageAsset + " is not as in the catalogue"}},
		"one too many": {func(c *catalog.Catalog) {
			more := c.Extensions[1]
			more.Name = "Ext2"
			c.Extensions = append(c.Extensions, more)
		}, []string{"Acme.Ext2 is not in the catalogue"}},
		"another file": {func(c *catalog.Catalog) { c.Extensions[1].Versions[0].Assets[0].Type = "x" }, []string{"Acme.Ext1 is not as in the catalogue", "assets/acme/ext1/1.0.0/" + catalog.PackageAsset + " is not as in the catalogue"}},
		"another blob": {func(c *catalog.Catalog) {
			c.Extensions[1].Versions[0].Assets[0].Ref = c.Extensions[0].Versions[0].Package.Ref
		}, []string{"assets/acme/ext1/1.0.0/" + catalog.PackageAsset + " is not as in the catalogue"}},
		"a file too many": {func(c *catalog.Catalog) {
			v := &c.Extensions[1].Versions[0]
			v.Files = append(v.Files, catalog.File{Path: "extension/x", Ref: v.Package.Ref, Size: v.Package.Size, Type: "text/plain"})
		}, []string{"its content differs from what is derived"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newSite(t)
			c, other := sample(t, dir, 2), sample(t, dir, 2)
			identify(c)
			identify(other)
			tt.change(other)
			var want []string
			mixed := serveMixed(t, dir, c, other)
			for _, w := range tt.want {
				want = append(want, mixed.IndexPath()+": "+w)
			}
			checkProblems(t, dir, want)
		})
	}
}

// serveMixed makes a generation current that has the catalogue c and the index of another one.
func serveMixed(t *testing.T, dir *site.Dir, c, other *catalog.Catalog) site.Current {
	t.Helper()
	current, files, err := Generation(t.Context(), dir, other, Previous{})
	if err != nil {
		t.Fatal(err)
	}
	chunks := slices.Clone(files.Chunks)
	chunks[0].Lines = derive(t, c, make(map[string][]byte)).files[0].Lines
	compressed, err := site.CompressMain(c, chunks)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(dir.Path(current.IndexPath()))
	if err != nil {
		t.Fatal(err)
	}
	mixed := site.MakeCurrent(blob.Sum(compressed), current.Index, blob.Ref{})
	if _, err := Site(t.Context(), dir, c, site.Generation{}, nil); err != nil { // for its pages and static responses
		t.Fatal(err)
	}
	old, err := site.ReadCurrent(dir.Root)
	if err := errors.Join(err, dir.WriteFile(mixed.CatalogPath(), compressed), dir.WriteFile(mixed.IndexPath(), text)); err != nil {
		t.Fatal(err)
	}
	head, err := appendEntry(dir, site.Generation{Current: mixed, Catalog: c}, site.Previous{Current: old}, testCommit)
	if err := errors.Join(err, dir.Switch(t.Context(), mixed, head)); err != nil {
		t.Fatal(err)
	}
	return mixed
}

// TestVerifyOtherVersion has a site that another version of galbuild has rendered. Its index and
// static responses cannot be derived again. Everything else is verified.
func TestVerifyOtherVersion(t *testing.T) {
	dir := newSite(t)
	c := sample(t, dir, 1)
	c.Render = Version - 1
	serve(t, dir, c)
	replace(t, dir, "api/vscode/acme/ext0/latest", "as another version renders it")
	checkProblems(t, dir, nil) // the index has the same bytes
	c.Extensions[0].Versions[0].DisplayName = "x"
	main := sampleOf(t, dir, Version-1)
	main.Derived = c.Derived
	current := serveMixed(t, dir, main, c)
	replace(t, dir, "index.html", "x")
	checkProblems(t, dir, []string{"index.html: SHA-256 is", current.IndexPath() + ": another version of galbuild has rendered it"})
}

// sampleOf returns a catalogue with an extension that a Version has rendered.
func sampleOf(t *testing.T, dir *site.Dir, version int) *catalog.Catalog {
	t.Helper()
	c := sample(t, dir, 1)
	identify(c)
	c.Render = version
	return c
}
