//go:build e2e

package e2e

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/mediatype"
	"galbuild/build/porttest"
	"galbuild/build/site"
	"galbuild/cmd/e2e/toolchain"
	"galbuild/index"
	protocol "galbuild/render/gallery"
)

// readme is the path of the readme of the extension in siteOfPages.
const readme = "assets/acme/hello/1.0.0/" + services + "Content.Details"

// siteOfPages are the files of a small site, by path. It expects to be at the root of its host.
var siteOfPages = map[string]string{
	"index.html":            "home",
	"404.html":              `<html data-root="/"><link href="/gallery.css">`,
	"item/index.html":       "find",
	"item/acme.hello.html":  "hello",
	"publishers/acme.html":  "publisher",
	"categories/index.html": "categories",
	"gallery.css":           "style",
	"favicon.svg":           "<svg/>",
	"recent.atom":           "<feed/>",
	"sitemap.xml":           "<urlset/>",
	"robots.txt":            "User-agent: *",
	"statistics/07.json":    "{}",
	readme:                  "![shot](" + catalog.ReadmeBase + "files/acme/hello/1.0.0/extension/shot.png)",
}

// writePages writes siteOfPages as galbuild writes a site.
func writePages(t *testing.T, dir string) {
	t.Helper()
	root, err := site.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var files []index.File
	var part index.ChunkContent
	for path, text := range siteOfPages {
		ref, err := root.Blobs.PutBytes([]byte(text))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		file := index.File{Path: path, SHA256: ref, Size: int64(len(text)), Type: mediatype.Of(path)}
		if path == readme {
			file.Type = mediatype.OfAsset(services+"Content.Details", "")
			part.Files = append(part.Files, file)
		} else {
			files = append(files, file)
		}
	}
	when := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	extension := catalog.Extension{
		Publisher: catalog.Publisher{Name: "Acme"}, Name: "Hello", UUID: "00000000-0000-4000-8000-000000000001", Released: when, Updated: when,
		Versions: []catalog.Version{{Version: "1.0.0", DisplayName: "Hello", Updated: when, Assets: []catalog.Asset{{Type: catalog.PackageAsset}}}},
	}
	document, _ := protocol.Document(&extension, false, catalog.Figures{})
	part.Payloads = append(part.Payloads, new(protocol.Renderer).Payloads(&extension))
	text, chunk, err := index.EncodeChunk(part)
	if err == nil {
		err = root.WriteFile(catalog.IndexChunkPath(chunk.SHA256), text)
	}
	if err != nil {
		t.Fatal(err)
	}
	content := index.Content{
		TempDir: root.Temp(), Documents: []index.Document{document}, Places: []index.Place{{}}, Chunks: []index.Chunk{chunk}, Files: slices.Values(files),
	}
	current, err := root.WriteGeneration([]byte("the catalogue"), func(w io.Writer) error { return index.Write(w, content) }, nil)
	if err == nil {
		err = root.WriteFile(site.CurrentPath, site.FormatCurrent(current, site.Head{Number: 1, SHA256: blob.Sum([]byte("head"))}))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A pageCase is a request of a browser, or of an editor if accept is set. "{base}" stands for the
// base URL, and "{root}" for its path.
type pageCase struct {
	path, accept string
	status       int
	want         string // in the body, or the Location of a redirect
	kind         string // Content-Type
}

const htmlType, jsonType = "text/html; charset=utf-8", "application/json"

var pageCases = []pageCase{
	{path: "/", status: 200, want: "home", kind: htmlType},
	{path: "/index.html", status: 200, want: "home", kind: htmlType},
	{path: "/item/acme.hello.html", status: 200, want: "hello", kind: htmlType},
	{path: "/item/index.html", status: 200, want: "find", kind: htmlType},
	{path: "/publishers/acme.html", status: 200, want: "publisher", kind: htmlType},
	{path: "/categories/", status: 200, want: "categories", kind: htmlType},
	{path: "/gallery.css", status: 200, want: "style", kind: "text/css; charset=utf-8"},
	{path: "/favicon.svg", status: 200, want: "<svg/>", kind: "image/svg+xml"},
	{path: "/recent.atom", status: 200, want: "<feed/>", kind: "application/atom+xml"},
	{path: "/sitemap.xml", status: 200, want: "<urlset/>", kind: "text/xml; charset=utf-8"},
	{path: "/robots.txt", status: 200, want: "User-agent", kind: "text/plain; charset=utf-8"},
	{path: "/statistics/07.json", status: 200, want: "{}", kind: jsonType},

	{path: "/item?itemName=Acme.Hello", status: 302, want: "{base}/item/acme.hello.html"},
	{path: "/item/?itemName=acme.hello", status: 302, want: "{base}/item/acme.hello.html"},
	{path: "/vscode/item?itemName=ACME.HELLO", status: 302, want: "{base}/item/acme.hello.html"},
	{path: "/item/Acme.Hello.html", status: 302, want: "{base}/item/acme.hello.html"},
	{path: "/publishers/Acme", status: 302, want: "{base}/publishers/acme.html"},
	{path: "/publishers/acme/", status: 302, want: "{base}/publishers/acme.html"},
	{path: "/categories", status: 302, want: "{base}/categories/"},

	{path: "/item?itemName=acme.none", status: 404, want: `href="{root}/gallery.css"`, kind: htmlType},
	{path: "/item/acme.none.html", status: 404, want: `href="{root}/gallery.css"`, kind: htmlType},
	{path: "/a/b/c/d", status: 404, want: `href="{root}/gallery.css"`, kind: htmlType},
	{path: "/item?itemName=acme.none", accept: "*/*", status: 404, want: `{"error":`, kind: jsonType},
	{path: "/a/b", accept: "application/json", status: 404, want: `{"error":`, kind: jsonType},
	{path: "/api/vscode/acme/none/latest", status: 404, want: `{"error":`, kind: jsonType},

	{path: "/" + readme, status: 200, want: "![shot]({base}/files/acme/hello/1.0.0/extension/shot.png)", kind: "text/markdown; charset=utf-8"},
	{path: "/vscode/asset/Acme/Hello/1.0.0/" + services + "Content.Details", status: 200, want: "![shot]({base}/files/", kind: "text/markdown; charset=utf-8"},
}

// TestPages opens the addresses of pages through nginx and galshim, at the root of a host and below
// a path, and through galshim alone.
func TestPages(t *testing.T) {
	dir := t.TempDir()
	tools, programs := toolchain.Tools(t), compile(t, filepath.Join(dir, "bin"))
	root := filepath.Join(dir, "site")
	writePages(t, root)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, prefix := range []string{"", "/tools/gallery"} {
		name := "at the root"
		if prefix != "" {
			name = "below a path"
		}
		t.Run(name, func(t *testing.T) {
			g := &gallery{commands: programs, client: client, dir: t.TempDir(), site: root, base: "http://" + porttest.Address(t) + prefix}
			g.serve(t)
			g.startNginx(t, tools, programs.config(t, "nginx", root, "--base-url", g.base, "--shim", host(t, g.shim)))
			for _, c := range pageCases {
				t.Run(c.path, func(t *testing.T) { c.check(t, g, prefix) })
			}
		})
		t.Run(name+", without nginx", func(t *testing.T) {
			g := &gallery{commands: programs, client: client, dir: t.TempDir(), site: root, base: "http://" + porttest.Address(t) + prefix}
			g.serve(t, "--base-url", g.base, "--listen", strings.TrimPrefix(strings.TrimSuffix(g.base, prefix), "http://"))
			for _, c := range pageCases {
				t.Run(c.path, func(t *testing.T) { c.check(t, g, prefix) })
			}
		})
	}
}

func (c pageCase) check(t *testing.T, g *gallery, root string) {
	accept := c.accept
	if accept == "" {
		accept = "text/html,application/xhtml+xml,*/*;q=0.8"
	}
	want := strings.NewReplacer("{base}", g.base, "{root}", root).Replace(c.want)
	got := g.request(t, http.MethodGet, c.path, "", map[string]string{"Accept": accept})
	body, location := string(got.body), got.header.Get("Location")
	if got.status != c.status || c.status == 302 && location != want || c.status != 302 && !strings.Contains(body, want) {
		t.Errorf("status %d, location %q, body %.200q; want %d, %q", got.status, location, body, c.status, want)
	}
	if kind := got.header.Get("Content-Type"); c.kind != "" && kind != c.kind {
		t.Errorf("Content-Type %q, want %q", kind, c.kind)
	}
	page := c.kind == htmlType
	if policy := got.header.Values("Content-Security-Policy"); page && (len(policy) != 1 || !strings.Contains(policy[0], "script-src 'self'")) {
		t.Errorf("Content-Security-Policy %q", policy)
	}
	if referrer := got.header.Values("Referrer-Policy"); page != slices.Equal(referrer, []string{"no-referrer"}) {
		t.Errorf("Referrer-Policy %q", referrer)
	}
	if head := g.request(t, http.MethodHead, c.path, "", map[string]string{"Accept": accept}); head.status != got.status || len(head.body) > 0 {
		t.Errorf("HEAD: status %d, want %d", head.status, got.status)
	}
}
