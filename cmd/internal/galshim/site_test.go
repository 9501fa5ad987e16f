package galshim

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/mediatype"
	"galbuild/build/site"
	"galbuild/build/stats"
	"galbuild/index"
	"galbuild/render/gallery"
)

// A sample is a small site: Acme.Hello, with a release for all platforms, one for linux-x64 and a
// newer pre-release, and other extensions without files. The content of most files is their path.
type sample struct {
	more  int               // number of other extensions
	full  bool              // whether they have as much JSON (3 kB) and as many words as real extensions
	pages map[string]string // texts by path
}

const (
	manifestType = "Microsoft.VisualStudio.Code.Manifest"
	iconType     = "Microsoft.VisualStudio.Services.Icons.Default"
	detailsType  = "Microsoft.VisualStudio.Services.Content.Details"
)

var mediaTypes = map[string]string{
	manifestType:         "application/json",
	iconType:             "image/png",
	detailsType:          "text/markdown; charset=utf-8",
	catalog.PackageAsset: "application/octet-stream",
}

// A readme that shows a picture of its package.
const (
	readmePath = "assets/acme/hello/1.4.0/" + detailsType
	readmeText = "# Hello\n![shot](" + catalog.ReadmeBase + "files/acme/hello/1.4.0/extension/shot.png)\n"
)

// testHead is the head of a history, which galshim does not read.
var testHead = site.Head{Number: 1, SHA256: blob.Sum([]byte("head"))}

// defaultPages are the pages of a site, and files for them.
func defaultPages() map[string]string {
	return map[string]string{
		"index.html":            "<title>browse</title>",
		"404.html":              missingText,
		"item/index.html":       "<title>find</title>",
		"item/acme.hello.html":  "<title>hello</title>",
		"item/acme.naïve.html":  "<title>naïve</title>",
		"publishers/acme.html":  "<title>publisher</title>",
		"categories/index.html": "<title>categories</title>",
		"tags/c~23.html":        "<title>c#</title>",
		"gallery.css":           "a{}",
		"favicon.svg":           "<svg/>",
		"recent.atom":           "<feed/>",
		"sitemap.xml":           "<urlset/>",
		"robots.txt":            "User-agent: *",
		"statistics/07.json":    "{}",
	}
}

// missingText is the page for addresses that have none, of a site that expects to be at the root of
// its host.
const missingText = `<html data-root="/"><link href="/gallery.css"><a href="https://other.example/">/path</a><form action="/index.html">`

// write writes the sample to the site in dir as its current generation.
func (s sample) write(t testing.TB, dir string) site.Current {
	t.Helper()
	d, err := site.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	content := s.content(t, d)
	c, err := d.WriteGeneration(
		[]byte("the catalogue, which galshim does not read"),
		func(w io.Writer) error { return index.Write(w, content) },
		nil,
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WriteFile(site.CurrentPath, site.FormatCurrent(c, testHead)); err != nil {
		t.Fatal(err)
	}
	return c
}

// content returns the content of the index, and writes the blobs and the chunks.
func (s sample) content(t testing.TB, d *site.Dir) index.Content {
	var files []index.File
	put := func(path, text, mediaType string) {
		ref, err := d.Blobs.PutBytes([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, index.File{Path: path, SHA256: ref, Size: int64(len(text)), Type: mediaType})
	}
	for _, v := range []string{"1.2.3", "1.2.3@linux-x64", "1.3.0", "2.0.0+build.7"} {
		for kind, mediaType := range mediaTypes {
			path := "assets/acme/hello/" + v + "/" + kind
			put(path, path, mediaType)
		}
	}
	put("files/acme/hello/1.2.3@web/extension/main.js", "files/acme/hello/1.2.3@web/extension/main.js "+strings.Repeat("x", 4000), "text/javascript; charset=utf-8")
	put("files/acme/hello/2.0.0+build.7/extension/a.svg", "<svg/>", "image/svg+xml")
	for name, mediaType := range map[string]string{
		"evil.html": "text/html; charset=utf-8", "evil.xml": "text/xml; charset=utf-8", "evil.pdf": "application/pdf", "unknown": "application/octet-stream",
	} {
		put("files/acme/hello/1.2.3/extension/"+name, "evil", mediaType)
	}
	put("assets/acme/hello/1.2.3/page.html", "evil", "text/html; charset=utf-8")
	put(readmePath, readmeText, "text/markdown; charset=utf-8")
	for path, text := range s.pages {
		put(path, text, mediatype.Of(path))
	}
	content := index.Content{TempDir: d.Temp()}
	var renderer gallery.Renderer
	all := catalog.Chunk{Extensions: s.extensions()}
	for i, part := range all.IndexChunks() {
		chunk := index.ChunkContent{Files: filesIn(files, part)}
		for j := range part.Extensions {
			e := &part.Extensions[j]
			doc, ok := gallery.Document(e, false, stats.NewTotals(new(catalog.Catalog), nil).Of(e))
			if !ok {
				t.Fatalf("%s has no usable version", e.ID())
			}
			content.Documents = append(content.Documents, doc)
			content.Places = append(content.Places, index.Place{Chunk: uint32(i), Position: uint32(j)})
			chunk.Payloads = append(chunk.Payloads, renderer.Payloads(e))
		}
		text, made, err := index.EncodeChunk(chunk)
		if err == nil {
			err = d.WriteFile(catalog.IndexChunkPath(made.SHA256), text)
		}
		if err != nil {
			t.Fatal(err)
		}
		made.First = part.First
		content.Chunks = append(content.Chunks, made)
	}
	files = slices.DeleteFunc(files, func(f index.File) bool { return strings.Count(f.Path, "/") >= 3 })
	content.Files = slices.Values(files)
	return content
}

// filesIn returns the files of the extensions in a chunk.
func filesIn(files []index.File, part catalog.Chunk) (in []index.File) {
	for _, f := range files {
		folders := strings.SplitN(f.Path, "/", 4)
		if len(folders) == 4 && slices.ContainsFunc(part.Extensions, func(e catalog.Extension) bool { return e.Key() == folders[1]+"."+folders[2] }) {
			in = append(in, f)
		}
	}
	return in
}

// extensions returns the extensions of the sample, sorted by Key.
func (s sample) extensions() []catalog.Extension {
	version := func(v, platform string, pre bool) catalog.Version {
		made := catalog.Version{Version: v, Platform: platform, PreRelease: pre, DisplayName: "Hello", Updated: testTime}
		if pre {
			made.Properties = []catalog.Property{{Key: "Microsoft.VisualStudio.Code.PreRelease", Value: "true"}}
		}
		for _, kind := range []string{manifestType, iconType, catalog.PackageAsset} {
			made.Assets = append(made.Assets, catalog.Asset{Type: kind})
		}
		return made
	}
	list := []catalog.Extension{{
		Publisher: catalog.Publisher{Name: "Acme", DisplayName: "Acme Inc"}, Name: "Hello", UUID: "00000000-0000-4000-8000-000000000001",
		Released: testTime, Updated: testTime,
		Versions: []catalog.Version{version("1.3.0", "", true), version("1.2.3", "linux-x64", false), version("1.2.3", "", false)},
	}}
	for i := range s.more {
		v := version("1.0.0", "", false)
		v.DisplayName = fmt.Sprintf("Número %d", i)
		e := catalog.Extension{
			Publisher: catalog.Publisher{Name: "many"}, Name: fmt.Sprintf("n%d", i), UUID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i+2),
			Released: testTime, Updated: testTime,
		}
		if s.full {
			fill(&v, i)
			e.Statistics = &catalog.Statistics{Install: int64(i * 7919 % 1_000_003), AverageRating: 4.5, RatingCount: 12}
		}
		e.Versions = []catalog.Version{v}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b catalog.Extension) int { return strings.Compare(a.Key(), b.Key()) })
	return list
}

// fill gives version v of extension i the texts, assets and properties of a typical extension. A
// tenth of the extensions is about python, each topic has twenty extensions, and there are twelve
// categories.
func fill(v *catalog.Version, i int) {
	categories := []string{"Themes", "Snippets", "Linters", "Debuggers", "Formatters", "Keymaps", "Testing", "Education", "Visualization", "Notebooks", "Azure", "Other"}
	languages := []string{"python", "rust", "golang", "kotlin", "haskell", "fortran", "erlang", "julia", "prolog", "scheme"}
	v.Categories = categories[i%12 : i%12+1]
	v.Tags = []string{"__ext_x", "__web_extension", languages[i%10], fmt.Sprintf("tag%d", i%1000)}
	v.Description = fmt.Sprintf("Highlights, completes and formats %s, explains topic%05d, and gets out of the way of everything else", languages[i%10], i/20)
	for _, kind := range []string{detailsType, "Microsoft.VisualStudio.Services.Content.Changelog", "Microsoft.VisualStudio.Services.Content.License",
		"Microsoft.VisualStudio.Services.Icons.Small", "Microsoft.VisualStudio.Services.VsixManifest", catalog.SignatureAsset, "Microsoft.VisualStudio.Services.PublicKey"} {
		v.Assets = append(v.Assets, catalog.Asset{Type: kind})
	}
	for _, key := range []string{"Microsoft.VisualStudio.Code.Engine", "Microsoft.VisualStudio.Code.ExtensionDependencies", "Microsoft.VisualStudio.Code.ExtensionPack",
		"Microsoft.VisualStudio.Code.ExtensionKind", "Microsoft.VisualStudio.Code.LocalizedLanguages", "Microsoft.VisualStudio.Services.Links.Source",
		"Microsoft.VisualStudio.Services.Links.Getstarted", "Microsoft.VisualStudio.Services.Links.GitHub", "Microsoft.VisualStudio.Services.Links.Support",
		"Microsoft.VisualStudio.Services.Links.Learn", "Microsoft.VisualStudio.Services.GitHubFlavoredMarkdown", "Microsoft.VisualStudio.Services.Content.Pricing"} {
		v.Properties = append(v.Properties, catalog.Property{Key: key, Value: fmt.Sprintf("https://git.example/many/n%d.git", i)})
	}
}

// A testGallery is a server and the folder of its site, "" if the site is remote.
type testGallery struct {
	*server
	dir string
}

// open returns a server for a source. Its site is in dir, or dir is "".
func open(t testing.TB, dir string, from source, change ...func(*config)) *testGallery {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	l := newLive(from, nil, log)
	if err := l.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	c := config{live: l, addresser: &addresser{trusted: privateNetworks}, queries: 8, streams: 100, files: true, stall: time.Minute, slow: time.Minute, log: log}
	for _, f := range change {
		f(&c)
	}
	s, err := newServer(c)
	if err != nil {
		t.Fatal(err)
	}
	return &testGallery{s, dir}
}

// openSample serves the default sample from a folder.
func openSample(t testing.TB, change ...func(*config)) *testGallery {
	t.Helper()
	dir := t.TempDir()
	sample{more: 3, pages: defaultPages()}.write(t, dir)
	return open(t, dir, folder{dir}, change...)
}

// request sends a request to the handler, with pairs of header names and values.
func (g *testGallery) request(method, target, body string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w.Result()
}

func text(t testing.TB, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// blobFile returns the path of the blob with a text in the site in dir.
func blobFile(dir, text string) string {
	return filepath.Join(dir, filepath.FromSlash(blob.Sum([]byte(text)).Path()))
}

// overwrite replaces a file, which may be read-only.
func overwrite(t testing.TB, file, text string) {
	t.Helper()
	os.Remove(file)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// testTime is the date of extensions and the modification time of files.
var testTime = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

func blobTag(b []byte) string { return blob.Sum(b).String() }
