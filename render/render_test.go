package render

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/index"
)

var update = flag.Bool("update", false, "record what this version renders")

// sample is a catalogue with n extensions whose blobs are in dir.
func sample(t *testing.T, dir *site.Dir, n int) *catalog.Catalog {
	t.Helper()
	c := &catalog.Catalog{Settings: catalog.Settings{Render: Version, BaseURL: "https://gal.example", Unpack: "web", Featured: []string{"acme.ext0"}}}
	when := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		content := fmt.Sprintf("package %d", i)
		ref, err := dir.Blobs.PutBytes([]byte(content))
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("Ext%d", i)
		f := catalog.File{Ref: ref, Size: int64(len(content)), Type: "application/vsix"}
		if err := dir.Blobs.Link(ref, catalog.AssetsDir+catalog.VersionDir("Acme", name, "1.0.0", "")+"/"+catalog.PackageAsset); err != nil {
			t.Fatal(err)
		}
		c.Extensions = append(c.Extensions, catalog.Extension{
			Publisher: catalog.Publisher{ID: "p", Name: "Acme", DisplayName: "Acme Inc"}, Name: name, UUID: fmt.Sprintf("u%d", i),
			Released: when, Published: when, Updated: when,
			Versions: []catalog.Version{{Version: "1.0.0", DisplayName: name, Description: "One of several", Updated: when,
				Categories: []string{"Other"}, Tags: []string{"some"}, Package: f, Assets: []catalog.Asset{{Type: catalog.PackageAsset, File: f}}}},
		})
	}
	return c
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

// identify gives the extensions UUIDs, which every catalogue must have. They are not in
// sample, because the recording of TestVersion does not have them.
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
	previous, err := site.ReadCurrent(dir.Root)
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.MarkDirty(); err != nil {
		t.Fatal(err)
	}
	current, err := Site(t.Context(), dir, c, previous, Version)
	if err != nil {
		t.Fatal(err)
	}
	if err := Commit(t.Context(), dir, current, previous, c); err != nil {
		t.Fatal(err)
	}
	return current
}

// TestVersion fails when the same catalogue is rendered to other bytes under the
// same Version: sites of older programs would keep what those rendered. If the
// change is meant, raise Version and run with -update.
func TestVersion(t *testing.T) {
	c := sample(t, newSite(t), 3)
	h := sha256.New()
	if err := index.Write(h, content(c, nil, t.TempDir())); err != nil {
		t.Fatal(err)
	}
	for f := range Responses(c) {
		fmt.Fprintf(h, "%s %s", f.Path, f.Text)
	}
	got := fmt.Sprintf("%d %x\n", Version, h.Sum(nil))
	golden := filepath.Join("testdata", "version.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("rendered %s recorded %s raise Version and run with -update", got, want)
	}
}

func TestVerifySound(t *testing.T) {
	dir := newSite(t)
	serve(t, dir, sample(t, dir, 5))
	report, err := Verify(t.Context(), dir.Root)
	if err != nil || len(report.Problems) > 0 {
		t.Fatalf("%v, %v", report, err)
	}
	// 5 packages; the control manifest, the page in three places, its script and style
	// sheet; the served manifest, and …/latest in two cases of letters
	if report.Extensions != 5 || report.Files != 5+6+1+2*5 || report.Blobs != 5+5 {
		t.Errorf("%+v", report)
	}
}

// TestContentURL checks that the content URL is in what is rendered for the base URL, and
// in the page's policy.
func TestContentURL(t *testing.T) {
	c := sample(t, newSite(t), 1)
	c.ContentURL = "https://files.example/g"
	texts := make(map[string]string)
	for f := range Responses(c) {
		texts[f.Path] = string(f.Text)
	}
	for _, f := range Pages(c) {
		texts[f.Path] = string(f.Text)
	}
	for path, want := range map[string][]string{
		"api/vscode/acme/ext0/latest": {`"assetUri":"https://files.example/g/assets/acme/ext0/1.0.0"`, `"fallbackAssetUri":"https://files.example/g/assets/`, `"source":"https://files.example/g/assets/`},
		"manifest.json":               {`"https://files.example/g/files/{publisher}/{name}/{version}/{path}"`, `"https://gal.example/api/extensionquery"`},
		"index.html":                  {"img-src 'self' https://files.example; connect-src 'self' https://files.example; base-uri 'none'", `data-base="./"`},
		"item/index.html":             {`data-base="../"`, `src="../page.js?`},
		"publishers/index.html":       {`data-base="../"`, `href="../page.css?`},
	} {
		for _, w := range want {
			if text := texts[path]; !strings.Contains(text, w) {
				t.Errorf("%s: no %s in %.600s", path, w, text)
			}
		}
	}
	if latest := texts["api/vscode/acme/ext0/latest"]; strings.Contains(latest, "https://gal.example") {
		t.Errorf("the gallery's own host is in %s", latest)
	}
	c.ContentURL = `https://x"><script>`
	for _, f := range Pages(c) {
		if strings.HasSuffix(f.Path, ".html") && strings.Contains(string(f.Text), `x">`) {
			t.Errorf("%s: a content URL out of a catalogue is in it as HTML", f.Path)
		}
	}
}

// TestPage checks that the page has no inline script or style, as its policy requires, and
// contains no address except those of its own files.
func TestPage(t *testing.T) {
	for _, f := range Pages(&catalog.Catalog{}) {
		if !strings.HasSuffix(f.Path, ".html") {
			continue
		}
		text := string(f.Text)
		for _, no := range []string{"unsafe-inline", "<style", " style=", "onclick", "javascript:", "http:", "https:", "{"} {
			if strings.Contains(text, no) {
				t.Errorf("%s: has %s", f.Path, no)
			}
		}
		if n := strings.Count(text, "<script"); n != 1 || !strings.Contains(text, "></script>") {
			t.Errorf("%s: %d scripts", f.Path, n)
		}
	}
}

// TestVerifyIndex proves an index that is whole, but of another catalogue.
func TestVerifyIndex(t *testing.T) {
	dir := newSite(t)
	right, wrong := sample(t, dir, 2), sample(t, dir, 2)
	wrong.Extensions[1].Versions[0].DisplayName = "Something else"
	current := serve(t, dir, wrong)
	identify(right)
	var packed bytes.Buffer
	if err := site.WriteCatalog(&packed, right); err != nil {
		t.Fatal(err)
	}
	mixed := site.MakeCurrent(blob.Sum(packed.Bytes()), current.Index)
	if err := dir.WriteFile(mixed.CatalogPath(), packed.Bytes()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(dir.Path(current.IndexPath()))
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.WriteFile(mixed.IndexPath(), text); err != nil {
		t.Fatal(err)
	}
	if err := dir.Switch(t.Context(), mixed); err != nil {
		t.Fatal(err)
	}
	report, err := Verify(t.Context(), dir.Root)
	if err != nil || !strings.Contains(strings.Join(report.Problems, "\n"), "Acme.Ext1 is not as the catalogue has it") {
		t.Errorf("%v, %v", report.Problems, err)
	}
	if strings.Contains(strings.Join(report.Problems, "\n"), "Acme.Ext0 ") {
		t.Errorf("a sound extension is accused: %v", report.Problems)
	}
}

// TestPrune keeps what the current generation and the one before need.
func TestPrune(t *testing.T) {
	dir := newSite(t)
	for _, step := range []struct {
		extensions int
		there      []string
		gone       []string
	}{
		{3, []string{"assets/acme/ext2", "api/vscode/acme/ext2/latest", "api/vscode/Acme/Ext2/latest"}, nil},
		{2, []string{"assets/acme/ext2"}, []string{"api/vscode/acme/ext2", "api/vscode/Acme/Ext2"}},
		{1, []string{"assets/acme/ext0", "assets/acme/ext1"}, []string{"assets/acme/ext2"}},
	} {
		c := sample(t, dir, 3)
		c.Extensions = c.Extensions[:step.extensions]
		serve(t, dir, c)
		for _, path := range step.there {
			if _, err := os.Stat(dir.Path(path)); err != nil {
				t.Errorf("with %d extensions: %v", step.extensions, err)
			}
		}
		for _, path := range step.gone {
			if _, err := os.Stat(dir.Path(path)); err == nil {
				t.Errorf("with %d extensions, %s is still there", step.extensions, path)
			}
		}
	}
	if g, err := dir.Generations(); err != nil || len(g) != 2 {
		t.Errorf("generations %v, %v; want two", g, err)
	}
}

// TestPruneKeepsWhatCounted keeps the generation that readers are on, not one that
// a builder wrote and never switched to.
func TestPruneKeepsWhatCounted(t *testing.T) {
	dir := newSite(t)
	c := sample(t, dir, 3)
	readers := serve(t, dir, c)
	c.Extensions = c.Extensions[:2]
	stillborn, err := Site(t.Context(), dir, c, site.Current{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	c.Extensions = c.Extensions[:1]
	serve(t, dir, c)
	if _, err := os.Stat(dir.Path(readers.IndexPath())); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir.Path("assets/acme/ext2")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir.Path(stillborn.IndexPath())); err == nil {
		t.Error("the generation that never counted is kept")
	}
}
