//go:build e2e

package deploy

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"galbuild/build/headers"
	"galbuild/build/mediatype"
	"galbuild/build/porttest"
)

// hostileNames are file names to which a server could give another media type than package
// mediatype does.
var hostileNames = []string{
	"noext", "html", ".html", ".svg", ".js", ".a.html", "x.html ", "x.html.", "x.HTML", "x.Svg", "x.js.html", "x.html.js", "x.htm", "x.shtml",
	"x.xhtml", "x.xht", "x.svgz", "x.mht", "x.mhtml", "x.hta", "x.swf", "x.rdf", "x.atom", "x.wsdl", "x.php", "x.tmLanguage", "x.manifest",
	"x.details", "x.default", "x.vsixpackage", "x.html\n", "x.js\n", "x\n.js", "x.js/x.html", "x.html/x.js",
}

// TestNginxTable requests files of every media type. Their types and policies are those of package
// mediatype, in complete and partial responses, and in those with status 304.
func TestNginxTable(t *testing.T) {
	root, check := makeTable(t)
	check(nginx(t, Nginx{BaseURL: "http://gallery.example", Root: root, Shim: strings.TrimPrefix(fakeShim(t).URL, "http://")}))
}

// makeTable makes a site with a file of every media type, and returns a function that requests them
// from http://gallery.example.
func makeTable(t *testing.T) (root string, check func(client *http.Client)) {
	root = makeSite(t)
	names := hostileNames
	for _, extensions := range mediatype.Extensions() {
		for _, ext := range extensions {
			names = append(names, "x."+ext, "y."+strings.ToUpper(ext))
		}
	}
	const dir = "files/acme/hello/1.2.3/table/"
	for i, name := range names {
		file := filepath.Join(root, dir, fmt.Sprint(i), name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root, func(client *http.Client) {
		for i, name := range names {
			requestAll(t, client, dir+fmt.Sprint(i)+"/", name)
		}
	}
}

// requestAll requests a file in several ways.
func requestAll(t *testing.T, client *http.Client, dir, name string) {
	at := "/" + (&url.URL{Path: dir + name}).EscapedPath()
	whole := sameAsTable(t, client, name, probe{path: at})
	sameAsTable(t, client, name, probe{path: at, header: map[string]string{"Range": "bytes=0-1"}})
	sameAsTable(t, client, name, probe{path: at, header: map[string]string{"If-None-Match": whole.Header.Get("ETag")}})
	sameAsTable(t, client, name, probe{method: "HEAD", path: at + "?target=linux-x64"})
}

func sameAsTable(t *testing.T, client *http.Client, name string, p probe) *http.Response {
	t.Helper()
	got, _ := p.request(t, client, "http://gallery.example")
	want := mediatype.Of(name)
	if kind := got.Header.Get("Content-Type"); kind != want && got.StatusCode != http.StatusNotModified || got.StatusCode >= 400 {
		t.Errorf("%q %v: %s %q, want %q", p.path, p.header, got.Status, kind, want)
	}
	policy := ""
	if mediatype.Active(want) {
		policy = headers.FilePolicy
	}
	if has := got.Header.Get("Content-Security-Policy"); has != policy {
		t.Errorf("%q %v: %s: policy %q, want %q", p.path, p.header, got.Status, has, policy)
	}
	if sniff := got.Header.Values("X-Content-Type-Options"); len(sniff) != 1 || sniff[0] != "nosniff" {
		t.Errorf("%q %v: X-Content-Type-Options: %q", p.path, p.header, sniff)
	}
	return got
}

// TestNginxContentURL serves files of packages on a separate host only.
func TestNginxContentURL(t *testing.T) {
	for _, prefix := range []string{"", "/tools/gallery"} {
		t.Run("at "+prefix, func(t *testing.T) { contentURL(t, "http://gallery.example"+prefix, "http://files.example"+prefix) })
	}
}

func contentURL(t *testing.T, base, content string) {
	shim := fakeShim(t)
	client := nginx(t, Nginx{BaseURL: base, ContentURL: content, Root: makeSite(t), Shim: strings.TrimPrefix(shim.URL, "http://"), Views: []string{"team-a"}})
	const byName = "/acme/extension/hello/1.2.3/assetbyname/Microsoft.VisualStudio.Code.WebResources/extension/page.html"
	const page, script = "/files/acme/hello/1.2.3/extension/page.html", "/files/acme/hello/1.2.3+web/extension/dist/main.js"
	for _, p := range []probe{
		file(page, "text/html; charset=utf-8", immutable),
		aliasOf("files/acme/hello/1.2.3@web/extension/dist/main.js", script, "text/javascript; charset=utf-8", immutable),
		asset("1.2.3", "Code.Manifest", "application/json"),
		download("/"+forAll, forAll, "acme.hello-1.2.3.vsix"),
		fromShim("/files/ACME/hello/1.2.3/extension/page.html"),
		fromShim("/vscode/unpkg/acme/hello/1.2.3/extension/page.html"),
		fromShim("/vscode/asset/acme/hello/1.2.3/x?targetPlatform=web"),
		fromShim("/publisher" + byName),
		fromShim("/api/publisher" + byName),
		fromShim("/_apis/public/gallery/publisher" + byName + "?targetPlatform=web"),
		fromShim("/team-a" + page),
		fromShim("/team-a/api/publisher" + byName),
	} {
		t.Run("content "+p.path, func(t *testing.T) { p.run(t, client, content) })
	}
	for _, path := range []string{"/", "/index.html", "/item", "/item/acme.hello.html", "/gallery.js", "/control.json", "/manifest.json", "/api/extensionquery", "/api/vscode/acme/hello/latest",
		"/index/CURRENT", "/blobs/sha256/ab/abcd", "/api" + vspackage, vspackage, "/publishers/acme", "/healthz", "/.galbuild/cache", "/files/../control.json",
		"/team-a", "/team-a/", "/team-a/api/extensionquery", "/team-a/item/acme.hello.html"} {
		t.Run("content "+path, func(t *testing.T) { notFound(path).run(t, client, content) })
	}
	t.Run("content POST", func(t *testing.T) {
		p := notFound("/api/extensionquery")
		p.method = "POST"
		p.run(t, client, content)
	})

	elsewhere := func(path string) probe {
		return probe{path: path, status: http.StatusFound, headers: map[string]string{"Location": content + path, "X-Shim": ""}}
	}
	for _, p := range []probe{
		elsewhere(page), elsewhere(script), elsewhere("/" + forAll + "?redirect=true&install=true"), elsewhere("/files/a%20b/%3cb%22"),
	} {
		t.Run("gallery "+p.path, func(t *testing.T) { p.run(t, client, base) })
	}
	for _, path := range []string{"/vscode/unpkg/acme/hello/1.2.3/x.html", "/vscode/asset/acme/hello/1.2.3/x", "/publisher" + byName, "/api/publisher" + byName,
		"/_apis/public/gallery/publisher" + byName, "/vscode/gallery/publisher" + byName, "/team-a" + page, "/team-a/api/publisher" + byName} {
		t.Run("gallery "+path, func(t *testing.T) {
			probe{path: path, status: http.StatusFound, headers: map[string]string{"Location": content + path, "X-Shim": ""}}.run(t, client, base)
		})
	}
	t.Run("gallery, header smuggled", func(t *testing.T) {
		if got, _ := (probe{path: "/files/a%0d%0aX:%20y/b"}).request(t, client, base); got.Header.Get("X") != "" || got.StatusCode == 200 {
			t.Errorf("%s %v", got.Status, got.Header)
		}
	})
	for _, path := range []string{"/%66iles/acme/hello/1.2.3/extension/page.html", "//files/acme/hello/1.2.3/extension/page.html", "/x/..%2ffiles/acme/hello/1.2.3/extension/page.html",
		"/api/%70ublisher" + byName, "/team-a/%66iles/acme/hello/1.2.3/extension/page.html"} {
		t.Run("gallery "+path, func(t *testing.T) {
			probe{path: path, status: 404, headers: map[string]string{"Location": "", "X-Shim": ""}}.run(t, client, base)
		})
	}
	for _, p := range []probe{
		file("/control.json", "application/json", short), fromShim("/api/extensionquery"), fromShim("/team-a/api/extensionquery"), download("/api"+vspackage, forAll, "acme.hello-1.2.3.vsix"),
		{path: "/", status: 200, headers: map[string]string{"Content-Security-Policy": headers.PagePolicy(content) + headers.NoFrames}},
	} {
		t.Run("gallery "+p.path, func(t *testing.T) {
			p.run(t, client, base)
		})
	}
}

// TestNginxLinks checks that nginx does not follow symbolic links in the site. The folder of the
// site itself may be one.
func TestNginxLinks(t *testing.T) {
	root := makeSite(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	linked := filepath.Join(t.TempDir(), "site")
	hard := filepath.Join(root, "files/acme/hello/1.2.3/extension/hard.txt")
	for to, from := range map[string]string{
		filepath.Join(root, "files/acme/hello/1.2.3/extension/link.txt"): secret,
		filepath.Join(root, "files/acme/out"):                            filepath.Dir(secret),
		filepath.Join(root, "files/acme/in"):                             filepath.Join(root, "files/acme/hello"),
		linked:                                                           root,
	} {
		if err := os.Symlink(from, to); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(root, "control.json"), hard); err != nil {
		t.Fatal(err)
	}
	base := "http://gallery.example"
	client := nginx(t, Nginx{BaseURL: base, Root: linked, Shim: strings.TrimPrefix(fakeShim(t).URL, "http://")})
	for _, path := range []string{"/files/acme/hello/1.2.3/extension/link.txt", "/files/acme/out/secret", "/files/acme/in/1.2.3/extension/page.html"} {
		if got, body := (probe{path: path}).request(t, client, base); strings.Contains(body, "secret\n") || body == "secret" || got.Header.Get("X-Shim") == "" && got.StatusCode < 400 {
			t.Errorf("%s: %s %.40q", path, got.Status, body)
		}
	}
	if got, body := (probe{path: "/files/acme/hello/1.2.3/extension/hard.txt"}).request(t, client, base); got.StatusCode != 200 || body != "control.json" {
		t.Errorf("hard link: %s %q", got.Status, body)
	}
}

// twoShims runs nginx with two galshims as upstreams.
func twoShims(t *testing.T, one, other string) *http.Client {
	t.Helper()
	return nginxWith(t, Nginx{BaseURL: "http://gallery.example", Root: makeSite(t), Shim: one}, func(conf string) string {
		second := fmt.Sprintf("server %q;\n    server %q;", one, other)
		conf = strings.Replace(conf, fmt.Sprintf("server %q;", one), second, 1)
		return strings.Replace(conf, "proxy_connect_timeout 2s;", "proxy_connect_timeout 2s; proxy_read_timeout 1s;", 1)
	})
}

// TestNginxNextShim checks that nginx uses the next galshim if one cannot be reached, and
// does not send it a query that the first one is working on.
func TestNginxNextShim(t *testing.T) {
	var requests atomic.Int32
	busy := func() string {
		release := make(chan struct{})
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			requests.Add(1)
			<-release
		}))
		t.Cleanup(func() { close(release); s.Close() })
		return strings.TrimPrefix(s.URL, "http://")
	}
	client := twoShims(t, busy(), busy())
	response, err := client.Post("http://gallery.example/api/extensionquery", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusGatewayTimeout || requests.Load() != 1 {
		t.Errorf("%s, %d galshims received the query, want one", response.Status, requests.Load())
	}

	client = twoShims(t, porttest.Address(t), strings.TrimPrefix(fakeShim(t).URL, "http://"))
	for range 4 {
		probe{method: "POST", path: "/api/extensionquery", status: 200, shim: "/api/extensionquery"}.run(t, client, "http://gallery.example")
	}
}

// TestNginxRateLimit checks that the rate limit applies only to queries of one address, and
// only if it is set.
func TestNginxRateLimit(t *testing.T) {
	var without bytes.Buffer
	n := Nginx{BaseURL: "http://gallery.example", Root: makeSite(t), Shim: strings.TrimPrefix(fakeShim(t).URL, "http://")}
	if err := n.Write(&without); err != nil || strings.Contains(without.String(), "limit_req") {
		t.Errorf("there is a rate limit without RateLimit (%v)", err)
	}
	n.RateLimit = 1
	client := nginx(t, n)
	refused := 0
	for range 1100 {
		response, _ := probe{method: "POST", path: "/api/extensionquery"}.request(t, client, n.BaseURL)
		if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") == "1" && response.Header.Get("Access-Control-Allow-Origin") == "*" {
			refused++
		} else if response.StatusCode != 200 {
			t.Fatal(response.Status)
		}
	}
	if refused == 0 || refused > 99 {
		t.Errorf("%d of 1100 queries were refused, want those after the first 1001", refused)
	}
	for range 20 {
		asset("1.2.3", "Code.Manifest", "application/json").run(t, client, n.BaseURL)
	}
}
