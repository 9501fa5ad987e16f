//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/porttest"
)

const (
	wordCount       = "/files/acme/word-count/1.0.0/extension/extension.js"
	systemProbe     = "/assets/acme/system-probe/1.0.0@linux-x64/" + services + "VSIXPackage" // not in team-a
	viewPackage     = "/team-a" + vsix
	viewAttachment  = "attachment; filename=acme.hello-1.1.0.vsix"
	countOfTeamA    = `"count":3`
	countOfGallery  = `"count":4`
	publisherOfAcme = `{"filters":[{"criteria":[{"filterType":10,"value":"acme"}]}],"flags":950}`
)

// viewTokenCases are requests of CAROL, whose token is for the view team-a, and of ALICE, whose
// token is for everything.
var viewTokenCases = []accessCase{
	{path: "/t/CAROL/team-a/api/vscode/acme/hello/latest", status: 200, want: "BASE/t/CAROL/team-a/assets/acme/hello/1.1.0"},
	{path: "/t/CAROL" + viewPackage, status: 200, header: map[string]string{"Cache-Control": privately, "Content-Disposition": viewAttachment,
		"X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*", "Referrer-Policy": "no-referrer"}},
	{path: "/t/CAROL" + viewPackage, send: map[string]string{"Range": "bytes=0-99"}, status: 206, header: map[string]string{"Content-Length": "100", "Cache-Control": privately}},
	{path: "/t/CAROL/team-a" + wordCount, status: 200, header: map[string]string{"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": privately}},
	{path: viewPackage, send: map[string]string{"Authorization": "Bearer CAROL"}, status: 200, header: map[string]string{"Cache-Control": privately}},
	{path: "/t/CAROL/team-a/", status: 200, want: "<title>"},

	// Without the name of the view, an address is one of the view.
	{path: "/t/CAROL/api/vscode/acme/hello/latest", status: 200, want: "BASE/t/CAROL/team-a/assets/acme/hello/1.1.0"},
	{path: "/t/CAROL" + vsix, status: 200, header: map[string]string{"Cache-Control": privately, "Content-Disposition": viewAttachment}},
	{path: vsix, send: map[string]string{"Authorization": "Bearer CAROL"}, status: 200},
	{path: "/t/CAROL/", status: 200, want: "<title>"},
	{path: "/t/CAROL/item/acme.hello.html", status: 200},

	{path: "/t/CAROL" + systemProbe, status: 404},
	{path: "/t/CAROL/team-a" + systemProbe, status: 404},
	{path: systemProbe, send: map[string]string{"Authorization": "Bearer CAROL"}, status: 404},
	{path: "/t/CAROL/item/acme.system-probe.html", status: 404},
	{path: "/t/CAROL/index/CURRENT", status: 404},
	{path: "/t/CAROL/team-a/index/CURRENT", status: 404},
	{path: "/t/CAROL/blobs/BLOB", status: 404},
	{path: "/t/CAROL/team-a/blobs/BLOB", status: 404},
	{path: "/t/CAROL/team-b" + vsix, status: 403, want: "only for the view team-a"},
	{path: "/t/CAROL/team-b/api/vscode/acme/hello/latest", status: 403},
	{path: "/team-b" + vsix, send: map[string]string{"Authorization": "Bearer CAROL"}, status: 403},
	{path: "/t/CAROL/team-a/../team-b" + vsix, status: 403},
	{path: "/t/CAROL/%74eam-b" + vsix, status: 403},
	{path: "/t/CAROL/_auth", status: 401},
	{path: "/t/CAROL/team-a/_auth", status: 404},
	{path: "/_auth", send: map[string]string{"Authorization": "Bearer CAROL"}, status: 404},

	{path: "/t/ALICE" + viewPackage, status: 200, header: map[string]string{"Cache-Control": privately}},
	{path: "/t/ALICE/team-b" + systemProbe, status: 200},
	{path: "/t/ALICE" + systemProbe, status: 200, header: map[string]string{"Cache-Control": privately}},
	{path: "/t/ALICE/index/CURRENT", status: 200},

	{path: viewPackage, status: 401},
	{path: "/t/UNKNOWN" + viewPackage, status: 401},
	{path: "/t/UNKNOWN" + vsix, status: 401},
	{path: "/team-a/", send: map[string]string{"X-Gallery-View": "team-a", "X-Gallery-Token": "CAROL"}, status: 401},
}

// blobPrefixes are beginnings of paths at which clients must not find blobs.
var blobPrefixes = []string{
	"/_blobs/", "/t/CAROL/_blobs/", "/t/ALICE/_blobs/", "/t/CAROL/team-a/_blobs/", "/t/CAROL//_blobs/", "/t/CAROL/%5fblobs/", "/t/CAROL/x/../_blobs/", "/team-a/../_blobs/",
	"/t/CAROL/t/CAROL/_blobs/", "/t/CAROL%2f_blobs/",
}

// viewTokens serves the views behind nginx to clients with tokens.
func (s suite) viewTokens(t *testing.T, of *gallery, views []string) {
	copied := *of
	g := &tokenGallery{gallery: &copied, of: make(map[string]string)}
	g.dir = t.TempDir()
	g.base = "http://" + porttest.Address(t) + "/tools/gallery"
	g.tokens, g.log = filepath.Join(g.dir, "tokens"), filepath.Join(g.dir, "nginx-access.log")
	g.newToken(t, "alice")
	g.newToken(t, "bob")
	g.newToken(t, "carol", "--view", "team-a")
	g.serve(t, append([]string{"--tokens", g.tokens, "--accel-redirect", "/_blobs"}, views...)...)
	g.startNginx(t, s.tools, g.commands.config(t, "nginx", g.site, "--base-url", g.base, "--shim", host(t, g.shim),
		"--view", "team-a", "--view", "team-b", "--tokens", "--access-log", g.log))
	content, err := os.ReadFile(filepath.Join(g.site, filepath.FromSlash(vsix)))
	if err != nil {
		t.Fatal(err)
	}
	blobPath := strings.TrimPrefix(blob.Sum(content).Path(), "blobs/")
	for _, c := range viewTokenCases {
		c.path = strings.ReplaceAll(c.path, "BLOB", blobPath)
		g.check(t, c)
	}
	for _, prefix := range blobPrefixes {
		if got := g.send(t, accessCase{path: prefix + blobPath}); got.status != http.StatusNotFound && got.status != http.StatusUnauthorized {
			t.Errorf("%s: status %d", prefix, got.status)
		}
	}
	for path, want := range map[string]string{"/t/CAROL/team-a": countOfTeamA, "/t/CAROL": countOfTeamA, "/t/ALICE/team-a": countOfTeamA, "/t/ALICE": countOfGallery} {
		address := g.base + g.filled(path)
		if path == "/t/CAROL" { // the addresses in responses name the view
			address += "/team-a"
		}
		got := g.request(t, http.MethodPost, g.filled(path)+"/api/extensionquery", publisherOfAcme, nil)
		if text := string(got.body); got.status != http.StatusOK || !strings.Contains(text, want) || !strings.Contains(text, `"assetUri":"`+address+"/assets/acme/hello/1.1.0") {
			t.Errorf("%s: status %d, want %s: %.300s", path, got.status, want, got.body)
		}
	}
}
