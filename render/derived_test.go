package render

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/pagedata"
	"galbuild/build/site"
	"galbuild/render/pages"
)

// put stores an asset of a version.
func put(t *testing.T, dir *site.Dir, v *catalog.Version, kind, text string) {
	t.Helper()
	ref, err := dir.Blobs.PutBytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	v.Assets = append(v.Assets, catalog.Asset{Type: kind, File: catalog.File{Ref: ref, Size: int64(len(text)), Type: "text/markdown"}})
	slices.SortFunc(v.Assets, func(a, b catalog.Asset) int { return strings.Compare(a.Type, b.Type) })
}

// pagesOf derives a catalogue whose content is in dir, and returns the texts by their paths.
func pagesOf(t *testing.T, dir *site.Dir, c *catalog.Catalog, known Known) map[string]string {
	t.Helper()
	if known.Read == nil {
		known.Read = ReadContent(dir.Blobs)
	}
	if err := Derive(t.Context(), dir, c, known); err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]string)
	for _, f := range c.Derived {
		text, err := os.ReadFile(dir.Blobs.File(f.SHA256))
		if err != nil {
			t.Fatal(err)
		}
		texts[f.Path] = string(text)
	}
	return texts
}

// describeSample gives a version of acme.ext0 a readme, a change log, contributions, and so on.
func describeSample(t *testing.T, dir *site.Dir, v *catalog.Version) {
	t.Helper()
	put(t, dir, v, catalog.DetailsAsset, "# Hello\n\n![shot](images/a.png) ![other](https://elsewhere.example/b.png)\n\n<script>alert(1)</script>\n\n```go\nfunc main() {}\n```\n")
	put(t, dir, v, catalog.ChangelogAsset, "## 1.0.0\n\n- the first change\n")
	put(t, dir, v, catalog.PageAsset, string(pagedata.Document{
		Links: pagedata.Links{Repository: "https://github.com/acme/ext0"}, Network: "It loads a model.",
		Contributions: []pagedata.Contribution{{Kind: "Commands", Items: []pagedata.Item{{Name: "Say hello", Detail: "hello.say"}}}},
	}.Encode()))
	v.Files = []catalog.File{{Path: "extension/images/a.png", Ref: blob.Sum([]byte("a")), Size: 1, Type: "image/png"}}
	v.Properties = []catalog.Property{{Key: catalog.PropertyDependencies, Value: "Acme.Ext1,other.thing,vscode.git"}, {Key: catalog.PropertyPack, Value: "acme.ext2"}}
}

// TestPageOfExtension has what the page of an extension shows of its package.
func TestPageOfExtension(t *testing.T) {
	dir := newSite(t)
	c := sample(t, dir, 3)
	v := &c.Extensions[0].Versions[0]
	describeSample(t, dir, v)
	c.Extensions[1].Statistics = &catalog.Statistics{Install: 4711}
	texts := pagesOf(t, dir, c, Known{})
	page := texts["item/acme.ext0.html"]
	for _, want := range []string{
		`src="../files/acme/ext0/1.0.0/extension/images/a.png"`, "the first change", "https://github.com/acme/ext0", "It loads a model.", "Say hello",
		`href="../item/acme.ext1.html"`, "other.thing", "Not in this gallery", `href="../item/acme.ext2.html"`, v.Package.Ref.String(),
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in the page", want)
		}
	}
	for _, no := range []string{"alert(1)", `src="https://elsewhere`} {
		if strings.Contains(page, no) {
			t.Errorf("%s is in the page", no)
		}
	}
	if strings.Count(page, "Not in this gallery") != 1 { // vscode.git is in every editor
		t.Error("an extension of the editor is missing")
	}
	for path, want := range map[string]string{
		"item/acme.ext1.html": `href="../item/acme.ext0.html"`, "publishers/acme.html": "acme.ext2.html", "tags/some.html": "acme.ext0.html",
		"categories/other.html": "acme.ext1.html", "letters/e.html": "acme.ext0.html", "recent/1.html": "acme.ext0.html",
		pages.StatisticsPath("acme.ext1"): "4711", "feed.atom": "Ext0 1.0.0", "about/new.html": "Ext2", "sitemap.xml": "https://gal.example/item/acme.ext1.html",
		"index.html": "acme.ext1.html", "robots.txt": "sitemap.xml", "search/top.json": "{",
	} {
		if !strings.Contains(texts[path], want) {
			t.Errorf("%s: no %s in %.300s", path, want, texts[path])
		}
	}
}

// TestDeriveAgain derives a catalogue again after a change. Only files that depend on it are made.
func TestDeriveAgain(t *testing.T) {
	const item0 = "item/acme.ext0.html"
	lists := []string{"categories/other.html", "index.html", "letters/e.html", "publishers/acme.html", "recent/1.html", "tags/some.html"}
	for name, tt := range map[string]struct {
		change func(c *catalog.Catalog)
		want   []string // the pages that change; not search data and so on
	}{
		"nothing":     {func(*catalog.Catalog) {}, nil},
		"description": {func(c *catalog.Catalog) { c.Extensions[0].Versions[0].Description = "Another" }, append([]string{item0}, lists...)},
		"licence":     {func(c *catalog.Catalog) { c.Extensions[0].Versions[0].Licence = "MIT" }, []string{item0}},
		"statistics":  {func(c *catalog.Catalog) { setInstalls(c, 7) }, []string{"index.html"}},
		"own tag":     {func(c *catalog.Catalog) { c.Extensions[0].Versions[0].Tags = []string{"own", "Own"} }, []string{item0, "tags/some.html", "categories/index.html"}},
		"shared tag": {func(c *catalog.Catalog) {
			for i := range c.Extensions {
				c.Extensions[i].Versions[0].Tags = []string{"some", "new"}
			}
		}, []string{item0, "item/acme.ext1.html", "item/acme.ext2.html", "tags/new.html", "categories/index.html"}},
		"dependency": {func(c *catalog.Catalog) {
			c.Extensions[0].Versions[0].Properties = []catalog.Property{{Key: catalog.PropertyDependencies, Value: "acme.ext1"}}
		}, []string{item0, "item/acme.ext1.html"}},
		"deprecated": {func(c *catalog.Catalog) { c.Policy = `{"deprecated": {"acme.ext0": {"use": "acme.ext2"}}}` }, append([]string{item0}, lists...)},
	} {
		dir := newSite(t)
		c := sample(t, dir, 3)
		before := pagesOf(t, dir, c, Known{})
		old := c.Derived
		tt.change(c)
		after := pagesOf(t, dir, c, Known{Files: [][]catalog.DerivedFile{old}})
		var changed []string
		for path, text := range after {
			if text != before[path] && strings.HasSuffix(path, ".html") && path != "about/new.html" {
				changed = append(changed, path)
			}
		}
		slices.Sort(changed)
		want := slices.Sorted(slices.Values(tt.want))
		if !slices.Equal(changed, want) {
			t.Errorf("%s: %q changed, want %q", name, changed, want)
		}
		for path, text := range after {
			for link := range strings.SplitSeq(text, `href="../tags/`) {
				if tag, _, ok := strings.Cut(link, `"`); ok && strings.HasSuffix(tag, ".html") && after["tags/"+tag] == "" {
					t.Errorf("%s: %s has a link to the tag %s, which has no page", name, path, tag)
				}
			}
		}
		fresh := *c
		if all := pagesOf(t, dir, &fresh, Known{}); !maps.Equal(all, after) {
			t.Errorf("%s: with what is known, the files are others", name)
		}
	}
}

// TestDeriveReadsNothing derives a catalogue again without any content: what is known needs none.
func TestDeriveReadsNothing(t *testing.T) {
	dir := newSite(t)
	c := sample(t, dir, 2)
	put(t, dir, &c.Extensions[0].Versions[0], catalog.DetailsAsset, "# Hello\n")
	pagesOf(t, dir, c, Known{})
	want := slices.Clone(c.Derived)
	if err := Derive(t.Context(), newSite(t), c, Known{Files: [][]catalog.DerivedFile{want}}); err != nil || !slices.Equal(c.Derived, want) {
		t.Errorf("the files differ, %v", err)
	}
	lost := func(f *catalog.DerivedFile) bool { return f.Path != "item/acme.ext0.html" }
	again := newSite(t)
	if err := Derive(t.Context(), again, c, Known{Files: [][]catalog.DerivedFile{want}, Has: lost, Read: ReadContent(dir.Blobs)}); err != nil {
		t.Fatal(err)
	}
	if f := catalog.FindDerived(c.Derived, "item/acme.ext0.html"); !slices.Equal(c.Derived, want) || !again.Blobs.Has(f.SHA256, f.Size) {
		t.Error("a page whose content was lost is not made again")
	}
}

// TestReadmes has a readme with a picture of its package. With a base URL, it has its address.
func TestReadmes(t *testing.T) {
	const path = "assets/acme/ext0/1.0.0/" + catalog.DetailsAsset
	for name, tt := range map[string]struct {
		base, content, want string
	}{
		"no base URL": {"", "", "![a](" + catalog.ReadmeBase + "files/a.png)"},
		"base URL":    {"https://gal.example/g", "", "![a](https://gal.example/g/files/a.png)"},
		"content URL": {"https://gal.example", "https://files.example", "![a](https://files.example/files/a.png)"},
	} {
		dir := newSite(t)
		c := sample(t, dir, 2)
		c.BaseURL, c.ContentURL = tt.base, tt.content
		put(t, dir, &c.Extensions[0].Versions[0], catalog.DetailsAsset, "![a](a.png)")
		put(t, dir, &c.Extensions[0].Versions[0], catalog.ReadmeAsset, "![a]("+catalog.ReadmeBase+"files/a.png)")
		v := &c.Extensions[0].Versions[0]
		if err := dir.Blobs.Link(v.Asset(catalog.ReadmeAsset).Ref, "assets/acme/ext0/1.0.0/"+catalog.ReadmeAsset); err != nil {
			t.Fatal(err)
		}
		serve(t, dir, c)
		var served []string
		for f := range Content(c) {
			if f.Path == path {
				text, err := os.ReadFile(dir.Blobs.File(f.SHA256))
				if err != nil {
					t.Fatal(err)
				}
				served = append(served, string(text))
			}
		}
		if !slices.Equal(served, []string{tt.want}) {
			t.Errorf("%s: the readme is %q, want %q", name, served, tt.want)
		}
		ix, err := openGeneration(dir, mustCurrent(t, dir).Generation)
		if err != nil {
			t.Fatal(err)
		}
		if f, ok, err := ix.File(path); !ok || err != nil || f.SHA256 != blob.Sum([]byte(tt.want)) || f.Type != "text/markdown" && f.Type != "text/markdown; charset=utf-8" {
			t.Errorf("%s: the index has %+v, %t, %v", name, f, ok, err)
		}
		ix.Close()
		checkProblems(t, dir, nil)
		c.BaseURL, c.ContentURL = "https://moved.example", ""
		serve(t, dir, c)
		if text, err := os.ReadFile(dir.Path(path)); tt.base != "" && (err != nil || !bytes.Contains(text, []byte("https://moved.example/files/a.png"))) {
			t.Errorf("%s: after a move, the readme is %q, %v", name, text, err)
		}
		checkProblems(t, dir, nil)
		c.BaseURL = ""
		serve(t, dir, c)
		checkProblems(t, dir, nil)
	}
}

func mustCurrent(t *testing.T, dir *site.Dir) site.Current {
	t.Helper()
	current, err := site.RequireCurrent(dir.Root)
	if err != nil {
		t.Fatal(err)
	}
	return current
}

// TestNoPages has a site without pages, which are removed if it had some.
func TestNoPages(t *testing.T) {
	dir := newSite(t)
	c := sample(t, dir, 1)
	serve(t, dir, c)
	c.NoPages = true
	serve(t, dir, c)
	if len(c.Derived) != 1 || c.Derived[0].Path != "control.json" {
		t.Errorf("%+v are derived", c.Derived)
	}
	for _, path := range []string{"item", "index.html", "search", "gallery.js"} {
		if _, err := os.Lstat(dir.Path(path)); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
}

// TestReportStays changes a site without knowing what was refused. The page about it stays.
func TestReportStays(t *testing.T) {
	dir := newSite(t)
	c := sample(t, dir, 1)
	report := &pages.Report{Groups: []pages.ReportGroup{{Rule: "minimumAge", Entries: []pages.ReportEntry{{Subject: "acme.young@1.0.0"}}}}}
	first := pagesOf(t, dir, c, Known{Report: report})[pages.ReportPath]
	if !strings.Contains(first, "acme.young@1.0.0") {
		t.Fatalf("the page is %s", first)
	}
	if ReportChanged(c, report) || !ReportChanged(c, new(pages.Report)) {
		t.Error("ReportChanged is wrong")
	}
	old := c.Derived
	c.Extensions[0].Versions[0].Description = "Another"
	if again := pagesOf(t, dir, c, Known{Files: [][]catalog.DerivedFile{old}})[pages.ReportPath]; again != first {
		t.Errorf("the page has become %s", again)
	}
}

// TestPruneOldPages changes a page so often that no generation needs its first content. It is
// removed without reading the folders, unless a package has the same content.
func TestPruneOldPages(t *testing.T) {
	for _, shared := range []bool{false, true} {
		dir := newSite(t)
		c := sample(t, dir, 2)
		serve(t, dir, c)
		first := catalog.FindDerived(c.Derived, "item/acme.ext0.html")
		content := *first
		if shared {
			f := catalog.File{Path: "extension/page.html", Ref: content.SHA256, Size: content.Size, Type: "text/html"}
			c.Extensions[1].Versions[0].Files = []catalog.File{f}
			if err := dir.Blobs.Link(f.Ref, "files/acme/ext1/1.0.0/extension/page.html"); err != nil {
				t.Fatal(err)
			}
		}
		for _, licence := range []string{"MIT", "0BSD", "ISC"} {
			c.Extensions[0].Versions[0].Licence = licence
			switchTo(t, dir, c, 2)
		}
		if got := dir.Blobs.Has(content.SHA256, content.Size); got != shared {
			t.Errorf("shared %t: the content is there: %t", shared, got)
		}
	}
}

// TestMissingPage derives the page for addresses that have none. They may be at any depth, so its
// links begin with the path of the gallery.
func TestMissingPage(t *testing.T) {
	for base, root := range map[string]string{"": "/", "https://gal.example": "/", "https://gal.example/tools/gallery": "/tools/gallery/"} {
		dir := newSite(t)
		c := sample(t, dir, 1)
		c.BaseURL = base
		page := pagesOf(t, dir, c, Known{})[pages.NotFoundPath]
		if !strings.Contains(page, `data-root="`+root+`"`) || !strings.Contains(page, `href="`+root+`gallery.css`) {
			t.Errorf("%q: the links do not begin with %s:\n%s", base, root, page)
		}
	}
}
