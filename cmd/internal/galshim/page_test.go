package galshim

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"galbuild/render/gallery"
)

const browser = "text/html,application/xhtml+xml,*/*;q=0.8"

// TestMissingPage requests addresses that have no page. Browsers get the page for such addresses,
// whose links lead to the gallery from an address of any depth. Editors and scripts get JSON.
func TestMissingPage(t *testing.T) {
	g := openSample(t)
	page := []string{"Content-Type: text/html; charset=utf-8", "Content-Security-Policy: " + pagePolicy, "Referrer-Policy: no-referrer", "Cache-Control: no-store", "Vary: Accept", "-ETag"}
	for _, target := range []string{
		"/item?itemName=acme.none", "/item/?itemName=acme.none", "/vscode/item?itemName=acme.none", "/item/acme.none.html", "/publishers/none", "/a/b/c/d",
		"/item%2facme.hello.html", "/none.css", "//evil.example/",
	} {
		checkExchange(t, target, g.request("GET", target, "", "Accept", browser), 404, missingText, page)
		checkExchange(t, "HEAD "+target, g.request("HEAD", target, "", "Accept", browser), 404, "", page)
		checkExchange(t, "script at "+target, g.request("GET", target, "", "Accept", "*/*"), 404, `{"error":`, []string{"Vary: Accept"})
	}
	for _, target := range []string{"/api/vscode/acme/none/latest", "/assets/acme/hello/9.9.9/x", "/files/acme/none/1/x.html", "/publishers/acme/vsextensions/none/latest/vspackage"} {
		checkExchange(t, target, g.request("GET", target, "", "Accept", browser), 404, `{"error":`, nil)
	}
	checkExchange(t, "POST", g.request("POST", "/none", "", "Accept", browser), 404, `{"error":`, nil)
	zipped := g.request("GET", "/none", "", "Accept", browser, "Accept-Encoding", "gzip")
	if zipped.StatusCode != 404 {
		t.Errorf("compressed: status %d", zipped.StatusCode)
	}
}

// trustAll makes a server trust the headers of all proxies.
func trustAll(c *config) {
	c.addresser.trusted = []network{{netip.MustParsePrefix("0.0.0.0/0")}}
}

// TestMissingPageAtSubPath serves the page at another path than the one that it was made for.
func TestMissingPageAtSubPath(t *testing.T) {
	const at = `<html data-root="/tools/gallery/"><link href="/tools/gallery/gallery.css"><a href="https://other.example/">/path</a><form action="/tools/gallery/index.html">`
	fixed := openSample(t, func(c *config) { c.addresser.fixed = "https://gallery.test/tools/gallery" })
	checkExchange(t, "base URL", fixed.request("GET", "/tools/gallery/none", "", "Accept", browser), 404, at, nil)
	proxied := openSample(t, trustAll)
	checkExchange(t, "proxy", proxied.request("GET", "/none", "", "Accept", browser, "X-Forwarded-Prefix", "/tools/gallery"), 404, at, nil)
	checkExchange(t, "root", proxied.request("GET", "/none", "", "Accept", browser), 404, missingText, nil)
	if got := string(withRoot([]byte(at), "/")); got != missingText {
		t.Errorf("a page that was made for a sub-path, at the root: %s", got)
	}
	for _, page := range []string{"", "no root", `<html data-root="">="x`, `<html data-root="/`} {
		if got := string(withRoot([]byte(page), "/x/")); got != page {
			t.Errorf("%s became %s", page, got)
		}
	}
}

// TestMissingPageOfNone serves sites without that page, and with one that is too large.
func TestMissingPageOfNone(t *testing.T) {
	dir := t.TempDir()
	sample{pages: map[string]string{gallery.MissingPath: strings.Repeat("x", maxMissingPage+1)}}.write(t, dir)
	g := open(t, dir, folder{dir})
	checkExchange(t, "too large", g.request("GET", "/none", "", "Accept", browser), 404, `{"error":`, nil)
	dir = t.TempDir()
	sample{}.write(t, dir)
	g = open(t, dir, folder{dir})
	for _, target := range []string{"/none", "/", "/item?itemName=acme.hello", "/publishers/acme"} {
		checkExchange(t, target, g.request("GET", target, "", "Accept", browser), 404, `{"error":`, nil)
	}
}

// TestMissingPageOfRemote downloads the page once.
func TestMissingPageOfRemote(t *testing.T) {
	p := publish(t, sample{pages: defaultPages()})
	g := open(t, "", remoteAt(t, p.URL, t.TempDir()))
	before := p.full.Load()
	for range 3 {
		checkExchange(t, "remote", g.request("GET", "/a/b", "", "Accept", browser), 404, missingText, nil)
	}
	if n := p.full.Load() - before; n != 1 {
		t.Errorf("the page was downloaded %d times, want once", n)
	}
	p = publish(t, sample{pages: defaultPages()})
	overwrite(t, blobFile(p.dir, missingText), strings.Replace(missingText, "html", "HTML", 1))
	g = open(t, "", remoteAt(t, p.URL, t.TempDir()))
	checkExchange(t, "damaged", g.request("GET", "/a/b", "", "Accept", browser), http.StatusBadGateway, `{"error":`, nil)
}

// TestRedirectsAtSubPath checks that redirects stay below the base URL, and never go to the host
// that a client names.
func TestRedirectsAtSubPath(t *testing.T) {
	g := openSample(t, func(c *config) { c.addresser.fixed = "https://gallery.test/tools/gallery" })
	for from, to := range map[string]string{
		"/tools/gallery/item?itemName=Acme.Hello":  "/tools/gallery/item/acme.hello.html",
		"/tools/gallery/item/?itemName=Acme.Hello": "/tools/gallery/item/acme.hello.html",
		"/item?itemName=Acme.Hello":                "/tools/gallery/item/acme.hello.html",
		"/tools/gallery/publishers/ACME/":          "/tools/gallery/publishers/acme.html",
		"/tools/gallery/categories":                "/tools/gallery/categories/",
		"/tools/gallery":                           "/tools/gallery/",
		"/tools/gallery/index.html/":               "/tools/gallery/",
	} {
		resp := g.request("GET", "http://evil.example"+from, "", "X-Forwarded-Host", "evil.example")
		checkExchange(t, from, resp, 302, "", []string{"Location: https://gallery.test" + to})
	}
	checkExchange(t, "below", g.request("GET", "/tools/gallery/item/acme.hello.html", ""), 200, "hello", nil)
}
