package galshim

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"galbuild/build/catalog"
)

const (
	pkg       = catalog.PackageAsset
	emptyPOST = `{}`
)

// exchanges are requests, and what must come back. Empty fields are not looked
// at; want is part of the body; header lines that begin with a minus sign must
// not be there.
var exchanges = []struct {
	request string // METHOD target
	body    string
	status  int
	want    string
	header  []string // Key: value
}{
	// Questions, under every prefix and in every disguise.
	{request: "POST /api/extensionquery", body: emptyPOST, status: 200, want: `"extensionName":"Hello"`, header: []string{"Content-Type: application/json", "Cache-Control: no-store"}},
	{request: "POST /_apis/public/gallery/extensionquery", status: 200, want: `"count":4`},
	{request: "POST /vscode/gallery/extensionquery", body: emptyPOST, status: 200, want: `"count":4`},
	{request: "POST /api/extensionquery?api-version=3.0-preview.1", body: emptyPOST, status: 200, want: `"count":4`},
	{request: "POST //api//extensionquery/", body: emptyPOST, status: 200, want: `"count":4`},
	{request: "POST /api/extensionquery", body: `{"filters":[{"criteria":[{"filterType":7,"value":"ACME.hello"}]}],"flags":950}`, status: 200, want: `"assetUri":"http://gallery.test/assets/acme/hello/1.3.0"`},
	{request: "POST /api/extensionquery", body: `<html>`, status: 400, want: `{"error":`},
	{request: "GET /api/extensionquery", status: 405, want: `{"error":"GET /api/extensionquery: use POST, OPTIONS"}`, header: []string{"Allow: POST, OPTIONS", "Access-Control-Allow-Origin: *"}},

	// One extension.
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
	{request: "GET /assets/acme/hello/1.2.3/" + detailsType, status: 200, header: []string{"Content-Type: text/markdown; charset=utf-8", "-Content-Disposition"}},
	{request: "GET /assets/acme/hello/2.0.0%2Bbuild.7/" + manifestType, status: 200, want: "2.0.0+build.7"},
	{request: "GET /vscode/asset/acme/hello/1.2.3/" + manifestType + "?targetPlatform=linux-x64", status: 200, want: "@linux-x64"},
	{request: "GET /vscode/asset/acme/hello/1.2.3@web/Microsoft.VisualStudio.Code.WebResources/extension/main.js", status: 200, want: "main.js"},
	{request: "GET /assets/acme/hello/1.2.3/No.Such.Type", status: 404, want: `No.Such.Type`},
	{request: "GET /assets/acme/hello/1.2.3", status: 404},
	{request: "GET /files/acme/hello/1.2.3@web/extension/main.js", status: 200, want: "main.js", header: []string{"Content-Type: text/javascript; charset=utf-8"}},
	{request: "GET /files/Acme/Hello/1.2.3+web/extension/main.js", status: 200, want: "main.js"},
	{request: "GET /files/acme/hello/1.2.3%2Bweb/extension/main.js", status: 200, want: "main.js"},
	{request: "GET /files/acme/hello/1.2.3/extension/main.js?target=web", status: 200, want: "main.js"},
	{request: "GET /vscode/unpkg/acme/hello/1.2.3+web/extension/main.js", status: 200, want: "main.js"},
	{request: "GET /files/acme/hello/2.0.0+build.7/extension/a.svg", status: 200, want: "<svg/>", header: []string{"Content-Security-Policy: sandbox"}},
	{request: "GET /files/acme/hello/1.2.3@web/extension", status: 404, want: `"error"`},
	{request: "GET /files/acme/hello/1.2.3+web", status: 404},

	// Pages.
	{request: "GET /", status: 200, want: "browse", header: []string{"Content-Type: text/html; charset=utf-8", "-Content-Security-Policy"}},
	{request: "GET /index.html", status: 200, want: "browse"},
	{request: "GET /item?itemName=acme.hello", status: 200, want: "item"},
	{request: "GET /item/?itemName=acme.hello&ssr=false", status: 200, want: "item"},
	{request: "GET /vscode/item?itemName=acme.hello", status: 200, want: "item"},
	{request: "GET /publishers/acme", status: 200, want: "publisher"},
	{request: "GET /publishers/acme/", status: 200, want: "publisher"},

	// Statistics.
	{request: "POST /api/publishers/acme/extensions/hello/1.2.3/stats?statType=uninstall", status: 204},
	{request: "POST /publishers/acme/extensions/hello/1.2.3/stats?statType=install", status: 204},
	{request: "POST /api/itemName/acme.hello/version/1.2.3/statType/1/vscodewebextension", status: 204},

	// Operators.
	{request: "GET /healthz", status: 200, want: `"extensions":4`},
	{request: "GET /version", status: 200, want: `"galshim"`},

	// Preflights, anywhere.
	{request: "OPTIONS /api/vscode/acme/hello/latest", status: 204, header: []string{
		"Access-Control-Allow-Origin: *", "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS", "Access-Control-Max-Age: 86400",
		"Access-Control-Allow-Headers: *, Authorization, Content-Type, VSCode-SessionId, X-Market-Client-Id, X-Market-User-Id, X-Market-Search-Activity-Id, X-Client-Name, X-Client-Version, X-Client-Commit, X-Machine-Id"}},
	{request: "OPTIONS /no/such/path", status: 204, header: []string{"Access-Control-Allow-Origin: *"}},

	// What is not there.
	{request: "GET /no/such/path", status: 404, want: `{"error":"no such path: /no/such/path"}`, header: []string{"Content-Type: application/json"}},
	{request: "POST /no/such/path", status: 404},
	{request: "DELETE /api/extensionquery", status: 405},
	{request: "GET /index/CURRENT", status: 404},
	{request: "GET /.galbuild/lock", status: 404},
	{request: "GET /files/../index/CURRENT", status: 404},
	{request: "GET /files/acme/hello/1.2.3/%2e%2e/%2e%2e/%2e%2e/%2e%2e/index/CURRENT", status: 404},
	{request: "GET /assets/acme/hello/1.2.3/..%2f..%2f..%2f..%2findex%2fCURRENT", status: 404},
}

func TestExchanges(t *testing.T) {
	g := openSample(t)
	for _, x := range exchanges {
		method, target, _ := strings.Cut(x.request, " ")
		resp := g.ask(method, "http://gallery.test"+target, x.body)
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

// TestNoFiles leaves files to another server and answers the rest.
func TestNoFiles(t *testing.T) {
	g := openSample(t, func(c *config) { c.files = false })
	for request, status := range map[string]int{
		"POST /api/extensionquery":            200,
		"GET /api/vscode/acme/hello/latest":   200,
		"GET /manifest.json":                  200,
		"GET /control.json":                   200,
		"GET /":                               404,
		"GET /item":                           404,
		"GET /assets/acme/hello/1.2.3/" + pkg: 404,
		"GET /files/acme/hello/1.2.3@web/x":   404,
		"GET /publishers/acme/vsextensions/hello/latest/vspackage": 404,
	} {
		method, target, _ := strings.Cut(request, " ")
		checkExchange(t, request, g.ask(method, target, ""), status, "", nil)
	}
}

// TestConditions asks for parts, and for what has not changed.
func TestConditions(t *testing.T) {
	g := openSample(t)
	const icon = "/assets/acme/hello/1.2.3/" + iconType
	full := text(t, g.ask("GET", icon, ""))
	etag := g.ask("GET", icon, "").Header.Get("ETag")
	if len(etag) != 66 {
		t.Fatalf("ETag %s, want a quoted SHA-256", etag)
	}
	latest := g.ask("GET", "/api/vscode/acme/hello/latest", "").Header.Get("ETag")
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
		resp := g.ask("GET", x.target, "", append(x.more, x.key, x.value)...)
		body := text(t, resp)
		if resp.StatusCode != x.status || x.want != "" && body != x.want {
			t.Errorf("%s with %s: %s %q: %d %q, want %d %q", x.target, x.key, x.value, x.more, resp.StatusCode, body, x.status, x.want)
		}
	}
}

// TestDamaged serves a site that lost a blob, and has another one cut short.
func TestDamaged(t *testing.T) {
	g := openSample(t)
	const icon, details = "assets/acme/hello/1.2.3/" + iconType, "assets/acme/hello/1.2.3/" + detailsType
	if err := os.Remove(blobFile(g.dir, icon)); err != nil {
		t.Fatal(err)
	}
	overwrite(t, blobFile(g.dir, details), "short")
	for _, path := range []string{icon, details} {
		resp := g.ask("GET", "/"+path, "", "Accept-Encoding", "gzip")
		checkExchange(t, path, resp, 500, `{"error":"the server failed; its log says why"}`, []string{"-ETag", "Cache-Control: no-store", "Content-Type: application/json"})
	}
}

// TestPanic answers with an error, and keeps serving.
func TestPanic(t *testing.T) {
	g := openSample(t)
	g.get("/boom", func(*reply, *http.Request, *generation) error { panic("boom") })
	checkExchange(t, "GET /boom", g.ask("GET", "/boom", ""), 500, `{"error":`, nil)
	g.get("/late", func(w *reply, _ *http.Request, _ *generation) error { w.Write([]byte("x")); panic("boom") })
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("an answer that broke off looks whole")
		}
	}()
	g.ask("GET", "/late", "")
}

// FuzzPath asks for anything: nothing outside the table is served, nothing is
// redirected, nothing panics, and every error is JSON.
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
		if w.Code != 200 && w.Code != 404 && w.Code != 405 {
			t.Fatalf("GET %q: %d", target, w.Code)
		}
		if w.Code != 200 && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("GET %q: %d %s", target, w.Code, w.Body)
		}
		if body := w.Body.String(); strings.Contains(body, "gallery.v1.idx") {
			t.Fatalf("GET %q: CURRENT was served", target)
		}
	})
}
