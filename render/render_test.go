package render

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/render/gallery"
)

var update = flag.Bool("update", false, "record what this version renders")

// sample returns a catalogue with n extensions whose blobs are in dir.
func sample(t *testing.T, dir *site.Dir, n int) *catalog.Catalog {
	t.Helper()
	c := &catalog.Catalog{Settings: catalog.Settings{Render: Version, BaseURL: "https://gal.example", Unpack: "web", Featured: []string{"acme.ext0"}}}
	for i := range n {
		c.Extensions = append(c.Extensions, extension(t, dir, fmt.Sprintf("Ext%d", i), fmt.Sprintf("package %d", i), i))
	}
	return c
}

// extension returns an extension that has one package with this content.
func extension(t *testing.T, dir *site.Dir, name, content string, number int) catalog.Extension {
	t.Helper()
	when := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ref, err := dir.Blobs.PutBytes([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	f := catalog.File{Ref: ref, Size: int64(len(content)), Type: "application/vsix"}
	if err := dir.Blobs.Link(ref, catalog.AssetsDir+catalog.VersionDir("Acme", name, "1.0.0", "")+"/"+catalog.PackageAsset); err != nil {
		t.Fatal(err)
	}
	return catalog.Extension{
		Publisher: catalog.Publisher{ID: "p", Name: "Acme", DisplayName: "Acme Inc"}, Name: name, UUID: fmt.Sprintf("u%d", number),
		Released: when, Published: when, Updated: when,
		Versions: []catalog.Version{{Version: "1.0.0", DisplayName: name, Description: "One of several", Updated: when,
			Categories: []string{"Other"}, Tags: []string{"some"}, Package: f, Assets: []catalog.Asset{{Type: catalog.PackageAsset, File: f}}}},
	}
}

func newSite(t *testing.T) *site.Dir {
	t.Helper()
	dir, err := site.Lock(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return dir
}

// identify gives the extensions UUIDs, which every catalogue must have. The recording of
// TestVersion has other ones.
func identify(c *catalog.Catalog) {
	for i := range c.Extensions {
		e := &c.Extensions[i]
		e.UUID = fmt.Sprintf("11111111-2222-3333-4444-%012d", i)
		e.Publisher.ID = "11111111-2222-3333-4444-555555555555"
	}
}

// serve renders c and switches to it.
func serve(t *testing.T, dir *site.Dir, c *catalog.Catalog) site.Current {
	t.Helper()
	identify(c)
	return switchTo(t, dir, c, 0)
}

// switchTo is serve for a catalogue with UUIDs, and a site that keeps this number of generations.
func switchTo(t *testing.T, dir *site.Dir, c *catalog.Catalog, keep int) site.Current {
	t.Helper()
	previous, err := site.ReadCurrent(dir.Root)
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.MarkDirty(); err != nil {
		t.Fatal(err)
	}
	current, err := Site(t.Context(), dir, c, site.Generation{Current: previous}, nil)
	if err != nil {
		t.Fatal(err)
	}
	by := testCommit
	by.Keep = keep
	if err := Commit(t.Context(), dir, site.Generation{Current: current, Catalog: c}, site.Previous{Current: previous}, by); err != nil {
		t.Fatal(err)
	}
	return current
}

// testCommit has a clock that stands still, so that the files of the history are the same in each
// site with the same generations.
var testCommit = site.Commit{Command: "test", When: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)}

// derive derives the files of a generation without a site. They are in chunks by their paths.
func derive(t *testing.T, c *catalog.Catalog, chunks map[string][]byte) *derived {
	t.Helper()
	var mutex sync.Mutex
	d := newDerivation(c, func(path string, text []byte) error {
		mutex.Lock()
		defer mutex.Unlock()
		chunks[path] = text
		return nil
	})
	d.scratch = t.TempDir()
	all, err := d.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestVersion fails if the same catalogue is rendered to different bytes with the same Version:
// those of chunks, of the index, of pages and of static responses. Sites of older programs would
// keep the old bytes. If the change is intended, raise Version and run the test with -update.
func TestVersion(t *testing.T) {
	dir := newSite(t)
	c := sample(t, dir, 3)
	describeSample(t, dir, &c.Extensions[0].Versions[0])
	h := sha256.New()
	pages := pagesOf(t, dir, c, Known{})
	for _, path := range slices.Sorted(maps.Keys(pages)) {
		fmt.Fprintf(h, "%s %s", path, pages[path])
	}
	chunks := make(map[string][]byte)
	all := derive(t, c, chunks)
	for path := range catalog.AllChunkFiles(all.files) {
		fmt.Fprintf(h, "%s %s", path, chunks[path])
	}
	if err := index.Write(h, all.content); err != nil {
		t.Fatal(err)
	}
	for f := range Responses(c) {
		fmt.Fprintf(h, "%s %s", f.Path, f.Text)
	}
	got := fmt.Sprintf("%d %x\n", Version, h.Sum(nil))
	golden := filepath.Join("testdata", "version.txt")
	recorded, err := os.ReadFile(golden)
	version, _, _ := strings.Cut(string(recorded), " ")
	switch {
	case string(recorded) == got:
	case err == nil && version == fmt.Sprint(Version):
		t.Errorf("Version %s gives other bytes than %s records: raise Version and run with -update", version, golden)
	case !*update:
		t.Errorf("%s is of Version %s, and this is %d: run with -update", golden, version, Version)
	default:
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestContentURL checks that the content URL is in what is rendered for the base URL, and
// in the policy of pages.
func TestContentURL(t *testing.T) {
	c := sample(t, newSite(t), 1)
	c.ContentURL = "https://files.example/g"
	texts := make(map[string]string)
	for f := range Responses(c) {
		texts[f.Path] = string(f.Text)
	}
	maps.Copy(texts, pagesOf(t, newSite(t), c, Known{}))
	for path, want := range map[string][]string{
		"api/vscode/acme/ext0/latest": {`"assetUri":"https://files.example/g/assets/acme/ext0/1.0.0"`, `"fallbackAssetUri":"https://files.example/g/assets/`, `"source":"https://files.example/g/assets/`},
		"manifest.json":               {`"https://files.example/g/files/{publisher}/{name}/{version}/{path}"`, `"https://gal.example/api/extensionquery"`},
		"index.html":                  {"img-src &#39;self&#39; https://files.example; connect-src &#39;self&#39; https://files.example; base-uri &#39;none&#39;", `data-root="./"`},
		"item/acme.ext0.html":         {`data-root="../"`, `src="../gallery.js?`, `href="https://files.example/g/assets/acme/ext0/1.0.0/`},
		"publishers/acme.html":        {`data-root="../"`, `href="../gallery.css?`},
	} {
		for _, w := range want {
			if text := texts[path]; !strings.Contains(text, w) {
				t.Errorf("%s: no %s in %.600s", path, w, text)
			}
		}
	}
	if latest := texts["api/vscode/acme/ext0/latest"]; strings.Contains(latest, "https://gal.example") {
		t.Errorf("the base URL is in %s", latest)
	}
	c.ContentURL = `https://x"><script>`
	if err := Derive(t.Context(), newSite(t), c, Known{}); err == nil {
		t.Error("a content URL with markup is accepted")
	}
}

// pathsOf returns the paths of files.
func pathsOf[T any](files iter.Seq[T], path func(T) string) (paths []string) {
	for f := range files {
		paths = append(paths, path(f))
	}
	return paths
}

// TestResponses has the paths of static responses.
func TestResponses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(c *catalog.Catalog)
		want   []string
	}{
		"no base URL":                    {func(c *catalog.Catalog) { c.BaseURL = "" }, nil},
		"no base URL, but a content URL": {func(c *catalog.Catalog) { c.BaseURL, c.ContentURL = "", "https://files.example" }, nil},
		"declared in another case":       {func(*catalog.Catalog) {}, []string{"manifest.json", "api/vscode/acme/ext0/latest", "api/vscode/Acme/Ext0/latest"}},
		"declared in lower case": {func(c *catalog.Catalog) {
			c.Extensions[0].Publisher.Name, c.Extensions[0].Name = "acme", "ext0"
		}, []string{"manifest.json", "api/vscode/acme/ext0/latest"}},
		"for an old platform": {func(c *catalog.Catalog) { c.Extensions[0].Versions[0].Platform = oldPlatform }, []string{"manifest.json"}},
		"no extensions":       {func(c *catalog.Catalog) { c.Extensions = nil }, []string{"manifest.json"}},
	} {
		c := sample(t, newSite(t), 1)
		tt.change(c)
		if got := pathsOf(Responses(c), func(f File) string { return f.Path }); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// oldPlatform is a platform that no editor has any more.
const oldPlatform = "win32-ia32"

// TestContent has the paths that a generation serves from blobs.
func TestContent(t *testing.T) {
	file := catalog.File{Ref: blob.Sum([]byte("x")), Size: 1, Type: "text/plain"}
	for name, tt := range map[string]struct {
		change func(v *catalog.Version)
		want   []string
	}{
		"package":      {func(*catalog.Version) {}, []string{"assets/acme/ext0/1.0.0/" + catalog.PackageAsset}},
		"platform":     {func(v *catalog.Version) { v.Platform = "linux-x64" }, []string{"assets/acme/ext0/1.0.0@linux-x64/" + catalog.PackageAsset}},
		"old platform": {func(v *catalog.Version) { v.Platform = oldPlatform }, []string{"assets/acme/ext0/1.0.0@win32-ia32/" + catalog.PackageAsset}},
		"assets and files": {func(v *catalog.Version) {
			v.Assets = append(v.Assets, catalog.Asset{Type: "Some.Asset", File: file})
			v.Files = []catalog.File{{Path: "extension/Main.js", Ref: file.Ref, Size: 1, Type: "text/javascript"}}
		}, []string{"assets/acme/ext0/1.0.0/" + catalog.PackageAsset, "assets/acme/ext0/1.0.0/Some.Asset", "files/acme/ext0/1.0.0/extension/Main.js"}},
	} {
		c := sample(t, newSite(t), 1)
		tt.change(&c.Extensions[0].Versions[0])
		c.Derived = []catalog.DerivedFile{{Path: "index.html", SHA256: file.Ref, Size: 1}}
		want := slices.Concat([]string{"index.html"}, tt.want)
		if got := pathsOf(Content(c), func(f index.File) string { return f.Path }); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// TestControl checks that a control manifest in the catalogue replaces the empty one.
func TestControl(t *testing.T) {
	for want, control := range map[string]json.RawMessage{gallery.Control: nil, `{"malicious":["acme.ext0"]}`: json.RawMessage(`{"malicious":["acme.ext0"]}`)} {
		files := pagesOf(t, newSite(t), &catalog.Catalog{Settings: catalog.Settings{Control: control}}, Known{})
		if got := files[gallery.ControlPath]; got != want {
			t.Errorf("%s is %s, want %s", gallery.ControlPath, got, want)
		}
	}
}

// TestSiteAgain renders a site again. Only the files that have changed are written.
func TestSiteAgain(t *testing.T) {
	const changed, same = "api/vscode/acme/ext0/latest", "api/vscode/acme/ext1/latest"
	dir := newSite(t)
	c := sample(t, dir, 2)
	current := serve(t, dir, c)
	want := hashesOf(t, dir.Root)
	before, err := os.Stat(dir.Path(same))
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{changed: "of another generation", "index.html": "damaged"} {
		if err := errors.Join(os.Remove(dir.Path(path)), os.WriteFile(dir.Path(path), []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if again, err := Site(t.Context(), dir, c, site.Generation{Current: current}, nil); err != nil || again != current {
		t.Fatalf("got %v, %v; want %v", again, err, current)
	}
	if got := hashesOf(t, dir.Root); !maps.Equal(got, want) {
		t.Errorf("the site has %v, want %v", got, want)
	}
	if after, err := os.Stat(dir.Path(same)); err != nil || !os.SameFile(before, after) {
		t.Errorf("%s has not changed, and was written again: %v", same, err)
	}
}

// TestChunkLimits compares the limits of chunks in two packages of which neither imports the other.
func TestChunkLimits(t *testing.T) {
	if catalog.MaxChunks != index.MaxChunks || catalog.MaxChunkSize != index.MaxChunkSize || catalog.MaxChunksSize != index.MaxChunksSize {
		t.Error("packages build/catalog and index have different limits of chunks")
	}
}
