package headers_test

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/headers"
	"galbuild/build/site"
	"galbuild/render/gallery"
)

const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https://files.example; " +
		"connect-src 'self' https://files.example; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	octets = "application/octet-stream"
)

func file(mediaType, cache, disposition, policy string) headers.File {
	return headers.File{Type: mediaType, Cache: cache, Disposition: disposition, Policy: policy}
}

// page returns the headers with which a server sends a page.
func page(mediaType, cache string) headers.File {
	return headers.File{Type: mediaType, Cache: cache, Policy: pagePolicy, Referrer: "no-referrer"}
}

// TestFiles has files of each row of the table.
func TestFiles(t *testing.T) {
	const version = "assets/acme/hello/1.2.3@web/"
	const html, png, svg, atom, xml = "text/html; charset=utf-8", "image/png", "image/svg+xml", "application/atom+xml", "text/xml; charset=utf-8"
	const markdown, json, plain = "text/markdown; charset=utf-8", "application/json", "text/plain; charset=utf-8"
	const details = "Microsoft.VisualStudio.Services.Content.Details"
	year, minutes, each := "public, max-age=31536000, immutable", "public, max-age=300", "no-cache"
	for _, x := range []struct {
		path, mediaType string
		served, stored  headers.File
	}{
		{version + "Microsoft.VisualStudio.Services.VSIXPackage", "application/vsix",
			file("application/vsix", year, `attachment; filename="acme.hello-1.2.3@web.vsix"`, ""), file("application/vsix", year, "", "")},
		{version + "Microsoft.VisualStudio.Services.Icons.Default", png, file(png, year, "", ""), file(png, year, "", "")},
		{"files/acme/hello/1.2.3/extension/index.html", html, file(html, year, "", headers.FilePolicy), file(html, year, "attachment", "")},
		{"files/acme/hello/1.2.3/extension/x", octets, file(octets, year, "", headers.FilePolicy), file(octets, year, "", "")},
		{"blobs/ab/abcd", html, file(html, year, "", headers.FilePolicy), file(octets, year, "", "")},
		{"index/CURRENT", "text/plain; charset=utf-8", file("text/plain; charset=utf-8", each, "", ""), file("text/plain; charset=utf-8", each, "", "")},
		{"index/PREVIOUS", png, file(png, each, "", ""), file(png, each, "", "")},
		{"index/0123456789abcdef/gallery.v2.idx.zst", png, file(png, year, "", ""), file(png, year, "", "")},
		{"index/chunks/ab/abcd.idx", png, file(png, year, "", ""), file(png, year, "", "")},
		{version + details, markdown, file(markdown, minutes, "", ""), file(markdown, minutes, "", "")},
		{version + "Microsoft.VisualStudio.Services.Content.Changelog", markdown, file(markdown, year, "", ""), file(markdown, year, "", "")},
		{"assets/acme/hello/" + details, markdown, file(markdown, year, "", ""), file(markdown, year, "", "")},
		{version + "x/" + details, markdown, file(markdown, year, "", ""), file(markdown, year, "", "")},
		{"files/acme/hello/1.2.3/" + details, octets, file(octets, year, "", headers.FilePolicy), file(octets, year, "", "")},
		{"companions/server/vscode-server.tar.gz", "application/gzip", file("application/gzip", minutes, "", ""), file("application/gzip", each, "", "")},
		{"companions/a.html", html, file(html, minutes, "", headers.FilePolicy), file(html, each, "attachment", "")},
		{"index.html", html, page(html, minutes), file(html, each, "", "")},
		{"404.html", html, page(html, minutes), file(html, each, "", "")},
		{"item/index.html", html, page(html, minutes), file(html, each, "", "")},
		{"item/acme.notes.html", html, page(html, minutes), file(html, each, "", "")},
		{"categories/machine-learning.html", html, page(html, minutes), file(html, each, "", "")},
		{"filesx/a.html", html, page(html, minutes), file(html, each, "", "")},
		{"assets/acme/hello/1.2.3/x.html", html, file(html, year, "", headers.FilePolicy), file(html, year, "attachment", "")},
		{"index/a.html", html, file(html, each, "", headers.FilePolicy), file(html, each, "", "")},
		{"favicon.svg", svg, file(svg, minutes, "", headers.FilePolicy), file(svg, each, "", "")},
		{"recent.atom", atom, file(atom, minutes, "", headers.FilePolicy), file(atom, each, "", "")},
		{"sitemap.xml", xml, file(xml, minutes, "", headers.FilePolicy), file(xml, each, "", "")},
		{"robots.txt", plain, file(plain, minutes, "", ""), file(plain, each, "", "")},
		{"search/0.json", json, file(json, minutes, "", ""), file(json, each, "", "")},
		{"statistics/07.json", json, file(json, minutes, "", ""), file(json, each, "", "")},
		{"gallery.js", "text/javascript; charset=utf-8", file("text/javascript; charset=utf-8", minutes, "", ""), file("text/javascript; charset=utf-8", each, "", "")},
		{"api/vscode/acme/hello/latest", "application/json", file("application/json", minutes, "", ""), file("application/json", each, "", "")},
		{"assets", png, file(png, minutes, "", ""), file(png, each, "", "")},
		{"assetsx/y", png, file(png, minutes, "", ""), file(png, each, "", "")},
	} {
		if got := headers.Served(x.path, x.mediaType, "https://files.example/x"); got != x.served {
			t.Errorf("%s, served: got %+v, want %+v", x.path, got, x.served)
		}
		if got := headers.Stored(x.path, x.mediaType); got != x.stored {
			t.Errorf("%s, stored: got %+v, want %+v", x.path, got, x.stored)
		}
		if got := headers.IsImmutable(x.path); got != (x.stored.Cache == year) {
			t.Errorf("%s: immutable %v", x.path, got)
		}
		if got := cacheByRules(t, x.path); got != x.served.Cache {
			t.Errorf("%s: the rules give %q, want %q", x.path, got, x.served.Cache)
		}
	}
}

// cacheByRules returns what a server that matches patterns sends.
func cacheByRules(t *testing.T, path string) string {
	t.Helper()
	for _, r := range headers.Rules() {
		if regexp.MustCompile("^" + r.Pattern).MatchString("/" + path) {
			return r.Cache
		}
	}
	t.Fatalf("%s: no rule", path)
	return ""
}

// TestNames compares the names in the table with those of the packages that define them. The table
// does not import these packages, because the clients of targets must not depend on them.
func TestNames(t *testing.T) {
	for _, path := range []string{catalog.AssetsDir, catalog.FilesDir, "blobs/"} {
		if !regexp.MustCompile("^" + headers.Untrusted()).MatchString("/" + path) {
			t.Errorf("%s is not untrusted", path)
		}
	}
	if !headers.IsDetails(catalog.AssetsDir + "acme/hello/1.2.3/" + catalog.DetailsAsset) {
		t.Errorf("readmes are %s, want %s", headers.DetailsAsset, catalog.DetailsAsset)
	}
	if headers.PackageAsset != catalog.PackageAsset {
		t.Errorf("packages are %s, want %s", headers.PackageAsset, catalog.PackageAsset)
	}
	for _, path := range []string{"index.html", gallery.MissingPath, gallery.ItemDir + "acme.notes.html"} {
		if !headers.IsPage(path) {
			t.Errorf("%s is not a page", path)
		}
	}
	for _, path := range []string{"gallery.js", catalog.FilesDir + "acme/hello/1.2.3/extension/a.html", "blobs/a.html"} {
		if headers.IsPage(path) {
			t.Errorf("%s is a page", path)
		}
	}
	if got := headers.Stored(site.CurrentPath, "").Cache; got != headers.Revalidate {
		t.Errorf("%s has %q", site.CurrentPath, got)
	}
}

func TestEvery(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		h := http.Header{}
		headers.SetEvery(h, method)
		for _, x := range headers.Every() {
			want := x.Values
			if x.Preflight && method != http.MethodOptions {
				want = nil
			}
			if got := h.Values(x.Name); !slices.Equal(got, want) {
				t.Errorf("%s: %s is %q, want %q", method, x.Name, got, want)
			}
		}
	}
	if h := headers.Every(); len(h) == 0 || strings.ContainsFunc(h[0].Nginx, func(r rune) bool { return r != '_' && (r < 'a' || 'z' < r) }) {
		t.Errorf("%+v", h)
	}
}

// TestError replaces the headers of a file that has all of them.
func TestError(t *testing.T) {
	h := http.Header{}
	headers.SetEvery(h, http.MethodGet)
	want := len(h) + 2
	var f headers.File
	for _, value := range reflect.ValueOf(&f).Elem().Fields() {
		value.SetString("x")
	}
	f.Set(h)
	h.Set("ETag", `"x"`)
	headers.SetError(h)
	if len(h) != want || h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") == "" || h.Get("X-Content-Type-Options") == "" {
		t.Errorf("got %v", h)
	}
}
