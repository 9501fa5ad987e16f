//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A response is a response to a request, with its body.
type response struct {
	status int
	header http.Header
	body   []byte
}

// request makes a request to the gallery's address.
func (g *gallery) request(t *testing.T, method, path, body string, header map[string]string) response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, g.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	r, err := g.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return response{r.StatusCode, r.Header, text}
}

const (
	hello     = "/assets/acme/hello/1.1.0/"
	probe     = "/assets/acme/system-probe/1.0.0@linux-x64/"
	code      = "Microsoft.VisualStudio.Code."
	services  = "Microsoft.VisualStudio.Services."
	immutable = "public, max-age=31536000, immutable"
	short     = "public, max-age=300"
)

// A responseCase is a request and the response to it.
type responseCase struct {
	name   string
	method string // GET if empty
	path   string // below the base
	send   map[string]string
	status int
	header map[string]string
	shim   bool // nginx passes the request to galshim
}

// responseCases are requests to nginx. A header whose value is empty must not be in the response.
var responseCases = []responseCase{
	{name: "icon", path: hello + services + "Icons.Default", status: 200,
		header: map[string]string{"Content-Type": "image/png", "Cache-Control": immutable, "Content-Disposition": ""}},
	{name: "manifest", path: hello + code + "Manifest", status: 200,
		header: map[string]string{"Content-Type": "application/json", "Cache-Control": immutable}},
	{name: "readme", path: hello + services + "Content.Details", status: 200, shim: true,
		header: map[string]string{"Content-Type": "text/markdown; charset=utf-8", "Cache-Control": "private, max-age=300"}},
	{name: "changelog", path: hello + services + "Content.Changelog", status: 200,
		header: map[string]string{"Content-Type": "text/markdown; charset=utf-8", "Cache-Control": immutable}},
	{name: "licence", path: hello + services + "Content.License", status: 200,
		header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}},
	{name: "package", path: hello + services + "VSIXPackage?redirect=true&install=true", status: 200,
		header: map[string]string{"Content-Type": "application/vsix", "Cache-Control": immutable,
			"Content-Disposition": `attachment; filename="acme.hello-1.1.0.vsix"`}},
	{name: "package for a platform", path: probe + services + "VSIXPackage?redirect=true&targetPlatform=linux-x64&install=true", status: 200,
		header: map[string]string{"Content-Disposition": `attachment; filename="acme.system-probe-1.0.0@linux-x64.vsix"`}},
	{name: "package at its address for people", path: "/api/publishers/acme/vsextensions/hello/1.1.0/vspackage", status: 200,
		header: map[string]string{"Content-Type": "application/vsix"}},
	{name: "script of a web extension", path: "/files/acme/word-count/1.0.0/extension/extension.js", status: 200,
		header: map[string]string{"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": immutable}},
	{name: "theme", path: "/files/acme/midnight/1.0.0/extension/themes/midnight.json", status: 200,
		header: map[string]string{"Content-Type": "application/json", "Cache-Control": immutable}},
	{name: "latest", path: "/api/vscode/acme/hello/latest", status: 200,
		header: map[string]string{"Content-Type": "application/json", "Cache-Control": short}},
	{name: "latest in another case", path: "/api/vscode/ACME/Hello/latest", status: 200, shim: true,
		header: map[string]string{"Content-Type": "application/json"}},
	{name: "start page", path: "/", status: 200,
		header: map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": short}},
	{name: "page of an extension", path: "/item/acme.hello.html", status: 200,
		header: map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": short}},
	{name: "address that editors open", path: "/item?itemName=ACME.Hello", status: 302, shim: true,
		header: map[string]string{"Cache-Control": "no-store"}},
	{name: "page of a publisher", path: "/publishers/acme.html", status: 200,
		header: map[string]string{"Content-Type": "text/html; charset=utf-8"}},
	{name: "address of a publisher", path: "/publishers/acme", status: 302, shim: true},
	{name: "search without galshim", path: "/search/top.json", status: 200,
		header: map[string]string{"Content-Type": "application/json"}},
	{name: "pointer", path: "/index/CURRENT", status: 200,
		header: map[string]string{"Cache-Control": "no-cache"}},
	{name: "compressed", path: "/", send: map[string]string{"Accept-Encoding": "gzip"}, status: 200,
		header: map[string]string{"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}},
	{name: "package, not compressed", path: hello + services + "VSIXPackage", send: map[string]string{"Accept-Encoding": "gzip"}, status: 200,
		header: map[string]string{"Content-Encoding": ""}},
	{name: "head", method: "HEAD", path: hello + services + "VSIXPackage", status: 200,
		header: map[string]string{"Content-Type": "application/vsix", "Accept-Ranges": "bytes"}},
	{name: "range", path: hello + services + "VSIXPackage", send: map[string]string{"Range": "bytes=0-99"}, status: 206,
		header: map[string]string{"Content-Length": "100", "Content-Disposition": `attachment; filename="acme.hello-1.1.0.vsix"`}},
	{name: "preflight of an asset", method: "OPTIONS", path: hello + code + "Manifest", status: 204,
		send: map[string]string{"Origin": "http://editor.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-market-client-id"}},
	{name: "preflight of a query", method: "OPTIONS", path: "/api/extensionquery", status: 204,
		send: map[string]string{"Origin": "http://editor.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-market-client-id"}},
	{name: "uninstalled", method: "POST", path: "/api/publishers/acme/extensions/hello/1.1.0/stats?statType=uninstall", status: 204, shim: true},
	{name: "no such asset", path: "/assets/acme/hello/9.9.9/" + code + "Manifest", status: 404, shim: true,
		header: map[string]string{"Cache-Control": "no-store"}},
	{name: "no such path", path: "/nothing/here", status: 404, shim: true},
	{name: "private file", path: "/.galbuild/sources.jsonl", status: 404},
	{name: "private file, by another path", path: "/assets/../.galbuild/sources.jsonl", status: 404},
	{name: "submission", path: submission, status: 404},
}

// submission is the path of a file in the inbox, which no web server may serve.
const submission = "/inbox/acme/x.json"

// checkResponses makes the requests of responseCases to nginx, and others.
func (s suite) checkResponses(t *testing.T, g *gallery) {
	file := filepath.Join(g.site, filepath.FromSlash(submission))
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte("{}"), 0o644)); err != nil {
		t.Fatal(err)
	}
	t.Run("responses", func(t *testing.T) {
		for _, c := range responseCases {
			t.Run(c.name, func(t *testing.T) { g.checkResponse(t, c) })
		}
		t.Run("not modified", g.checkNotModified)
		t.Run("query", g.checkQuery)
		t.Run("without galshim", g.checkServedByNginx)
	})
}

func (g *gallery) checkResponse(t *testing.T, c responseCase) {
	got := g.request(t, cmp.Or(c.method, http.MethodGet), c.path, "", c.send)
	if got.status != c.status {
		t.Errorf("status %d, want %d", got.status, c.status)
	}
	for _, name := range slices.Sorted(maps.Keys(c.header)) {
		if v := got.header.Get(name); v != c.header[name] {
			t.Errorf("%s: %q, want %q", name, v, c.header[name])
		}
	}
	if v := got.header.Values("Access-Control-Allow-Origin"); !slices.Equal(v, []string{"*"}) {
		t.Errorf("Access-Control-Allow-Origin: %q, want one *", v)
	}
	allowed := strings.ToLower(got.header.Get("Access-Control-Allow-Headers"))
	for name := range strings.SplitSeq(c.send["Access-Control-Request-Headers"], ",") {
		if !strings.Contains(allowed, name) {
			t.Errorf("Access-Control-Allow-Headers: %q, want %s in it", allowed, name)
		}
	}
}

// checkServedByNginx checks in galshim's log that nginx did not pass on the requests for files. It
// also checks that the private file exists, which must not be served.
func (g *gallery) checkServedByNginx(t *testing.T) {
	last, err := g.client.Get(g.shim + "/last")
	if err != nil {
		t.Fatal(err)
	}
	last.Body.Close()
	g.galshim.await(t, " path=/last ") // the log is written after the response
	log, err := os.ReadFile(g.galshim.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range responseCases {
		path, _, _ := strings.Cut(c.path, "?")
		line := fmt.Sprintf(" method=%s path=%s ", cmp.Or(c.method, http.MethodGet), path)
		if !c.shim && strings.Contains(string(log), line) {
			t.Errorf("%s: galshim got a request for %s", c.name, path)
		}
	}
	if _, err := os.Stat(filepath.Join(g.site, ".galbuild", "sources.jsonl")); err != nil {
		t.Errorf("the private file: %v", err)
	}
}

func (g *gallery) checkNotModified(t *testing.T) {
	for _, path := range []string{hello + services + "VSIXPackage", "/api/vscode/acme/hello/latest", "/index/CURRENT"} {
		first := g.request(t, http.MethodGet, path, "", nil)
		tag := first.header.Get("ETag")
		if tag == "" {
			t.Errorf("%s: no ETag", path)
			continue
		}
		again := g.request(t, http.MethodGet, path, "", map[string]string{"If-None-Match": tag})
		if again.status != http.StatusNotModified || len(again.body) > 0 {
			t.Errorf("%s: status %d with %d bytes, want 304 with none", path, again.status, len(again.body))
		}
	}
}

// checkQuery downloads the package that the response to a query names, and compares it with what
// vsce wrote.
func (g *gallery) checkQuery(t *testing.T) {
	got := g.request(t, http.MethodPost, "/api/extensionquery",
		`{"filters":[{"criteria":[{"filterType":7,"value":"acme.hello"}],"pageSize":1}],"flags":950}`,
		map[string]string{"Content-Type": "application/json"})
	var result struct {
		Results []struct {
			Extensions []struct {
				Versions []struct{ Version, AssetURI, FallbackAssetURI string }
			}
		}
	}
	if err := json.Unmarshal(got.body, &result); err != nil || len(result.Results) != 1 || len(result.Results[0].Extensions) != 1 {
		t.Fatalf("status %d, %v, want one extension:\n%s", got.status, err, got.body)
	}
	version := result.Results[0].Extensions[0].Versions[0]
	want := g.base + strings.TrimSuffix(hello, "/")
	if version.AssetURI != want || version.FallbackAssetURI != want {
		t.Errorf("asset URIs %q and %q, want %q", version.AssetURI, version.FallbackAssetURI, want)
	}
	file, err := os.ReadFile(filepath.Join(g.packages, "acme.hello-1.1.0.vsix"))
	if err != nil {
		t.Fatal(err)
	}
	served := g.request(t, http.MethodGet, strings.TrimPrefix(version.FallbackAssetURI, g.base)+"/"+services+"VSIXPackage", "", nil)
	if !bytes.Equal(served.body, file) {
		t.Errorf("the package that is served has %d bytes, and differs from the one that was packed, of %d", len(served.body), len(file))
	}
}
