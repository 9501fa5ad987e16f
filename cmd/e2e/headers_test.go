//go:build e2e

package e2e

import (
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/build/headers"
	"galbuild/build/porttest"
	"galbuild/cmd/e2e/toolchain"
)

// fileHeaders are headers of files that must have the same values from nginx and from galshim.
var fileHeaders = []string{"Cache-Control", "Content-Disposition", "Content-Range", "Content-Security-Policy", "Content-Type"}

// headerNames returns fileHeaders and the names of the headers of every response.
func headerNames() []string {
	names := slices.Clone(fileHeaders)
	for _, h := range headers.Every() {
		names = append(names, h.Name)
	}
	return names
}

// headerPaths are files of every kind, and paths without a file.
var headerPaths = []string{
	"/", "/index.html", "/404.html", "/item?itemName=acme.hello", "/item/?itemName=ACME.hello", "/vscode/item?itemName=acme.hello", "/item", "/item/",
	"/item/acme.hello.html", "/item/Acme.Hello", "/item/acme.nobody.html", "/publishers", "/publishers/acme.html", "/publishers/ACME", "/categories", "/categories/",
	"/recent/1.html", "/about/messages.html", "/search", "/search/", "/search/top.json", "/feed.atom", "/robots.txt", "/favicon.svg", "/gallery.js", "/gallery.css", "/control.json", "/manifest.json", "/api/vscode/acme/hello/latest", "/api/vscode/ACME/Hello/latest",
	hello + services + "VSIXPackage", hello + services + "Icons.Default", hello + services + "Content.Details", hello + services + "Content.Changelog",
	hello + services + "Content.License", hello + services + "VsixManifest", hello + code + "Manifest", probe + services + "VSIXPackage",
	"/api/publishers/acme/vsextensions/hello/1.1.0/vspackage", "/files/acme/word-count/1.0.0/extension/extension.js", "/files/acme/word-count/1.0.0/extension/package.json",
	"/files/acme/midnight/1.0.0/extension/themes/midnight.json", "/files/acme/kinds/1.0.0/extension/noend",
	"/assets/acme/kinds/1.0.0/" + code + "Translation.DE", "/assets/acme/kinds/1.0.0/" + services + "Content.License",
	"/nothing/here", "/assets/acme/hello/9.9.9/" + code + "Manifest", "/files/acme/word-count/1.0.0/extension/nothing.js", "/.galbuild/sources.jsonl", "/g%2fitem", "/%2e%2e/x",
}

// TestHeaders compares the responses of the printed nginx configuration with those of
// galshim alone, header by header. It also reads the site through nginx, as other galleries do.
func TestHeaders(t *testing.T) {
	dir := t.TempDir()
	s := suite{tools: toolchain.Tools(t), commands: compile(t, filepath.Join(dir, "bin")), dir: dir, authority: newAuthority(t, dir)}
	for _, sample := range []string{"hello", "word-count", "midnight"} {
		packFolder(t, s, filepath.Join("..", "..", "testdata", "samples", sample))
	}
	packFolder(t, s, filepath.Join("..", "..", "testdata", "samples", "system-probe"), "--target", "linux-x64")
	packFolder(t, s, writeKinds(t, filepath.Join(dir, "kinds")))
	base := "http://" + porttest.Address(t) + "/tools/gallery"
	g := newGallery(t, s.commands, s.authority.client(), filepath.Join(dir, "gallery"), base, "", filepath.Join(dir, "vsix"))
	g.serve(t, "--base-url", base)
	g.startNginx(t, s.tools, s.commands.config(t, "nginx", g.site, "--base-url", base, "--shim", host(t, g.shim)))
	for _, args := range [][]string{{"verify", base}, {"pull", base, "-o", filepath.Join(dir, "copy")}, {"verify", filepath.Join(dir, "copy")}, {"ls-remote", base}} {
		if out, err := exec.Command(s.commands.galbuild, args...).CombinedOutput(); err != nil || !strings.Contains(string(out), "acme.hello") && args[0] == "ls-remote" {
			t.Errorf("galbuild %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	direct := *g
	direct.base = g.shim + "/tools/gallery"
	paths := slices.Clone(headerPaths)
	for _, kind := range kinds {
		paths = append(paths, "/files/acme/kinds/1.0.0/extension/x."+kind)
	}
	for _, path := range []string{"%2f", "%2Fitem?itemName=acme.hello", "%2findex.html", "/item%2f", "/item%2facme.hello.html", "/publishers%2facme", "/publishers/%2f"} {
		t.Run(path, func(t *testing.T) {
			for _, g := range []*gallery{g, &direct} {
				if got := g.request(t, "GET", path, "", nil); got.status != 404 && got.status != 302 {
					t.Errorf("%s: status %d, want a redirect or 404, because a page there could not find its script: %.200s", g.base, got.status, got.body)
				}
			}
		})
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) { compareHeaders(t, g, &direct, path) })
	}
}

// kinds are extensions of files, on which media types depend.
var kinds = []string{"html", "svg", "pdf", "xml", "js", "css", "json", "wasm", "md", "txt", "png", "woff2", "ttf", "zip", "unknown", "map"}

// writeKinds writes a web extension with a file of every kind, and translations.
func writeKinds(t *testing.T, dir string) string {
	t.Helper()
	files := map[string]string{
		"package.json": `{"name": "kinds", "publisher": "acme", "version": "1.0.0", "engines": {"vscode": "^1.80.0"}, "browser": "./x.js", "activationEvents": ["*"],
			"displayName": "%name%", "repository": "https://gallery.example/kinds", "license": "MIT"}`,
		"package.nls.json": `{"name": "Kinds"}`, "package.nls.de.json": `{"name": "Arten"}`, "README.md": "# Kinds", "LICENSE": "MIT", "noend": "x",
	}
	for _, kind := range kinds {
		files["x."+kind] = strings.Repeat("x", 2000)
	}
	for name, text := range files {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// packFolder packs an extension into the folder vsix.
func packFolder(t testing.TB, s suite, folder string, flags ...string) {
	t.Helper()
	out := filepath.Join(s.dir, "vsix")
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(s.commands.galbuild, append([]string{"package", folder, "-q", "--allow-star-activation", "-o", out}, flags...)...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
}

// mayDiffer reports whether a header of nginx may differ from galshim's: by quotes around a file
// name, by the length of an extension, by the media type of an error, or for a range past the end
// of a file, where nginx sends a second Cache-Control that forbids to store the response.
func mayDiffer(path, name string, nginx response, galshim []string) bool {
	values := nginx.header.Values(name)
	switch name {
	case "Content-Disposition":
		return len(values) == 1 && len(galshim) == 1 && strings.ReplaceAll(values[0], `"`, "") == strings.ReplaceAll(galshim[0], `"`, "")
	case "Content-Range":
		return strings.HasSuffix(path, "/latest") // the static response has no statistics, and is shorter
	case "Content-Type":
		return nginx.status >= 400
	case "Cache-Control":
		return nginx.status == http.StatusRequestedRangeNotSatisfiable && len(values) > 0 && values[len(values)-1] == "no-store"
	}
	return false
}

// compareHeaders makes the same requests to both, and compares the responses.
func compareHeaders(t *testing.T, nginx, galshim *gallery, path string) {
	for _, x := range []struct {
		name, method string
		send         map[string]string
		etag         bool // send the entity tag that the server gave
	}{
		{"GET", "GET", nil, false},
		{"HEAD", "HEAD", nil, false},
		{"compressed", "GET", map[string]string{"Accept-Encoding": "gzip"}, false},
		{"range", "GET", map[string]string{"Range": "bytes=0-9"}, false},
		{"range past the end", "GET", map[string]string{"Range": "bytes=99999999-"}, false},
		{"not changed", "GET", nil, true},
		{"OPTIONS", "OPTIONS", map[string]string{"Origin": "http://editor.example", "Access-Control-Request-Method": "GET"}, false},
		{"PUT", "PUT", nil, false},
		{"another origin", "GET", map[string]string{"Origin": "http://editor.example"}, false},
	} {
		send := func(g *gallery) response {
			send := maps.Clone(x.send)
			if x.etag {
				send = map[string]string{"If-None-Match": g.request(t, http.MethodGet, path, "", nil).header.Get("ETag")}
			}
			return g.request(t, x.method, path, "", send)
		}
		got, want := send(nginx), send(galshim)
		refused := []int{http.StatusNotFound, http.StatusMethodNotAllowed}
		if got.status != want.status && !(x.method == http.MethodPut && slices.Contains(refused, got.status) && slices.Contains(refused, want.status)) {
			t.Errorf("%s: nginx %d, galshim %d", x.name, got.status, want.status)
		}
		for _, name := range headerNames() {
			a, b := got.header.Values(name), want.header.Values(name)
			if !slices.Equal(a, b) && !mayDiffer(path, name, got, b) {
				t.Errorf("%s: %s: nginx %q, galshim %q", x.name, name, a, b)
			}
		}
		if got.header.Get("Content-Encoding") != "" && !strings.Contains(got.header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: a compressed response without Vary", x.name)
		}
		if strings.Contains(got.header.Get("Server"), "/") {
			t.Errorf("%s: nginx sends its version", x.name)
		}
	}
}
