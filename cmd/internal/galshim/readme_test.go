package galshim

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"galbuild/build/catalog"
)

// TestReadme requests a readme with the address of a picture, which depends on how the gallery was
// reached.
func TestReadme(t *testing.T) {
	filled := func(base string) string { return strings.ReplaceAll(readmeText, catalog.ReadmeBase, base) }
	open := map[string]*testGallery{
		"request": openSample(t, trustAll),
		"fixed":   openSample(t, func(c *config) { c.addresser.fixed = "https://gallery.test/tools" }),
		"content": openSample(t, func(c *config) { c.content = "https://files.test:8443/gallery" }),
	}
	private := []string{"Cache-Control: private, max-age=300", "Vary: " + forwardedHeaders}
	public := []string{"Cache-Control: public, max-age=300"}
	tags := map[string]bool{}
	for _, x := range []struct {
		gallery, base string
		send, header  []string
	}{
		{"request", "http://gallery.test/", nil, private},
		{"request", "https://out.test/tools/", []string{"X-Forwarded-Host", "out.test", "X-Forwarded-Proto", "https", "X-Forwarded-Prefix", "/tools"}, private},
		{"fixed", "https://gallery.test/tools/", []string{"X-Forwarded-Host", "evil.test"}, public},
		{"content", "https://files.test:8443/gallery/", nil, public},
	} {
		g := open[x.gallery]
		get := func(method string, send ...string) *http.Response {
			return g.request(method, "http://gallery.test/"+readmePath, "", append(send, x.send...)...)
		}
		header := append(x.header, "Content-Type: text/markdown; charset=utf-8", "-Accept-Ranges", "-Content-Length", "-Content-Range")
		whole := get("GET")
		tag := whole.Header.Get("ETag")
		if tags[tag] {
			t.Errorf("%s: the tag %s is that of another text", x.base, tag)
		}
		tags[tag] = true
		if got := text(t, whole); got != filled(x.base) {
			t.Errorf("%s: got %q", x.base, got)
		}
		checkExchange(t, "GET", get("GET"), 200, filled(x.base), header)
		checkExchange(t, "HEAD", get("HEAD"), 200, "", append(header, "ETag: "+tag))
		checkExchange(t, "range", get("GET", "Range", "bytes=0-3"), 200, filled(x.base), header)
		checkExchange(t, "unchanged", get("GET", "If-None-Match", tag), 304, "", []string{"ETag: " + tag})
		zipped := get("GET", "Accept-Encoding", "gzip", "Range", "bytes=0-3")
		if zipped.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(zipped.Body)
			if err != nil {
				t.Fatal(err)
			}
			zipped.Body = z
		}
		checkExchange(t, "gzip", zipped, 200, filled(x.base), nil)
	}
	checkExchange(t, "alias", open["fixed"].request("GET", "/vscode/asset/Acme/hello/1.4.0/"+detailsType, ""), 200, filled("https://gallery.test/tools/"), public)
}

// TestReadmeOfRemote serves the readme of a published site, and one that is damaged there.
func TestReadmeOfRemote(t *testing.T) {
	p := publish(t, sample{})
	g := open(t, "", remoteAt(t, p.URL, t.TempDir()))
	want := strings.ReplaceAll(readmeText, catalog.ReadmeBase, "http://gallery.test/")
	for _, send := range [][]string{nil, {"Range", "bytes=0-3"}} {
		checkExchange(t, "remote", g.request("GET", "http://gallery.test/"+readmePath, "", send...), 200, want, []string{"-Accept-Ranges"})
	}
	overwrite(t, blobFile(p.dir, readmeText), strings.Replace(readmeText, "Hello", "Hallo", 1))
	checkExchange(t, "damaged", g.request("GET", "http://gallery.test/"+readmePath, ""), 502, `{"error":`, []string{"-ETag"})
}

// TestShortReadme truncates the readme in the site.
func TestShortReadme(t *testing.T) {
	g := openSample(t)
	if err := os.Truncate(blobFile(g.dir, readmeText), 10); err != nil {
		t.Fatal(err)
	}
	checkExchange(t, "short", g.request("GET", "/"+readmePath, ""), 500, `{"error":`, []string{"-ETag"})
}

// TestFiller writes texts in pieces of every size.
func TestFiller(t *testing.T) {
	const base = catalog.ReadmeBase
	long := strings.Repeat("x", 3*fillBuffer)
	for _, text := range []string{"", "x", base, base + base, "a" + base + "b" + base[:10], base[:len(base)-1], long + base + long, "h" + base, base[:8] + base} {
		want := strings.ReplaceAll(text, base, "http://gallery.test/")
		for _, size := range []int{1, 2, 7, len(base) - 1, len(base), len(base) + 1, 1 << 20} {
			if len(text) > fillBuffer && size < 7 {
				continue
			}
			w := httptest.NewRecorder()
			f := &filler{ResponseWriter: w, address: "http://gallery.test/"}
			for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
				if _, err := io.WriteString(f, rest[:min(size, len(rest))]); err != nil {
					t.Fatal(err)
				}
				if len(f.held) >= len(base) {
					t.Fatalf("%d bytes are held", len(f.held))
				}
			}
			f.end()
			if got := w.Body.String(); got != want {
				t.Errorf("%.50q in pieces of %d: got %.80q", text, size, got)
			}
		}
		w := httptest.NewRecorder()
		f := &filler{ResponseWriter: w, address: "http://gallery.test/"}
		n, err := io.Copy(f, iotest.HalfReader(strings.NewReader(text)))
		f.end()
		if got := w.Body.String(); got != want || n != int64(len(text)) || err != nil {
			t.Errorf("%.50q, copied: got %.80q, %d, %v", text, got, n, err)
		}
	}
}
