//go:build e2e

package deploy

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/headers"
	"galbuild/build/mediatype"
	"galbuild/cmd/e2e/toolchain"
)

// siteFiles are the files of the site that nginx serves. The content of each file is its path. A
// few files are longer, so that nginx compresses them.
var siteFiles = []string{
	"index.html", "404.html", "item/index.html", "item/acme.hello.html", "publishers/acme.html", "categories/index.html", "tags/c~23.html",
	"gallery.js", "gallery.css", "favicon.svg", "recent.atom", "sitemap.xml", "robots.txt", "statistics/07.json", "control.json", "manifest.json",
	"api/vscode/acme/hello/latest",
	"assets/acme/hello/1.2.3/Microsoft.VisualStudio.Code.Manifest",
	"assets/acme/hello/1.2.3/Microsoft.VisualStudio.Code.Translation.DE",
	"assets/acme/hello/1.2.3/Microsoft.VisualStudio.Services.Content.Details",
	"assets/acme/hello/1.2.3/Microsoft.VisualStudio.Services.Content.Changelog",
	"assets/acme/hello/1.2.3/Microsoft.VisualStudio.Services.Content.License",
	"assets/acme/hello/1.2.3/Microsoft.VisualStudio.Services.Icons.Default",
	"assets/acme/hello/1.2.3/Microsoft.VisualStudio.Services.VSIXPackage",
	"assets/acme/hello/1.2.3/Microsoft.VisualStudio.Services.VsixManifest",
	"assets/acme/hello/1.2.3/Microsoft.VisualStudio.Services.VsixSignature",
	"assets/acme/hello/1.2.3@linux-x64/Microsoft.VisualStudio.Services.VSIXPackage",
	"files/acme/hello/1.2.3@web/extension/package.json",
	"files/acme/hello/1.2.3@web/extension/dist/main.js",
	"files/acme/hello/1.2.3@web/extension/.config",
	"files/acme/hello/1.2.3/extension/a b+c%.css",
	"files/acme/hello/1.2.3/extension/app.manifest",
	"files/acme/hello/1.2.3/extension/font.woff2",
	"files/acme/hello/1.2.3/extension/icon.svg",
	"files/acme/hello/1.2.3/extension/lib.wasm",
	"files/acme/hello/1.2.3/extension/page.html",
	"files/acme/hello/1.2.3/extension/readme.md",
	"files/acme/hello/2.0.0+web.1/extension/package.json",
	"index/CURRENT", "index/0123456789abcdef/gallery.v2.idx.zst", "index/chunks/ab/abcd.idx", "index/chunks/ab/abcd.jsonl.zst", "index/history/1-0123456789abcdef.head",
	"blobs/sha256/ab/abcd", "private/0123456789abcdef.jsonl.zst", "private/history/1-0123456789abcdef.json", "inbox/acme/0123.json",
	".galbuild/cache", "assets/.galbuild-temp/x", "assets/acme/.x/y",
}

func contentOf(name string) string {
	if strings.HasSuffix(name, "Changelog") || strings.HasSuffix(name, ".html") || strings.HasSuffix(name, ".atom") || strings.HasSuffix(name, "VSIXPackage") {
		return name + strings.Repeat(" and so on", 1000)
	}
	return name
}

func makeSite(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), `the "site"`)
	for _, name := range siteFiles {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(contentOf(name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// A received is a request that the fake galshim has received. Its response is that, as JSON.
type received struct {
	Method, URI, Body string
	Header            http.Header
}

// fakeShim responds with the request that it received, or with 404 if its path contains "missing",
// and with the headers of galshim.
func fakeShim(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		h := w.Header()
		h.Set("X-Shim", "yes")
		headers.SetEvery(h, r.Method)
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Type", "application/json")
		if strings.Contains(r.URL.Path, "missing") {
			w.WriteHeader(http.StatusNotFound)
		}
		json.NewEncoder(w).Encode(received{Method: r.Method, URI: r.RequestURI, Body: string(body), Header: r.Header})
	}))
	t.Cleanup(s.Close)
	return s
}

// nginx runs n, listening on a socket, and returns a client for it.
func nginx(t *testing.T, n Nginx) *http.Client {
	t.Helper()
	return nginxWith(t, n, func(conf string) string { return conf })
}

// nginxWith runs n with a configuration that change has changed.
func nginxWith(t *testing.T, n Nginx, change func(conf string) string) *http.Client {
	t.Helper()
	tools := toolchain.Tools(t)
	dir, err := os.MkdirTemp("", "nginx") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "http")
	n.Listen = "unix:" + socket
	var site bytes.Buffer
	if err := n.Write(&site); err != nil {
		t.Fatal(err)
	}
	config := "types { text/wrong js json css html manifest default latest; }\ndefault_type text/wrong;\n" + change(site.String())
	run := func(args ...string) error {
		command := tools.NginxCommand(t, dir, config, args...)
		out, err := command.CombinedOutput()
		if err == nil && len(out) == 0 {
			return nil
		}
		return fmt.Errorf("nginx %v: %v: %s", args, err, out)
	}
	t.Cleanup(func() {
		if err := run("-s", "stop"); err != nil {
			t.Error(err)
		}
		if log, err := os.ReadFile(filepath.Join(dir, "error.log")); err != nil || t.Failed() {
			t.Logf("error.log (%v):\n%s", err, log)
		}
	})
	if err := run(); err != nil { // returns when it listens; warnings are errors too
		t.Fatal(err)
	}
	return &http.Client{
		Transport: &http.Transport{
			DisableCompression: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// A probe is a request and what its response must have.
type probe struct {
	method  string            // "" means GET
	path    string            // below the base URL
	header  map[string]string // of the request
	status  int
	headers map[string]string // of the response; "" means that there is no such header
	file    string            // the file whose content is the body
	shim    string            // the URI that galshim receives
}

const (
	immutable = "public, max-age=31536000, immutable"
	short     = "public, max-age=300"
)

func asset(version, kind, mediaType string) probe {
	path := "/assets/acme/hello/" + version + "/Microsoft.VisualStudio." + kind
	return probe{path: path, status: 200, file: path[1:], headers: map[string]string{"Content-Type": mediaType, "Cache-Control": immutable}}
}

func file(path, mediaType, cache string) probe {
	return probe{path: path, status: 200, file: path[1:], headers: map[string]string{"Content-Type": mediaType, "Cache-Control": cache}}
}

func aliasOf(file, path, mediaType, cache string) probe {
	return probe{path: path, status: 200, file: file, headers: map[string]string{"Content-Type": mediaType, "Cache-Control": cache}}
}

func fromShim(path string) probe {
	return probe{path: path, status: 200, shim: path, headers: map[string]string{"Cache-Control": "no-store"}}
}

func notFound(path string) probe {
	return probe{path: path, status: 404, headers: map[string]string{"X-Shim": "", "Cache-Control": "no-store"}}
}

func download(path, file, name string) probe {
	return probe{path: path, status: 200, file: file, headers: map[string]string{
		"Content-Type": "application/vsix", "Content-Disposition": `attachment; filename="` + name + `"`, "Cache-Control": immutable,
	}}
}

const (
	packageType = "Microsoft.VisualStudio.Services.VSIXPackage"
	forAll      = "assets/acme/hello/1.2.3/" + packageType
	forLinux    = "assets/acme/hello/1.2.3@linux-x64/" + packageType
	vspackage   = "/publishers/acme/vsextensions/hello/1.2.3/vspackage"
)

var probes = []probe{
	// Assets, whose media type depends on the end of their type.
	asset("1.2.3", "Code.Manifest", "application/json"),
	asset("1.2.3", "Code.Translation.DE", "application/json"),
	fromShim("/assets/acme/hello/1.2.3/Microsoft.VisualStudio.Services.Content.Details?targetPlatform=web"),
	asset("1.2.3", "Services.Content.Changelog", "text/markdown; charset=utf-8"),
	asset("1.2.3", "Services.Content.License", "text/plain; charset=utf-8"),
	asset("1.2.3", "Services.Icons.Default", "image/png"),
	asset("1.2.3", "Services.VsixManifest", "text/xml; charset=utf-8"),
	asset("1.2.3", "Services.VsixSignature", "application/zip"),
	aliasOf("assets/acme/hello/1.2.3/Microsoft.VisualStudio.Code.Manifest",
		"/assets/acme/hello/1.2.3/Microsoft.VisualStudio.Code.Manifest?targetPlatform=linux-x64", "application/json", immutable),
	fromShim("/assets/ACME/Hello/1.2.3/Microsoft.VisualStudio.Code.Manifest?x=1"),
	{path: "/assets/acme/missing/1/x", status: 404, headers: map[string]string{"X-Shim": "yes", "Cache-Control": "no-store"}},

	// Packages.
	download("/"+forAll+"?redirect=true&install=true", forAll, "acme.hello-1.2.3.vsix"),
	download("/"+forLinux, forLinux, "acme.hello-1.2.3@linux-x64.vsix"),
	download("/api"+vspackage, forAll, "acme.hello-1.2.3.vsix"),
	download(vspackage+"?targetPlatform=linux-x64", forLinux, "acme.hello-1.2.3@linux-x64.vsix"),
	download("/_apis/public/gallery"+vspackage+"?targetPlatform=linux-x64", forLinux, "acme.hello-1.2.3@linux-x64.vsix"),
	download("/api"+vspackage+"?targetPlatform=darwin-arm64", forAll, "acme.hello-1.2.3.vsix"),
	download("/api"+vspackage+"?targetPlatform=universal", forAll, "acme.hello-1.2.3.vsix"),
	download("/api"+vspackage+"?targetPlatform=web/../..", forAll, "acme.hello-1.2.3.vsix"),
	fromShim("/api/publishers/Acme/vsextensions/hello/latest/vspackage?targetPlatform=linux-x64"),
	{path: "/" + forAll, header: map[string]string{"Range": "bytes=0-9"}, status: 206, headers: map[string]string{
		"Content-Range": fmt.Sprintf("bytes 0-9/%d", len(contentOf(forAll))), "Content-Disposition": `attachment; filename="acme.hello-1.2.3.vsix"`,
	}},
	{path: "/" + forAll, header: map[string]string{"Accept-Encoding": "gzip"}, status: 200, file: forAll, headers: map[string]string{"Content-Encoding": ""}},
	{path: "/assets/acme/hello/1.2.3/Microsoft.VisualStudio.Services.Content.Changelog", header: map[string]string{"Accept-Encoding": "gzip"},
		status: 200, headers: map[string]string{"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}},

	// Files of packages.
	file("/files/acme/hello/1.2.3@web/extension/package.json", "application/json", immutable),
	aliasOf("files/acme/hello/1.2.3@web/extension/package.json", "/files/acme/hello/1.2.3+web/extension/package.json", "application/json", immutable),
	aliasOf("files/acme/hello/1.2.3@web/extension/dist/main.js", "/files/acme/hello/1.2.3+web/extension/dist/main.js?target=web", "text/javascript; charset=utf-8", immutable),
	aliasOf("files/acme/hello/1.2.3@web/extension/.config", "/files/acme/hello/1.2.3+web/extension/.config", "application/octet-stream", immutable),
	aliasOf("files/acme/hello/1.2.3/extension/a b+c%.css", "/files/acme/hello/1.2.3/extension/a%20b+c%25.css", "text/css; charset=utf-8", immutable),
	file("/files/acme/hello/1.2.3/extension/app.manifest", "application/octet-stream", immutable),
	file("/files/acme/hello/1.2.3/extension/font.woff2", "font/woff2", immutable),
	file("/files/acme/hello/1.2.3/extension/icon.svg", "image/svg+xml", immutable),
	file("/files/acme/hello/1.2.3/extension/lib.wasm", "application/wasm", immutable),
	file("/files/acme/hello/1.2.3/extension/page.html", "text/html; charset=utf-8", immutable),
	file("/files/acme/hello/1.2.3/extension/readme.md", "text/markdown; charset=utf-8", immutable),
	file("/files/acme/hello/2.0.0+web.1/extension/package.json", "application/json", immutable),
	fromShim("/files/acme/hello/1.2.3/extension"),
	fromShim("/files/acme/hello/1.2.3+web/extension/nothing.js"),

	// Files that may change.
	file("/api/vscode/acme/hello/latest", "application/json", short),
	fromShim("/api/vscode/ACME/hello/latest"),
	file("/control.json", "application/json", short),
	file("/manifest.json", "application/json", short),
	file("/index.html", "text/html; charset=utf-8", short),
	aliasOf("index.html", "/", "text/html; charset=utf-8", short),
	aliasOf("index.html", "/?q=notes", "text/html; charset=utf-8", short),
	file("/404.html", "text/html; charset=utf-8", short),
	file("/item/acme.hello.html", "text/html; charset=utf-8", short),
	file("/item/index.html", "text/html; charset=utf-8", short),
	file("/publishers/acme.html", "text/html; charset=utf-8", short),
	file("/tags/c~23.html", "text/html; charset=utf-8", short),
	aliasOf("categories/index.html", "/categories/", "text/html; charset=utf-8", short),
	fromShim("/item?itemName=Acme.Hello"),
	fromShim("/item/?itemName=acme.hello"),
	fromShim("/vscode/item?itemName=acme.hello"),
	fromShim("/item"),
	fromShim("/item/Acme.Hello.html"),
	fromShim("/item/acme.none.html"),
	fromShim("/publishers/acme"),
	fromShim("/publishers/acme/"),
	fromShim("/publishers/"),
	fromShim("/categories"),
	notFound("/item%2facme.hello.html"),
	notFound("/categories%2F"),
	notFound("/publishers/..%2fitem/acme.hello.html"),
	{method: "POST", path: "/item?itemName=acme.hello", status: 200, shim: "/item?itemName=acme.hello"},
	{path: "/item/acme.hello.html", header: map[string]string{"Accept-Encoding": "gzip"}, status: 200, headers: map[string]string{"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}},
	{path: "/recent.atom", header: map[string]string{"Accept-Encoding": "gzip"}, status: 200, headers: map[string]string{"Content-Encoding": "gzip"}},
	file("/gallery.js", "text/javascript; charset=utf-8", short),
	file("/gallery.css", "text/css; charset=utf-8", short),
	file("/favicon.svg", "image/svg+xml", short),
	file("/recent.atom", "application/atom+xml", short),
	file("/sitemap.xml", "text/xml; charset=utf-8", short),
	file("/robots.txt", "text/plain; charset=utf-8", short),
	file("/statistics/07.json", "application/json", short),
	file("/index/CURRENT", "application/octet-stream", "no-cache"),
	file("/index/0123456789abcdef/gallery.v2.idx.zst", "application/octet-stream", immutable),
	file("/index/chunks/ab/abcd.idx", "application/octet-stream", immutable),
	file("/index/chunks/ab/abcd.jsonl.zst", "application/octet-stream", immutable),
	file("/index/history/1-0123456789abcdef.head", "text/plain; charset=utf-8", immutable),
	file("/blobs/sha256/ab/abcd", "application/octet-stream", immutable),
	notFound("/index/0000000000000000/gallery.v2.idx.zst"),
	notFound("/index/"),
	notFound("/index/chunks/ab/"),
	notFound("/blobs/sha256/ab/"),
	notFound("/private/0123456789abcdef.jsonl.zst"),
	notFound("/private/history/1-0123456789abcdef.json"),
	notFound("/private/"),
	notFound("/%70rivate/0123456789abcdef.jsonl.zst"),
	notFound("//private/0123456789abcdef.jsonl.zst"),
	notFound("/inbox/acme/0123.json"),
	notFound("/inbox/"),
	notFound("//inbox/acme/0123.json"),

	// Hidden files.
	notFound("/.galbuild/cache"),
	notFound("/%2egalbuild/cache"),
	notFound("/x/../.galbuild/cache"),
	notFound("/assets/.galbuild-temp/x"),
	notFound("/assets/acme/.x/y"),
	notFound("/.well-known/x"),

	// Requests that galshim handles.
	fromShim("/api/extensionquery"),
	fromShim("/no/such/path?q=%20x"),
	{path: "/api/missing", status: 404, shim: "/api/missing"},
	{method: "POST", path: "/api/extensionquery?api-version=3.0-preview.1", status: 200, shim: "/api/extensionquery?api-version=3.0-preview.1"},
	{method: "POST", path: "/api/publishers/acme/extensions/hello/1.2.3/stats?statType=install", status: 200, shim: "/api/publishers/acme/extensions/hello/1.2.3/stats?statType=install"},
	{method: "POST", path: "/control.json", status: 200, shim: "/control.json"},
	{method: "PUT", path: "/assets/acme/hello/1.2.3/Microsoft.VisualStudio.Code.Manifest", status: 200, shim: "/assets/acme/hello/1.2.3/Microsoft.VisualStudio.Code.Manifest"},

	// Preflight requests of browsers.
	preflight("/api/extensionquery"),
	preflight("/api/vscode/acme/hello/latest"),
	preflight("/assets/acme/hello/1.2.3/Microsoft.VisualStudio.Code.Manifest"),
	preflight("/no/such/path"),
}

func preflight(path string) probe {
	return probe{method: "OPTIONS", path: path, status: 204,
		header: map[string]string{"Origin": "vscode-file://vscode-app", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-market-client-id"},
		headers: map[string]string{
			"X-Shim": "", "Cache-Control": "",
		},
	}
}

// always returns the headers that every response has once.
func always(method string) map[string]string {
	all := make(map[string]string)
	for _, h := range headers.Every() {
		if !h.Preflight || method == http.MethodOptions {
			all[h.Name] = h.Value()
		}
	}
	return all
}

// policyOf returns the policy that a file of the site must have.
func policyOf(file string) string {
	folder, _, _ := strings.Cut(file, "/")
	active := mediatype.Active(mediatype.Of(file))
	if folder == "assets" {
		active = mediatype.Active(mediatype.OfAsset(path.Base(file), "icon.png"))
	}
	switch {
	case headers.IsPage(file):
		return headers.PagePolicy("") + headers.NoFrames
	case folder != "index" && folder != "api" && active:
		return headers.FilePolicy
	}
	return ""
}

func (p probe) run(t *testing.T, client *http.Client, base string) {
	response, body := p.request(t, client, base)
	if response.StatusCode != p.status {
		t.Errorf("status %d, want %d", response.StatusCode, p.status)
	}
	policy := map[string]string{}
	if p.file != "" {
		policy["Content-Security-Policy"], policy["Referrer-Policy"] = policyOf(p.file), ""
		if headers.IsPage(p.file) {
			policy["Referrer-Policy"] = "no-referrer"
		}
	}
	for _, expected := range []map[string]string{always(p.method), policy, p.headers} {
		for name, want := range expected {
			got := response.Header.Values(name)
			if want == "" && len(got) == 0 || len(got) == 1 && got[0] == want {
				continue
			}
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if p.file != "" && body != contentOf(p.file) {
		t.Errorf("got %.80q, want the file %s", body, p.file)
	}
	if p.shim != "" {
		p.checkShim(t, base, body)
	}
}

func (p probe) request(t *testing.T, client *http.Client, base string) (*http.Response, string) {
	t.Helper()
	var sent io.Reader
	if p.method == "POST" {
		sent = strings.NewReader("the body")
	}
	request, err := http.NewRequest(p.method, base+p.path, sent)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range p.header {
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func (p probe) checkShim(t *testing.T, base, body string) {
	var got received
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("the response is not that of galshim: %.80q", body)
	}
	b, err := parseBase(base)
	if err != nil {
		t.Fatal(err)
	}
	method := p.method
	if method == "" {
		method = "GET"
	}
	if got.Method != method || got.URI != p.shim || (p.method == "POST") != (got.Body == "the body") {
		t.Errorf("galshim received %s %s %q, want %s %s", got.Method, got.URI, got.Body, method, p.shim)
	}
	for name, want := range map[string]string{"X-Forwarded-Host": b.host, "X-Forwarded-Proto": b.scheme, "X-Forwarded-Prefix": b.prefix,
		"Forwarded": "", "X-Forwarded-Port": ""} {
		if value := got.Header.Get(name); value != want {
			t.Errorf("galshim received %s: %q, want %q", name, value, want)
		}
	}
	if from := got.Header.Get("X-Forwarded-For"); from != "unix:" && from != "127.0.0.1" {
		t.Errorf("galshim received X-Forwarded-For: %q, want the client", from)
	}
}

func runProbes(t *testing.T, client *http.Client, base string) {
	for _, p := range probes {
		t.Run(strings.TrimSpace(p.method+" "+p.path), func(t *testing.T) { p.run(t, client, base) })
	}
	for _, path := range []string{"/control.json", "/api/vscode/acme/hello/latest", "/" + forAll} {
		t.Run("unchanged "+path, func(t *testing.T) {
			first, _ := probe{path: path}.request(t, client, base)
			tag := first.Header.Get("ETag")
			if tag == "" {
				t.Fatal("no ETag")
			}
			probe{path: path, header: map[string]string{"If-None-Match": tag}, status: http.StatusNotModified}.run(t, client, base)
		})
	}
}

func TestNginxAtRoot(t *testing.T) {
	base := "http://gallery.example"
	shim := fakeShim(t)
	client := nginx(t, Nginx{BaseURL: base, Root: makeSite(t), Shim: strings.TrimPrefix(shim.URL, "http://")})
	runProbes(t, client, base)
	t.Run("forged headers", func(t *testing.T) {
		p := fromShim("/api/x")
		p.header = map[string]string{"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Forwarded-Prefix": "/evil",
			"X-Forwarded-Port": "666", "X-Forwarded-Proto": "ftp", "X-Forwarded-For": "192.0.2.1"}
		p.run(t, client, base)
	})
	t.Run("large body", func(t *testing.T) {
		response, err := client.Post(base+"/api/extensionquery", "application/json", strings.NewReader(strings.Repeat(" ", 5<<20)))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge || response.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("got %s, %v", response.Status, response.Header)
		}
	})
	t.Run("shim down", func(t *testing.T) {
		shim.Close()
		probe{path: "/api/x", status: http.StatusBadGateway, headers: map[string]string{"Cache-Control": ""}}.run(t, client, base)
		asset("1.2.3", "Code.Manifest", "application/json").run(t, client, base)
	})
}

func TestNginxAtSubPathWithTLS(t *testing.T) {
	base := "https://example.com/tools/gallery"
	certified := httptest.NewTLSServer(http.NotFoundHandler()) // only for its certificate for example.com
	defer certified.Close()
	cert, key := writeCertificate(t, certified)
	client := nginx(t, Nginx{BaseURL: base, Root: makeSite(t), Shim: strings.TrimPrefix(fakeShim(t).URL, "http://"), Cert: cert, Key: key})
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	transport := client.Transport.(*http.Transport)
	transport.TLSClientConfig, transport.ForceAttemptHTTP2 = &tls.Config{RootCAs: roots}, true
	if response, _ := (probe{path: "/control.json"}).request(t, client, base); response.ProtoMajor != 2 {
		t.Errorf("the response has %s, want HTTP/2", response.Proto)
	}

	runProbes(t, client, base)
	runOutside(t, client, base)
}

// runOutside checks that a host serves nothing outside the path of the gallery.
func runOutside(t *testing.T, client *http.Client, base string) {
	outside := "https://example.com"
	for _, path := range []string{
		"/", "/control.json", "/api/extensionquery", "/api/vscode/acme/hello/latest", "/index/CURRENT", "/blobs/sha256/ab/abcd", "/item", "/publishers/acme",
		vspackage, "/" + forAll, "/files/acme/hello/1.2.3+web/extension/package.json", "/.galbuild/cache", "/tools/gallery2/control.json", "/tools/",
	} {
		t.Run("outside "+path, func(t *testing.T) { notFound(path).run(t, client, outside) })
	}
	t.Run("no slash", func(t *testing.T) {
		probe{path: "/tools/gallery", status: http.StatusPermanentRedirect, headers: map[string]string{"Location": base + "/"}}.run(t, client, outside)
	})
}

// writeCertificate writes the certificate of a server and its key to files.
func writeCertificate(t *testing.T, certified *httptest.Server) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pair := certified.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestNginxTwice checks that the configurations of two galleries can be in one nginx.
func TestNginxTwice(t *testing.T) {
	root := makeSite(t)
	var other bytes.Buffer
	if err := (Nginx{BaseURL: "http://other.example", Root: root, Listen: "unix:" + filepath.Join(t.TempDir(), "x")}).Write(&other); err != nil {
		t.Fatal(err)
	}
	var both bytes.Buffer
	if err := (Nginx{BaseURL: "http://one.example/g", Root: root, Listen: "unix:" + filepath.Join(t.TempDir(), "y")}).Write(&both); err != nil {
		t.Fatal(err)
	}
	test := toolchain.Tools(t).NginxCommand(t, t.TempDir(), both.String()+other.String(), "-t", "-q")
	if out, err := test.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

// TestNginxBehindHost includes the printed locations in the server block of a host that has
// locations of its own, and makes all requests through it.
func TestNginxBehindHost(t *testing.T) {
	const base = "http://host.example/tools/gallery"
	n := Nginx{BaseURL: base, Root: makeSite(t), Shim: strings.TrimPrefix(fakeShim(t).URL, "http://"), Behind: true}
	client := nginxWith(t, n, func(conf string) string {
		_, rest, _ := strings.Cut(conf, "listen unix:")
		socket, _, _ := strings.Cut(rest, ";")
		inner := n
		inner.Listen = "unix:" + socket + ".inner"
		var http, locations bytes.Buffer
		if err := errors.Join(inner.Write(&http), inner.WriteLocations(&locations)); err != nil {
			t.Fatal(err)
		}
		return http.String() + "server {\nlisten unix:" + socket + ";\nserver_name host.example;\nlocation / { return 200 own; }\nlocation ~ \\.js$ { return 200 script; }\n" +
			locations.String() + "}\n"
	})
	runProbes(t, client, base)
	for path, want := range map[string]string{"/": "own", "/item": "own", "/tools/": "own", "/tools/gallery2/x.js": "script"} {
		_, body := probe{path: path}.request(t, client, "http://host.example")
		if body != want {
			t.Errorf("%s: got %q, want %q", path, body, want)
		}
	}
	(probe{path: "/tools/gallery", status: http.StatusPermanentRedirect, headers: map[string]string{"Location": base + "/"}}).run(t, client, "http://host.example")
}
