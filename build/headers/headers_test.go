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

// TestFiles has files of each row of the table.
func TestFiles(t *testing.T) {
	const version = "assets/acme/hello/1.2.3@web/"
	const html, png = "text/html; charset=utf-8", "image/png"
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
		{"index.html", html, file(html, minutes, "", pagePolicy), file(html, each, "", "")},
		{"item/index.html", html, file(html, minutes, "", pagePolicy), file(html, each, "", "")},
		{"page.js", "text/javascript; charset=utf-8", file("text/javascript; charset=utf-8", minutes, "", ""), file("text/javascript; charset=utf-8", each, "", "")},
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
	if headers.PackageAsset != catalog.PackageAsset {
		t.Errorf("packages are %s, want %s", headers.PackageAsset, catalog.PackageAsset)
	}
	if pages := []string{gallery.PagePath, gallery.ItemPath, gallery.PublisherPath}; !slices.Equal(headers.Pages, pages) {
		t.Errorf("the page is %v, want %v", headers.Pages, pages)
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
