//go:build e2e

package e2e

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/porttest"
	"galbuild/cmd/e2e/toolchain"
)

// teamPolicies are the policies of two views. Both have the extension hello.
var teamPolicies = map[string]string{
	"team-a": `{"allow": {"acme.hello": true, "acme.word-count": true, "acme.kinds": true}}`,
	"team-b": `{"deny": ["acme.word-count", "acme.kinds"]}`,
}

// viewPaths are paths of files of every kind in the view team-a.
var viewPaths = []string{
	hello + services + "VSIXPackage", hello + services + "Icons.Default", hello + code + "Manifest", hello + services + "Content.Details",
	hello + services + "Content.Changelog", hello + services + "Content.License", "/api/vscode/acme/hello/latest", "/manifest.json", "/control.json",
	"/api/publishers/acme/vsextensions/hello/1.1.0/vspackage", "/files/acme/word-count/1.0.0/extension/extension.js",
	"/files/acme/kinds/1.0.0/extension/x.html", "/files/acme/kinds/1.0.0/extension/x.svg", "/files/acme/kinds/1.0.0/extension/noend",
	"/", "/index.html", "/item/acme.hello.html", "/item?itemName=acme.hello", "/gallery.css", "/nothing", "/files/acme/word-count/1.0.0/extension/nothing.js",
}

// TestViews serves two views behind nginx, which sends their files when galshim has allowed it.
func TestViews(t *testing.T) {
	dir := t.TempDir()
	s := suite{tools: toolchain.Tools(t), commands: compile(t, filepath.Join(dir, "bin")), dir: dir, authority: newAuthority(t, dir)}
	for _, sample := range []string{"hello", "word-count"} {
		packFolder(t, s, filepath.Join("..", "..", "testdata", "samples", sample))
	}
	packFolder(t, s, filepath.Join("..", "..", "testdata", "samples", "system-probe"), "--target", "linux-x64")
	packFolder(t, s, writeKinds(t, filepath.Join(dir, "kinds")))
	base := "http://" + porttest.Address(t) + "/tools/gallery"
	g := newGallery(t, s.commands, s.authority.client(), filepath.Join(dir, "gallery"), base, "", filepath.Join(dir, "vsix"))
	flags := []string{"--base-url", base}
	for name, policy := range teamPolicies {
		flags = append(flags, "--view", name+"="+makeView(t, g, name, policy))
	}
	direct := *g
	direct.dir = t.TempDir() // for its log
	direct.serve(t, flags...)
	g.serve(t, append(flags, "--accel-redirect", "/_blobs")...)
	g.startNginx(t, s.tools, s.commands.config(t, "nginx", g.site, "--base-url", base, "--shim", host(t, g.shim), "--view", "team-a", "--view", "team-b"))
	direct.base = direct.shim + "/tools/gallery"
	for _, path := range viewPaths {
		t.Run(path, func(t *testing.T) { compareHeaders(t, g, &direct, "/team-a"+path) })
	}
	for _, x := range viewCases {
		t.Run(x.name, func(t *testing.T) { g.checkResponse(t, x) })
	}
	checkViewFiles(t, g, filepath.Join(dir, "vsix", "hello-1.1.0.vsix"))
	t.Run("tokens", func(t *testing.T) { s.viewTokens(t, g, flags[2:]) })
}

// makeView makes a view of the gallery, and returns its folder.
func makeView(t *testing.T, g *gallery, name, policy string) string {
	t.Helper()
	view, file := filepath.Join(g.dir, name), filepath.Join(g.dir, name+".json")
	if err := os.WriteFile(file, []byte(policy), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(g.commands.galbuild, "view", g.site, "-o", view, "--policy", file).CombinedOutput(); err != nil {
		t.Fatalf("galbuild view: %v\n%s", err, out)
	}
	return view
}

// viewCases are requests about what each team may and may not read.
var viewCases = []responseCase{
	{name: "own file", path: "/team-a/files/acme/word-count/1.0.0/extension/extension.js", status: 200,
		header: map[string]string{"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": immutable}},
	{name: "file of the other team", path: "/team-b/files/acme/word-count/1.0.0/extension/extension.js", status: 404, shim: true},
	{name: "package of the other team", path: "/team-b/assets/acme/word-count/1.0.0/" + services + "VSIXPackage", status: 404, shim: true},
	{name: "latest of the other team", path: "/team-b/api/vscode/acme/word-count/latest", status: 404, shim: true},
	{name: "page of the other team", path: "/team-b/item/acme.word-count.html", status: 404, shim: true},
	{name: "package for a platform", path: "/team-b/assets/acme/system-probe/1.0.0/" + services + "VSIXPackage?targetPlatform=linux-x64", status: 200,
		header: map[string]string{"Content-Type": "application/vsix"}},
	{name: "platform after a plus sign", path: "/team-b/files/acme/system-probe/1.0.0+linux-x64/extension/nothing", status: 404, shim: true},
	{name: "escaped letters", path: "/team-b/files/acme/word%2dcount/1.0.0/extension/extension.js", status: 404, shim: true},
	{name: "escaped name", path: "/%74eam-b/files/acme/word-count/1.0.0/extension/extension.js", status: 404, shim: true},
	{name: "escaped slashes", path: "/team-b%2ffiles%2facme%2fword-count%2f1.0.0%2fextension%2fextension.js", status: 404, shim: true},
	{name: "other case", path: "/team-b/files/ACME/Word-Count/1.0.0/extension/extension.js", status: 404, shim: true},
	{name: "own file in another case", path: "/team-a/files/ACME/Word-Count/1.0.0/extension/extension.js", status: 200},
	{name: "doubled slashes", path: "//team-b//files//acme/word-count/1.0.0/extension/extension.js", status: 404, shim: true},
	{name: "blobs of the view", path: "/team-a/blobs/sha256/00/0000", status: 404, shim: true},
	{name: "index of the view", path: "/team-a/index/CURRENT", status: 404, shim: true},
	{name: "private files of the view", path: "/team-a/private/", status: 404, shim: true},
	{name: "blobs by the internal path", path: "/_blobs/sha256/00/0000", status: 404},
	{name: "no such view", path: "/team-c/api/vscode/acme/hello/latest", status: 404},
	{name: "the gallery itself", path: "/files/acme/word-count/1.0.0/extension/extension.js", status: 200,
		header: map[string]string{"Cache-Control": immutable}},
	{name: "range", path: "/team-a" + hello + services + "VSIXPackage", send: map[string]string{"Range": "bytes=0-99"}, status: 206,
		header: map[string]string{"Content-Length": "100", "Content-Disposition": `attachment; filename=acme.hello-1.1.0.vsix`}},
	{name: "compressed", path: "/team-a/files/acme/kinds/1.0.0/extension/x.js", send: map[string]string{"Accept-Encoding": "gzip"}, status: 200,
		header: map[string]string{"Content-Encoding": "gzip"}},
}

// checkViewFiles compares a package with what is downloaded, and checks that nginx has sent it: the
// entity tag is not the SHA-256 that galshim would send.
func checkViewFiles(t *testing.T, g *gallery, file string) {
	t.Helper()
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := g.request(t, http.MethodGet, "/team-a"+hello+services+"VSIXPackage", "", nil)
	if !bytes.Equal(got.body, want) || len(got.header.Get("ETag")) > 40 {
		t.Errorf("status %d, %d bytes, ETag %s; want %d bytes from nginx", got.status, len(got.body), got.header.Get("ETag"), len(want))
	}
	query := `{"filters":[{"criteria":[{"filterType":10,"value":"acme"}]}],"flags":950}`
	for team, count := range map[string]string{"/team-a": `"count":3`, "/team-b": `"count":2`, "": `"count":4`} {
		answer := g.request(t, http.MethodPost, team+"/api/extensionquery", query, nil)
		if !strings.Contains(string(answer.body), count) || !strings.Contains(string(answer.body), `"assetUri":"`+g.base+team+"/assets/acme/hello/1.1.0") {
			t.Errorf("%s: %d, want %s: %.300s", team, answer.status, count, answer.body)
		}
	}
}
