package galshim

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/site"
)

const (
	pkg        = catalog.PackageAsset
	emptyPOST  = `{}`
	sandbox    = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// exchanges are requests and their responses. Empty fields are not compared. The body must contain
// want. Headers that begin with a minus sign must be absent.
var exchanges = []struct {
	request string // METHOD target
	body    string
	status  int
	want    string
	header  []string // Key: value
}{
	// Queries, with every prefix and in several spellings.
	{request: "POST /api/extensionquery", body: emptyPOST, status: 200, want: `"extensionName":"Hello"`, header: []string{"Content-Type: application/json", "Cache-Control: no-store"}},
	{request: "POST /_apis/public/gallery/extensionquery", status: 200, want: `"count":4`},
	{request: "POST /vscode/gallery/extensionquery", body: emptyPOST, status: 200, want: `"count":4`},
	{request: "POST /api/extensionquery?api-version=3.0-preview.1", body: emptyPOST, status: 200, want: `"count":4`},
	{request: "POST //api//extensionquery/", body: emptyPOST, status: 200, want: `"count":4`},
	{request: "POST /api/extensionquery", body: `{"filters":[{"criteria":[{"filterType":7,"value":"ACME.hello"}]}],"flags":950}`, status: 200, want: `"assetUri":"http://gallery.test/assets/acme/hello/1.3.0"`},
	{request: "POST /api/extensionquery", body: `<html>`, status: 400, want: `{"error":`},
	{request: "GET /api/extensionquery", status: 405, want: `{"error":"GET /api/extensionquery: use POST, OPTIONS"}`, header: []string{"Allow: POST, OPTIONS", "Access-Control-Allow-Origin: *"}},

	// A single extension.
	{request: "GET /api/vscode/acme/hello/latest", status: 200, want: `{"publisher":{`, header: []string{"Content-Type: application/json", "Cache-Control: private, max-age=300"}},
	{request: "GET /api/vscode/ACME/HELLO/latest", status: 200, want: `"version":"1.2.3"`},
	{request: "GET /api/acme/hello/latest", status: 200, want: `"version":"1.2.3"`},
	{request: "GET /_apis/public/gallery/vscode/acme/hello/latest", status: 200, want: `"version":"1.2.3"`},
	{request: "GET /vscode/gallery/acme/hello/latest", status: 200, want: `"version":"1.2.3"`},
	{request: "HEAD /vscode/gallery/vscode/acme/hello/latest", status: 200},
	{request: "GET /api/vscode/acme/nothing/latest", status: 404, want: `{"error":"no extension \"acme.nothing\""}`, header: []string{"Access-Control-Allow-Origin: *", "Cache-Control: no-store", "-ETag"}},
	{request: "POST /api/vscode/acme/hello/latest", status: 405, header: []string{"Allow: GET, HEAD, OPTIONS"}},

	// Manifests.
	{request: "GET /manifest.json", status: 200, want: `"id":"http://gallery.test/api/extensionquery"`, header: []string{"Vary: " + forwardedHeaders, "Cache-Control: private, max-age=300"}},
	{request: "GET /api/manifest.json", status: 200, want: `"ExtensionQueryService"`},
	{request: "GET /api", status: 200, want: `"ExtensionQueryService"`},
	{request: "GET /api/", status: 200, want: `"ExtensionQueryService"`},
	{request: "GET /control.json", status: 200, want: `"malicious":[]`},

	// Packages.
	{request: "GET /assets/acme/hello/1.2.3/" + pkg, status: 200, want: "assets/acme/hello/1.2.3/" + pkg, header: []string{
		`Content-Disposition: attachment; filename=acme.hello-1.2.3.vsix`, "Content-Type: application/octet-stream",
		"Cache-Control: public, max-age=31536000, immutable", "Accept-Ranges: bytes", "-Content-Encoding"}},
	{request: "GET /assets/acme/hello/1.2.3@linux-x64/" + pkg + "?redirect=true&targetPlatform=linux-x64&install=true", status: 200, want: "@linux-x64", header: []string{
		`Content-Disposition: attachment; filename="acme.hello-1.2.3@linux-x64.vsix"`}},
	{request: "GET /api/publishers/acme/vsextensions/hello/1.2.3/vspackage", status: 200, want: "assets/acme/hello/1.2.3/" + pkg},
	{request: "GET /publishers/Acme/vsextensions/Hello/1.2.3/vspackage?targetPlatform=Linux-x64", status: 200, want: "assets/acme/hello/1.2.3@linux-x64/" + pkg},
	{request: "GET /_apis/public/gallery/publishers/acme/vsextensions/hello/1.2.3/vspackage?targetPlatform=win32-x64", status: 200, want: "assets/acme/hello/1.2.3/" + pkg},
	{request: "GET /publishers/acme/vsextensions/hello/1.2.3/vspackage?targetPlatform=universal", status: 200, want: "assets/acme/hello/1.2.3/" + pkg},
	{request: "GET /publishers/acme/vsextensions/hello/latest/vspackage", status: 200, want: "assets/acme/hello/1.2.3/" + pkg, header: []string{"Cache-Control: public, max-age=300"}},
	{request: "GET /publishers/acme/vsextensions/hello/latest/vspackage?targetPlatform=linux-x64", status: 200, want: "@linux-x64"},
	{request: "GET /publishers/acme/vsextensions/hello/9.9.9/vspackage", status: 404, want: `extension \"acme.hello\" has no such version`},
	{request: "GET /publishers/acme/vsextensions/nobody/latest/vspackage", status: 404, want: `no extension \"acme.nobody\"`},

	// Assets and unpacked files.
	{request: "GET /assets/ACME/Hello/1.2.3@Linux-X64/" + iconType + "?targetPlatform=linux-x64", status: 200, want: "@linux-x64", header: []string{"Content-Type: image/png", "X-Content-Type-Options: nosniff"}},
	{request: "GET /assets/acme/hello/1.2.3/" + detailsType, status: 200, want: "assets/acme/hello/1.2.3/" + detailsType, header: []string{
		"Content-Type: text/markdown; charset=utf-8", "-Content-Disposition", "Cache-Control: private, max-age=300", "Vary: " + forwardedHeaders}},
	{request: "GET /assets/acme/hello/2.0.0%2Bbuild.7/" + manifestType, status: 200, want: "2.0.0+build.7"},
	{request: "GET /vscode/asset/acme/hello/1.2.3/" + manifestType + "?targetPlatform=linux-x64", status: 200, want: "@linux-x64"},
	{request: "GET /_apis/public/gallery/publisher/acme/extension/hello/1.2.3/assetbyname/" + manifestType + "?targetPlatform=linux-x64", status: 200, want: "@linux-x64"},
	{request: "GET /vscode/asset/acme/hello/1.2.3@web/Microsoft.VisualStudio.Code.WebResources/extension/main.js", status: 200, want: "main.js"},
	{request: "GET /assets/acme/hello/1.2.3/No.Such.Type", status: 404, want: `No.Such.Type`},
	{request: "GET /assets/acme/hello/1.2.3", status: 404},
	{request: "GET /files/acme/hello/1.2.3@web/extension/main.js", status: 200, want: "main.js", header: []string{"Content-Type: text/javascript; charset=utf-8"}},
	{request: "GET /files/Acme/Hello/1.2.3+web/extension/main.js", status: 200, want: "main.js"},
	{request: "GET /files/acme/hello/1.2.3%2Bweb/extension/main.js", status: 200, want: "main.js"},
	{request: "GET /files/acme/hello/1.2.3/extension/main.js?target=web", status: 200, want: "main.js"},
	{request: "GET /vscode/unpkg/acme/hello/1.2.3+web/extension/main.js", status: 200, want: "main.js"},
	{request: "GET /files/acme/hello/2.0.0+build.7/extension/a.svg", status: 200, want: "<svg/>", header: []string{"Content-Security-Policy: " + sandbox, "X-Content-Type-Options: nosniff"}},
	{request: "GET /files/acme/hello/1.2.3@web/extension", status: 404, want: `"error"`},
	{request: "GET /files/acme/hello/1.2.3+web", status: 404},

	// Files that a browser could run are in a sandbox at every address, and no other files
	// are.
	{request: "GET /files/acme/hello/1.2.3/extension/evil.html", status: 200, want: "evil", header: []string{"Content-Type: text/html; charset=utf-8", "Content-Security-Policy: " + sandbox, "X-Content-Type-Options: nosniff"}},
	{request: "HEAD /files/acme/hello/1.2.3/extension/evil.html", status: 200, header: []string{"Content-Security-Policy: " + sandbox}},
	{request: "GET /files/acme/hello/1.2.3/extension/evil.html?target=linux-x64", status: 200, want: "evil", header: []string{"Content-Security-Policy: " + sandbox, "Cache-Control: public, max-age=300"}},
	{request: "GET /files/acme/hello/1.2.3+linux-x64/extension/evil.html", status: 404},
	{request: "GET /vscode/unpkg/acme/hello/1.2.3/extension/evil.html?target=web", status: 200, want: "evil", header: []string{"Content-Security-Policy: " + sandbox}},
	{request: "GET /assets/acme/hello/1.2.3/page.html?targetPlatform=linux-x64", status: 200, want: "evil", header: []string{"Content-Security-Policy: " + sandbox}},
	{request: "GET /vscode/asset/acme/hello/1.2.3/page.html?targetPlatform=linux-x64", status: 200, want: "evil", header: []string{"Content-Security-Policy: " + sandbox}},
	{request: "GET /vscode/asset/acme/hello/1.2.3/Microsoft.VisualStudio.Code.WebResources/extension/evil.html?targetPlatform=linux-x64", status: 200, want: "evil", header: []string{"Content-Security-Policy: " + sandbox}},
	{request: "GET /files/acme/hello/1.2.3/extension/evil.xml", status: 200, header: []string{"Content-Security-Policy: " + sandbox}},
	{request: "GET /files/acme/hello/1.2.3/extension/evil.pdf", status: 200, header: []string{"Content-Security-Policy: " + sandbox}},
	{request: "GET /files/acme/hello/1.2.3/extension/unknown", status: 200, header: []string{"Content-Security-Policy: " + sandbox, "X-Content-Type-Options: nosniff"}},
	{request: "GET /assets/acme/hello/1.2.3/" + pkg, status: 200, header: []string{"X-Content-Type-Options: nosniff"}},
	{request: "GET /files/acme/hello/1.2.3@web/extension/main.js", status: 200, header: []string{"-Content-Security-Policy", "X-Content-Type-Options: nosniff"}},
	{request: "GET /files/acme/hello/1.2.3/extension/main.js?target=web", status: 200, header: []string{"-Content-Security-Policy"}},
	{request: "GET /assets/acme/hello/1.2.3/" + iconType, status: 200, header: []string{"-Content-Security-Policy"}},

	// Pages.
	{request: "GET /", status: 200, want: "browse", header: []string{"Content-Type: text/html; charset=utf-8", "Content-Security-Policy: " + pagePolicy, "Referrer-Policy: no-referrer",
		"X-Content-Type-Options: nosniff", "Cache-Control: public, max-age=300"}},
	{request: "HEAD /", status: 200, header: []string{"Content-Security-Policy: " + pagePolicy}},
	{request: "GET /index.html", status: 200, want: "browse", header: []string{"Content-Security-Policy: " + pagePolicy}},
	{request: "GET /item/acme.hello.html", status: 200, want: "hello", header: []string{"Content-Security-Policy: " + pagePolicy, "Referrer-Policy: no-referrer"}},
	{request: "GET /item/", status: 200, want: "find"},
	{request: "GET /item/index.html", status: 200, want: "find"},
	{request: "GET /categories/", status: 200, want: "categories"},
	{request: "GET /categories/?x=1", status: 200, want: "categories"},
	{request: "GET /tags/c~23.html", status: 200, want: "c#"},
	{request: "GET /item/acme.na%C3%AFve.html", status: 200, want: "naïve"},
	{request: "POST /", status: 405, header: []string{"Allow: GET, HEAD, OPTIONS"}},

	// Addresses that editors and people use are redirected to a page.
	{request: "GET /item?itemName=acme.hello", status: 302, header: []string{"Location: http://gallery.test/item/acme.hello.html", "Cache-Control: no-store"}},
	{request: "HEAD /item?itemName=Acme.Hello", status: 302, header: []string{"Location: http://gallery.test/item/acme.hello.html"}},
	{request: "GET /item/?itemName=ACME.HELLO&ssr=false", status: 302, header: []string{"Location: http://gallery.test/item/acme.hello.html"}},
	{request: "GET /vscode/item?itemName=acme.hello", status: 302, header: []string{"Location: http://gallery.test/item/acme.hello.html"}},
	{request: "GET /vscode/item/?itemName=acme.hello", status: 302, header: []string{"Location: http://gallery.test/item/acme.hello.html"}},
	{request: "GET /item?itemName=acme.NA%C3%8FVE", status: 302, header: []string{"Location: http://gallery.test/item/acme.na%C3%AFve.html"}},
	{request: "GET /item/Acme.Hello.html", status: 302, header: []string{"Location: http://gallery.test/item/acme.hello.html", "Cache-Control: no-store"}},
	{request: "GET /item/Acme.Hello", status: 302, header: []string{"Location: http://gallery.test/item/acme.hello.html"}},
	{request: "GET /item/acme.hello.html/?q=1", status: 302, header: []string{"Location: http://gallery.test/item/acme.hello.html?q=1"}},
	{request: "GET /publishers/acme", status: 302, header: []string{"Location: http://gallery.test/publishers/acme.html"}},
	{request: "GET /publishers/Acme/", status: 302, header: []string{"Location: http://gallery.test/publishers/acme.html"}},
	{request: "GET /categories", status: 302, header: []string{"Location: http://gallery.test/categories/"}},
	{request: "GET /item", status: 302, header: []string{"Location: http://gallery.test/item/"}},
	{request: "GET /INDEX.HTML", status: 302, header: []string{"Location: http://gallery.test/"}},

	// Other addresses have no page.
	{request: "GET /item?itemName=acme.none", status: 404, want: `{"error":"no extension \"acme.none\""}`, header: []string{"Vary: Accept", "Content-Type: application/json", "Cache-Control: no-store"}},
	{request: "GET /item?itemName=../404", status: 404, want: `"error"`},
	{request: "GET /item?itemName=index", status: 302, header: []string{"Location: http://gallery.test/item/"}},
	{request: "GET /item?itemName=%0d%0aX:%20y", status: 404},
	{request: "GET /publishers/none", status: 404, want: `"error"`},
	{request: "GET /publishers", status: 404},
	{request: "GET /publishers/..%2f..%2fx", status: 404},
	{request: "GET /publishers%2facme.html", status: 404},
	{request: "GET /item%2facme.hello.html", status: 404},
	{request: "GET /item//acme.hello.html", status: 404},
	{request: "GET /item//?itemName=acme.hello", status: 302, header: []string{"Location: http://gallery.test/item/acme.hello.html"}},
	{request: "GET //", status: 404},
	{request: "GET /%2f", status: 404},
	{request: "GET /index.html/..", status: 404},
	{request: "GET /./", status: 404},
	{request: "GET /item/%2e%2e/item/", status: 404},
	{request: "GET //evil.example/item/..%2f..%2fitem/acme.hello", status: 404},
	{request: "GET /%2fevil.example/publishers/..%2f..%2fpublishers%2facme", status: 404},
	{request: "GET //evil.example/publishers/acme", status: 404},

	// Files for pages.
	{request: "GET /gallery.css", status: 200, want: "a{}", header: []string{"Content-Type: text/css; charset=utf-8", "Cache-Control: public, max-age=300", "-Content-Security-Policy", "-Referrer-Policy"}},
	{request: "GET /favicon.svg", status: 200, want: "<svg/>", header: []string{"Content-Type: image/svg+xml", "Content-Security-Policy: " + sandbox}},
	{request: "GET /recent.atom", status: 200, want: "<feed/>", header: []string{"Content-Type: application/atom+xml", "Content-Security-Policy: " + sandbox}},
	{request: "GET /sitemap.xml", status: 200, want: "<urlset/>", header: []string{"Content-Type: text/xml; charset=utf-8"}},
	{request: "GET /robots.txt", status: 200, want: "User-agent", header: []string{"Content-Type: text/plain; charset=utf-8"}},
	{request: "GET /statistics/07.json", status: 200, want: "{}", header: []string{"Content-Type: application/json", "Cache-Control: public, max-age=300"}},
	{request: "GET /Gallery.css", status: 404},

	// Statistics.
	{request: "POST /api/publishers/acme/extensions/hello/1.2.3/stats?statType=uninstall", status: 204},
	{request: "POST /publishers/acme/extensions/hello/1.2.3/stats?statType=install", status: 204},
	{request: "POST /api/itemName/acme.hello/version/1.2.3/statType/1/vscodewebextension", status: 204},

	// Paths for operators.
	{request: "GET /healthz", status: 200, want: `"extensions":4`},
	{request: "GET /version", status: 200, want: `"galshim"`},

	// Preflight requests, for any path.
	{request: "OPTIONS /api/vscode/acme/hello/latest", status: 204, header: []string{
		"Access-Control-Allow-Origin: *", "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS", "Access-Control-Max-Age: 86400",
		"Access-Control-Allow-Headers: *, Authorization, Content-Type, VSCode-SessionId, X-Market-Client-Id, X-Market-User-Id, X-Market-Search-Activity-Id, X-Client-Name, X-Client-Version, X-Client-Commit, X-Machine-Id"}},
	{request: "OPTIONS /no/such/path", status: 204, header: []string{"Access-Control-Allow-Origin: *"}},

	// Paths that do not exist.
	{request: "GET /no/such/path", status: 404, want: `{"error":"no such path: /no/such/path"}`, header: []string{"Content-Type: application/json"}},
	{request: "POST /no/such/path", status: 404},
	{request: "DELETE /api/extensionquery", status: 405},
	{request: "GET /index/CURRENT", status: 404},
	{request: "GET /.galbuild/lock", status: 404},
	{request: "GET /files/../index/CURRENT", status: 404},
	{request: "GET /files/acme/hello/1.2.3/%2e%2e/%2e%2e/%2e%2e/%2e%2e/index/CURRENT", status: 404},
	{request: "GET /assets/acme/hello/1.2.3/..%2f..%2f..%2f..%2findex%2fCURRENT", status: 404},
}

func TestResponses(t *testing.T) {
	g := openSample(t)
	for _, x := range exchanges {
		method, target, _ := strings.Cut(x.request, " ")
		resp := g.request(method, "http://gallery.test"+target, x.body)
		checkExchange(t, x.request, resp, x.status, x.want, x.header)
	}
}

func checkExchange(t *testing.T, request string, resp *http.Response, status int, want string, header []string) {
	t.Helper()
	body := text(t, resp)
	if resp.StatusCode != status || !strings.Contains(body, want) {
		t.Errorf("%s\n got %d %.300s\nwant %d …%s…", request, resp.StatusCode, body, status, want)
	}
	if resp.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%s: other origins may not read it", request)
	}
	for _, line := range header {
		key, value, present := strings.Cut(line, ": ")
		if !present {
			key = strings.TrimPrefix(key, "-")
		}
		if got, ok := resp.Header[http.CanonicalHeaderKey(key)]; ok != present || present && !slices.Contains(got, value) {
			t.Errorf("%s: %s is %q, want %q", request, key, got, value)
		}
	}
}

// TestContentURL checks that responses point editors to another host for assets and files, and that
// the page may load them from there.
func TestContentURL(t *testing.T) {
	g := openSample(t, func(c *config) { c.content = "https://files.test:8443/gallery" })
	policy := strings.Replace(pagePolicy, "img-src 'self'; connect-src 'self'", "img-src 'self' https://files.test:8443; connect-src 'self' https://files.test:8443", 1)
	for _, x := range []struct{ request, want, header string }{
		{"POST /api/extensionquery", `"assetUri":"https://files.test:8443/gallery/assets/acme/hello/1.3.0"`, "Cache-Control: no-store"},
		{"POST /api/extensionquery", `"fallbackAssetUri":"https://files.test:8443/gallery/assets/acme/hello/1.3.0"`, "Cache-Control: no-store"},
		{"GET /api/vscode/acme/hello/latest", `"source":"https://files.test:8443/gallery/assets/`, "Content-Type: application/json"},
		{"GET /manifest.json", `"id":"https://files.test:8443/gallery/files/{publisher}/{name}/{version}/{path}"`, "Content-Type: application/json"},
		{"GET /manifest.json", `"id":"http://gallery.test/api/extensionquery"`, "Content-Type: application/json"},
		{"GET /", "browse", "Content-Security-Policy: " + policy},
		{"GET /files/acme/hello/1.2.3/extension/evil.html", "evil", "Content-Security-Policy: " + sandbox},
	} {
		method, target, _ := strings.Cut(x.request, " ")
		resp := g.request(method, "http://gallery.test"+target, "")
		body := strings.Join(strings.Fields(text(t, resp)), "")
		if !strings.Contains(body, x.want) {
			t.Errorf("%s: no %s in %.500s", x.request, x.want, body)
		}
		key, want, _ := strings.Cut(x.header, ": ")
		if got := resp.Header.Get(key); got != want {
			t.Errorf("%s: %s is %q, want %q", x.request, key, got, want)
		}
	}
	if body := text(t, g.request("POST", "http://gallery.test/api/extensionquery", emptyPOST)); strings.Contains(body, "http://gallery.test") {
		t.Errorf("the response contains the gallery's own host: %.300s", body)
	}
}

// TestNoFiles checks that a server without files serves everything else, and readmes.
func TestNoFiles(t *testing.T) {
	g := openSample(t, func(c *config) { c.files = false })
	for request, status := range map[string]int{
		"POST /api/extensionquery":            200,
		"GET /api/vscode/acme/hello/latest":   200,
		"GET /manifest.json":                  200,
		"GET /control.json":                   200,
		"GET /":                               404,
		"GET /item/acme.hello.html":           404,
		"GET /gallery.css":                    404,
		"GET /item?itemName=Acme.Hello":       302,
		"GET /publishers/acme":                302,
		"GET /" + readmePath:                  200,
		"GET /assets/acme/hello/1.2.3/" + pkg: 404,
		"GET /files/acme/hello/1.2.3@web/x":   404,
		"GET /publishers/acme/vsextensions/hello/latest/vspackage": 404,
	} {
		method, target, _ := strings.Cut(request, " ")
		checkExchange(t, request, g.request(method, target, ""), status, "", nil)
	}
	checkExchange(t, "missing page", g.request("GET", "/none", "", "Accept", browser), 404, missingText, nil)
}

// TestConditionalRequests sends requests with If-None-Match, Range and If-Range.
func TestConditionalRequests(t *testing.T) {
	g := openSample(t)
	const icon = "/assets/acme/hello/1.2.3/" + iconType
	full := text(t, g.request("GET", icon, ""))
	etag := g.request("GET", icon, "").Header.Get("ETag")
	if len(etag) != 66 {
		t.Fatalf("ETag %s, want a quoted SHA-256", etag)
	}
	latest := g.request("GET", "/api/vscode/acme/hello/latest", "").Header.Get("ETag")
	for _, x := range []struct {
		target, key, value string
		more               []string
		status             int
		want               string
	}{
		{icon, "If-None-Match", etag, nil, 304, ""},
		{icon, "If-None-Match", "W/" + etag, nil, 304, ""},
		{icon, "If-None-Match", `"other"`, nil, 200, full},
		{icon, "Range", "bytes=7-10", nil, 206, full[7:11]},
		{icon, "Range", "bytes=-4", nil, 206, full[len(full)-4:]},
		{icon, "Range", "bytes=7-10", []string{"If-Range", etag}, 206, full[7:11]},
		{icon, "Range", "bytes=7-10", []string{"If-Range", `"other"`}, 200, full},
		{icon, "Range", "bytes=9999-", nil, 416, ""},
		{"/api/vscode/acme/hello/latest", "If-None-Match", latest, nil, 304, ""},
	} {
		resp := g.request("GET", x.target, "", append(x.more, x.key, x.value)...)
		body := text(t, resp)
		if resp.StatusCode != x.status || x.want != "" && body != x.want {
			t.Errorf("%s with %s: %s %q: %d %q, want %d %q", x.target, x.key, x.value, x.more, resp.StatusCode, body, x.status, x.want)
		}
	}
}

// TestDamaged serves a site in which one blob is missing and another is truncated.
func TestDamaged(t *testing.T) {
	g := openSample(t)
	const icon, details = "assets/acme/hello/1.2.3/" + iconType, "assets/acme/hello/1.2.3/" + detailsType
	if err := os.Remove(blobFile(g.dir, icon)); err != nil {
		t.Fatal(err)
	}
	overwrite(t, blobFile(g.dir, details), "short")
	for _, path := range []string{icon, details} {
		resp := g.request("GET", "/"+path, "", "Accept-Encoding", "gzip")
		checkExchange(t, path, resp, 500, `{"error":"internal error; see the log of the server"}`, []string{"-ETag", "Cache-Control: no-store", "Content-Type: application/json"})
	}
}

// TestPanic checks that a panic leads to an error, or to a cut connection if the response has
// begun.
func TestPanic(t *testing.T) {
	g := openSample(t)
	g.get("/boom", func(*reply, *http.Request, *generation) error { panic("boom") })
	checkExchange(t, "GET /boom", g.request("GET", "/boom", ""), 500, `{"error":`, nil)
	g.get("/late", func(w *reply, _ *http.Request, _ *generation) error { w.Write([]byte("x")); panic("boom") })
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("a response that was cut off looks complete")
		}
	}()
	g.request("GET", "/late", "")
}

// FuzzPath requests any path. Only files of the index may be served, only addresses of pages may be
// redirected, nothing may panic, and every error must be JSON.
func FuzzPath(f *testing.F) {
	for _, x := range exchanges {
		_, target, _ := strings.Cut(x.request, " ")
		f.Add(target)
	}
	f.Add("/api/vscode/%00/%ff/latest")
	f.Add("/files/acme/hello/1.2.3@web/extension/main.js/")
	f.Add("/a:b/../..//%2e%2e/blobs/sha256")
	g := openSample(f)
	f.Fuzz(func(t *testing.T, target string) {
		r, err := http.NewRequest("GET", "http://gallery.test/"+target, nil)
		if err != nil {
			t.Skip()
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if location := w.Header().Get("Location"); w.Code == 302 && strings.HasPrefix(location, "http://gallery.test/") && !strings.HasPrefix(location, "http://gallery.test//") {
			return // to the usual spelling of a page's address
		}
		if w.Code != 200 && w.Code != 404 && w.Code != 405 {
			t.Fatalf("GET %q: %d", target, w.Code)
		}
		if w.Code != 200 && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("GET %q: %d %s", target, w.Code, w.Body)
		}
		if body := w.Body.String(); strings.Contains(body, site.IndexName) {
			t.Fatalf("GET %q: CURRENT was served", target)
		}
	})
}

// TestRequestLog checks the lines of requests in the log, with and without a path in the base URL.
func TestRequestLog(t *testing.T) {
	var lines bytes.Buffer
	g := openSample(t, func(c *config) {
		c.addresser = &addresser{fixed: "http://gallery.test/tools"}
		c.log = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "elapsedMs" || a.Key == "id" {
				return slog.Attr{}
			}
			return a
		}}))
	})
	g.request("POST", "/api/extensionquery", `{"filters":[{"criteria":[{"filterType":7,"value":"acme.hello"}]}]}`)
	g.request("POST", "/tools/api/extensionquery/", `{"filters":[{"criteria":[{"filterType":7,"value":"acme.none"}]}]}`)
	g.request("POST", "/api/extensionquery", "no JSON")
	g.request("GET", "/api/extensionquery", "")
	g.request("GET", "/tools/healthz", "")
	g.request("POST", "/api/extensionquery", `{"filters":[{"criteria":[{"filterType":10,"value":"Jane Doe"},{"filterType":23,"value":"linux-x64"}]}]}`, "User-Agent", "VSCode 1.139.1",
		"Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	const want = `level=INFO msg=request method=POST path=/api/extensionquery status=200 bytes=N client=192.0.2.1 hits=1 ids=acme.hello idCount=1
level=INFO msg=request method=POST path=/tools/api/extensionquery/ status=200 bytes=N client=192.0.2.1 hits=0 ids=acme.none idCount=1
level=INFO msg=request method=POST path=/api/extensionquery status=400 bytes=N client=192.0.2.1 err="the body is not a gallery query in JSON: parse query: the body is not a JSON object"
level=INFO msg=request method=GET path=/api/extensionquery status=405 bytes=N client=192.0.2.1 err="GET /api/extensionquery: use POST, OPTIONS"
level=INFO msg=request method=POST path=/api/extensionquery status=200 bytes=N client=192.0.2.1 hits=0 trace=4bf92f3577b34da6a3ce929d0e0e4736 agent="VSCode 1.139.1" text="Jane Doe" platform=linux-x64
`
	if got := regexp.MustCompile(`bytes=\d+`).ReplaceAllString(lines.String(), "bytes=N"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
