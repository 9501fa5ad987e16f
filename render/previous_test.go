package render

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/index"
)

// many returns a catalogue with n extensions, in more than one chunk of the index, and without a
// base URL: static responses would take most of the time.
func many(t *testing.T, dir *site.Dir, n int) *catalog.Catalog {
	t.Helper()
	c := sample(t, dir, 0)
	c.BaseURL, c.NoPages = "", true
	for i := range n {
		c.Extensions = append(c.Extensions, extension(t, dir, fmt.Sprintf("Ext%04d", i), "package", i))
	}
	identify(c)
	return c
}

// generationFiles returns the files of the current generation of a site with its chunks.
func generationFiles(t *testing.T, root string) map[string]blob.Ref {
	t.Helper()
	files := make(map[string]blob.Ref)
	current, err := site.ReadCurrent(root)
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := site.ReadChunks(root, current)
	if err != nil {
		t.Fatal(err)
	}
	all := hashesOf(t, root)
	for _, f := range current.Files() {
		files[f.Path] = all[f.Path]
	}
	for path := range catalog.AllChunkFiles(chunks) {
		files[path] = all[path]
	}
	return files
}

// droppedOf returns the version of an extension as one that was dropped.
func droppedOf(e catalog.Extension) catalog.Dropped {
	v := e.Versions[0]
	v.Publisher, v.Name = e.Publisher.Name, e.Name
	return catalog.Dropped{Since: v.Updated, Version: v}
}

// TestSiteLikeFresh changes a site many times. After each change, its generation has the same files
// as in a site that is made of the same catalogue at once.
func TestSiteLikeFresh(t *testing.T) {
	dir := newSite(t)
	c := many(t, dir, 120)
	alone := addAlone(t, dir, c)
	gone := droppedOf(c.Extensions[alone])
	remove := func(i int) func() { return func() { c.Extensions = slices.Delete(slices.Clone(c.Extensions), i, i+1) } }
	insert := func(e catalog.Extension) func() {
		return func() {
			i, _ := slices.BinarySearchFunc(c.Extensions, e.Key(), func(x catalog.Extension, key string) int { return strings.Compare(x.Key(), key) })
			c.Extensions = slices.Insert(slices.Clone(c.Extensions), i, e)
		}
	}
	first, last := c.Extensions[0], c.Extensions[121]
	only := c.Extensions[alone]
	for _, step := range []struct {
		name   string
		change func()
	}{
		{"everything", func() {}},
		{"nothing", func() {}},
		{"the first one removed", remove(0)},
		{"and added", insert(first)},
		{"the last one removed", remove(121)},
		{"and added", insert(last)},
		{"a version dropped", func() { c.Dropped = []catalog.Dropped{gone} }},
		{"its extension, which has a chunk of its own, removed", remove(alone)},
		{"and added", insert(only)},
		{"no version dropped", func() { c.Dropped = nil }},
		{"a policy", func() { c.Policy = `{"publishers": {"acme": {"displayName": "Other"}}}` }},
		{"another version of an extension", func() {
			c.Extensions = slices.Clone(c.Extensions)
			c.Extensions[70].Versions = slices.Clone(c.Extensions[70].Versions)
			c.Extensions[70].Versions[0].DisplayName = "Other"
		}},
		{"statistics", func() { setInstalls(c, 1) }},
		{"other statistics", func() { setInstalls(c, 300) }},
		{"no policy", func() { c.Policy = "" }},
		{"only one extension", func() { c.Extensions = c.Extensions[100:101] }},
		{"none", func() { c.Extensions = nil }},
		{"two", func() { c.Extensions = []catalog.Extension{first, last} }},
	} {
		step.change()
		switchTo(t, dir, c, 0)
		fresh := newSite(t)
		switchTo(t, fresh, c, 0)
		if got, want := generationFiles(t, dir.Root), generationFiles(t, fresh.Root); !maps.Equal(got, want) {
			t.Fatalf("%s: the generation has %v, want %v", step.name, got, want)
		}
	}
}

// addAlone adds two extensions with which chunks begin, so that the first one has a chunk of its
// own. It returns the number of that one.
func addAlone(t *testing.T, dir *site.Dir, c *catalog.Catalog) int {
	t.Helper()
	var candidates catalog.Catalog
	for i := range 5000 {
		candidates.Extensions = append(candidates.Extensions, catalog.Extension{Publisher: catalog.Publisher{Name: "Acme"}, Name: fmt.Sprintf("Ext0050x%04d", i)})
	}
	const number = 51 // after Ext0050
	for i, chunk := range candidates.Chunks()[1:3] {
		c.Extensions = slices.Insert(c.Extensions, number+i, extension(t, dir, chunk.Extensions[0].Name, "package", 0))
	}
	identify(c)
	if chunks := (&catalog.Catalog{Extensions: c.Extensions[number:]}).Chunks(); len(chunks[0].Extensions) != 1 {
		t.Fatal("the extension has no chunk of its own")
	}
	return number
}

// chunkPaths returns the paths of the files below index/chunks/ with what describes them.
func chunkPaths(t *testing.T, dir *site.Dir) map[string]os.FileInfo {
	t.Helper()
	files := make(map[string]os.FileInfo)
	err := fs.WalkDir(os.DirFS(dir.Root), strings.TrimSuffix(catalog.ChunkDir, "/"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[path], err = d.Info()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestOneAdded counts the files that are written if one extension of many is added: a chunk of the
// catalogue and one of the index, and if a chunk begins with the extension, one more of each.
func TestOneAdded(t *testing.T) {
	for _, added := range []int{0, 77, 249} {
		dir := newSite(t)
		all := many(t, dir, 250)
		less := *all
		less.Extensions = slices.Delete(slices.Clone(all.Extensions), added, added+1)
		switchTo(t, dir, &less, 0)
		before := chunkPaths(t, dir)
		switchTo(t, dir, all, 0)
		written := make(map[string]int)
		for path, info := range chunkPaths(t, dir) {
			if old := before[path]; old == nil || !os.SameFile(old, info) {
				written[path[strings.LastIndex(path, "."):]]++
			}
		}
		if n := len(before); n < 6 {
			t.Fatalf("the site has only %d chunks", n)
		}
		if lines, parts := written[".zst"], written[".idx"]; lines < 1 || lines > 2 || parts < 1 || parts > 2 {
			t.Errorf("number %d: %d chunks of the catalogue and %d of the index are written", added, lines, parts)
		}
	}
}

// setInstalls sets the number of installs of each extension to a multiple of n.
func setInstalls(c *catalog.Catalog, n int64) {
	c.Extensions = slices.Clone(c.Extensions)
	for i := range c.Extensions {
		e := &c.Extensions[i]
		e.Versions = slices.Clone(e.Versions)
		e.Versions[0].Sidecar = &catalog.Sidecar{Statistics: &catalog.Statistics{Install: n * int64(1+i%17), AverageRating: 4.5, RatingCount: n}}
		e.SetStatistics()
	}
}

// TestNewStatistics gives all extensions other statistics. Only the main file of the catalogue,
// which has them, the index, the home page, and the files with statistics and search data are other
// files than before: no chunk, no static response, and no page of an extension.
func TestNewStatistics(t *testing.T) {
	dir := newSite(t)
	c := many(t, dir, 120)
	c.BaseURL, c.NoPages = "https://gal.example", false
	setInstalls(c, 1)
	switchTo(t, dir, c, 0)
	old := hashesOf(t, dir.Root)
	setInstalls(c, 1000)
	after := switchTo(t, dir, c, 0)
	var more []string
	expected := []string{"index/history/", "private/history/", "blobs/", "statistics/", "search/", "index.html"}
	for path, sum := range hashesOf(t, dir.Root) {
		if old[path] != sum && !slices.ContainsFunc(expected, func(prefix string) bool { return strings.HasPrefix(path, prefix) }) {
			more = append(more, path)
		}
	}
	slices.Sort(more)
	if want := []string{site.CurrentPath, after.CatalogPath(), after.IndexPath()}; !slices.Equal(more, slices.Sorted(slices.Values(want))) {
		t.Errorf("the files %q are new, want %q", more, want)
	}
	got, err := site.ReadCatalog(dir.Root, after)
	if err != nil || got.Extensions[3].Statistics == nil || got.Extensions[3].Statistics.Install != 4000 {
		t.Errorf("read again, the catalogue is %+v, %v", got, err)
	}
	if report, err := Verify(t.Context(), dir.Root); err != nil || len(report.Problems) > 0 {
		t.Errorf("verify: %+v, %v", report, err)
	}
}

// TestNewStatisticsPutNothing derives a generation with other statistics than the one before. No
// chunk is put, not even one that would have the same bytes.
func TestNewStatisticsPutNothing(t *testing.T) {
	c := sample(t, newSite(t), 3)
	setInstalls(c, 1)
	previous := Previous{c, derive(t, c, make(map[string][]byte)).files}
	next := *c
	setInstalls(&next, 1000)
	d := newDerivation(&next, func(path string, _ []byte) error { return fmt.Errorf("%s is put", path) })
	d.reusable = previous.reusable(&next, func(string, int64) bool { return true })
	if _, err := d.run(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOneChangedPutsOneChunk derives a generation in which one extension differs from the one
// before. Only the lines of its chunk of the catalogue and its chunk of the index are put.
func TestOneChangedPutsOneChunk(t *testing.T) {
	c := many(t, newSite(t), 120)
	if n := len(c.Chunks()[0].IndexChunks()); n < 2 {
		t.Fatalf("the first chunk has %d chunks of the index", n)
	}
	previous := Previous{c, derive(t, c, make(map[string][]byte)).files}
	next := *c
	next.Extensions = slices.Clone(c.Extensions)
	next.Extensions[0].Versions = slices.Clone(c.Extensions[0].Versions)
	next.Extensions[0].Versions[0].Description = "Another description"
	var mutex sync.Mutex
	put := make(map[string]int)
	d := newDerivation(&next, func(p string, _ []byte) error {
		mutex.Lock()
		defer mutex.Unlock()
		put[path.Ext(p)]++
		return nil
	})
	d.reusable = previous.reusable(&next, func(string, int64) bool { return true })
	all, err := d.run(t.Context())
	if err != nil || put[".zst"] != 1 || put[".idx"] != 1 {
		t.Errorf("put %v, %v", put, err)
	}
	if want := derive(t, &next, make(map[string][]byte)).files; !reflect.DeepEqual(all.files, want) {
		t.Errorf("the files are %+v, want %+v", all.files, want)
	}
}

// TestReuse damages the only chunk of the index without changing its size. If it is used again, it
// stays damaged. Otherwise it is sound again.
func TestReuse(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(c *catalog.Catalog)
		reused bool
	}{
		"nothing":           {func(*catalog.Catalog) {}, true},
		"statistics":        {func(c *catalog.Catalog) { setInstalls(c, 7) }, true},
		"another setting":   {func(c *catalog.Catalog) { c.BaseURL, c.Featured = "https://other.example", nil }, true},
		"the policy":        {func(c *catalog.Catalog) { c.Policy = "{} // it says the same" }, false},
		"the version":       {func(c *catalog.Catalog) { c.Render = Version - 1 }, false},
		"a dropped version": {func(c *catalog.Catalog) { c.Dropped = []catalog.Dropped{droppedOf(c.Extensions[0])} }, false},
	} {
		dir := newSite(t)
		c := sample(t, dir, 2)
		path := onlyIndexChunk(t, dir, serve(t, dir, c))
		sound, err := os.ReadFile(dir.Path(path))
		if err != nil {
			t.Fatal(err)
		}
		damaged := strings.Repeat("x", len(sound))
		replace(t, dir, path, damaged)
		tt.change(c)
		serve(t, dir, c)
		got, err := os.ReadFile(dir.Path(path))
		if err != nil || (string(got) == damaged) != tt.reused || !tt.reused && string(got) != string(sound) && name != "a dropped version" {
			t.Errorf("%s: used again: %t, want %t (%v)", name, string(got) == damaged, tt.reused, err)
		}
	}
}

// onlyIndexChunk returns the path of the only chunk of an index.
func onlyIndexChunk(t *testing.T, dir *site.Dir, c site.Current) string {
	t.Helper()
	files, err := site.ReadChunks(dir.Root, c)
	if err != nil || len(files) != 1 || len(files[0].Index) != 1 {
		t.Fatal(files, err)
	}
	return catalog.IndexChunkPath(files[0].Index[0].SHA256)
}

// TestLostChunk removes the files of chunks, or makes them longer. The next build that renders the
// site writes them again, also if the catalogue has not changed.
func TestLostChunk(t *testing.T) {
	for name, lose := range map[string]func(file string) error{
		"missing": os.Remove,
		"longer":  func(file string) error { return appendTo(file, "x") },
		"empty":   func(file string) error { return os.Truncate(file, 0) },
	} {
		dir := newSite(t)
		c := many(t, dir, 90)
		current := switchTo(t, dir, c, 0)
		want := hashesOf(t, dir.Root)
		for path := range chunksOf(t, dir, current) {
			if err := lose(dir.Path(path)); err != nil {
				t.Fatal(err)
			}
		}
		if dir.HasGeneration(current.Generation) {
			t.Errorf("%s: the generation is complete", name)
		}
		switchTo(t, dir, c, 0)
		if got := hashesOf(t, dir.Root); !maps.Equal(got, want) || !dir.HasGeneration(current.Generation) {
			t.Errorf("%s: the site has %v, want %v", name, got, want)
		}
	}
}

func appendTo(file, text string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// TestGenerationOnly has a target with a generation. Only the chunks are written that it lacks, and
// the generation is the one of a site.
func TestGenerationOnly(t *testing.T) {
	dir := newSite(t)
	all := many(t, dir, 600)
	less := *all
	less.Extensions = all.Extensions[:599]
	old := newSite(t)
	current := switchTo(t, old, &less, 0)
	files, err := site.ReadChunks(old.Root, current)
	if err != nil {
		t.Fatal(err)
	}
	scratch := newSite(t)
	if err := Derive(t.Context(), scratch, all, Known{}); err != nil {
		t.Fatal(err)
	}
	got, chunks, err := Generation(t.Context(), scratch, all, Previous{Catalog: &less, Chunks: files})
	if err != nil {
		t.Fatal(err)
	}
	if want := switchTo(t, dir, all, 0); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	var missing int
	for path, f := range chunks.All() {
		switch there := scratch.HasChunk(path, f.Size); {
		case !there && !old.HasChunk(path, f.Size):
			t.Errorf("%s is nowhere", path)
		case !there:
			missing++
		}
	}
	if missing == 0 {
		t.Error("no chunk is used again")
	}
}

// TestPreviousUntrusted has a main file that lists too few chunks of the index. It is not used.
func TestPreviousUntrusted(t *testing.T) {
	dir := newSite(t)
	c := many(t, dir, 90)
	want := switchTo(t, dir, c, 0)
	files, err := site.ReadChunks(dir.Root, want)
	if err != nil {
		t.Fatal(err)
	}
	files[0].Index = files[0].Index[:1]
	got, _, err := Generation(t.Context(), newSite(t), c, Previous{Catalog: c, Chunks: files})
	if err != nil || got != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

// TestSiteOfOtherVersion has a chunk whose compressed JSON differs from what this program
// compresses. If another extension of the chunk changes, it is copied only if this Version has
// rendered it.
func TestSiteOfOtherVersion(t *testing.T) {
	for name, tt := range map[string]struct {
		version int
		copied  bool
	}{
		"this version":    {Version, true},
		"another version": {Version - 1, false},
	} {
		dir := newSite(t)
		c := sample(t, dir, 2)
		identify(c)
		c.Render = tt.version
		previous := compressedOtherwise(t, dir, c)
		c.Render = Version
		c.Extensions[1].Versions[0].DisplayName = "Other"
		current, err := Site(t.Context(), dir, c, site.Generation{Current: previous}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ix, err := index.Open(dir.Path(current.IndexPath()), index.ChunksIn(dir.Path(catalog.ChunkDir)))
		if err != nil {
			t.Fatal(err)
		}
		defer ix.Close()
		for i, want := range []bool{tt.copied, false} {
			hit, _ := ix.Find(c.Extensions[i].Key())
			payload, err := ix.Payload(hit, index.Latest)
			if got := string(payload.Deflated) == otherwise; err != nil || got != want {
				t.Errorf("%s: extension %d: copied: %t, want %t (%v)", name, i, got, want, err)
			}
		}
	}
}

const otherwise = "compressed in another way"

// compressedOtherwise writes a generation whose payloads are compressed in another way.
func compressedOtherwise(t *testing.T, dir *site.Dir, c *catalog.Catalog) site.Current {
	t.Helper()
	d := newDerivation(c, dir.WriteFile)
	d.scratch = dir.Temp()
	all, err := d.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	content := index.ChunkContent{Files: slices.Collect(VersionContent(c))}
	for _, e := range usable(c) {
		payloads := d.renderer.Payloads(e)
		for v := range payloads {
			payloads[v].Deflated = []byte(otherwise)
		}
		content.Payloads = append(content.Payloads, payloads)
	}
	text, chunk, err := index.EncodeChunk(content)
	if err != nil {
		t.Fatal(err)
	}
	f := &all.files[0].Index[0]
	f.SHA256, f.Size = chunk.SHA256, chunk.Size
	all.content.Chunks[0] = chunk
	main, err := site.CompressMain(c, all.files)
	if err := errors.Join(err, dir.WriteFile(catalog.IndexChunkPath(chunk.SHA256), text)); err != nil {
		t.Fatal(err)
	}
	current, err := dir.WriteGeneration(main, func(w io.Writer) error { return index.Write(w, all.content) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return current
}
