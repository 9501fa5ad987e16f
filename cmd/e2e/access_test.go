//go:build e2e

package e2e

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"galbuild/build/porttest"
)

// unknownToken has the form of a token.
var unknownToken = "gal_" + strings.Repeat("u", 43)

// tokenGallery is a gallery behind nginx, which only clients with a token may read.
type tokenGallery struct {
	*gallery
	tokens string            // the file
	of     map[string]string // tokens by name
	log    string            // nginx's access log
}

// access tests a gallery that not everybody may read, with real nginx and a real editor.
func (s suite) access(t *testing.T) {
	g := s.tokenGallery(t)
	t.Run("requests", g.checkAccess)
	t.Run("addresses", g.checkAddresses)
	t.Run("revoked", g.checkRevoked)
	t.Run("command line", func(t *testing.T) {
		e := s.editor(t, g.gallery, "token")
		codeServer("--install-extension", "acme.hello", "--install-extension", "acme.system-probe").must(t, e)
		e.wantInstalled(t, "acme.hello@1.1.0", "acme.system-probe@1.0.0 linux-x64")
		e.gallery = strings.ReplaceAll(e.gallery, g.of["alice"], unknownToken)
		codeServer("--install-extension", "acme.notes").mustFail(t, e, "Extension 'acme.notes' not found.")
	})
	t.Run("logs", g.checkLogs)
	t.Run("sign-in", func(t *testing.T) { s.signIn(t, g) })
	t.Run("client certificates", func(t *testing.T) { s.clientCertificates(t, g) })
	t.Run("without galshim", g.checkWithoutShim)
	t.Run("without tokens", g.checkForgotten)
}

// tokenGallery starts the gallery.
func (s suite) tokenGallery(t *testing.T) *tokenGallery {
	g := &tokenGallery{gallery: s.gallery(t, "access", ""), of: make(map[string]string)} // the site has no addresses
	g.base = "https://" + porttest.Address(t) + "/tools/gallery"
	g.tokens, g.log = filepath.Join(g.dir, "tokens"), filepath.Join(g.dir, "nginx-access.log")
	g.newToken(t, "alice")
	g.newToken(t, "bob")
	g.newToken(t, "carol", "--view", "team-c")
	g.token = filepath.Join(g.dir, "alice.token")
	if err := os.WriteFile(g.token, []byte(g.of["alice"]), 0o600); err != nil {
		t.Fatal(err)
	}
	g.serve(t, "--tokens", g.tokens)
	g.startNginx(t, s.tools, g.commands.config(t, "nginx", g.site, "--base-url", g.base, "--shim", host(t, g.shim),
		"--cert", s.authority.cert, "--key", s.authority.key, "--tokens", "--access-log", g.log))
	return g
}

// newToken adds a token to the file.
func (g *tokenGallery) newToken(t *testing.T, name string, flags ...string) {
	t.Helper()
	out, err := exec.Command(g.commands.galbuild, append([]string{"token", "new", name, "--file", g.tokens, "--quiet"}, flags...)...).Output()
	if err != nil {
		t.Fatalf("galbuild token new: %v", err)
	}
	g.of[name] = strings.TrimSpace(string(out))
}

// An accessCase is a request to nginx. ALICE, BOB and so on stand for tokens.
type accessCase struct {
	method string // GET if empty
	path   string // below the base
	send   map[string]string
	status int
	header map[string]string // "" means that there is none
	want   string            // in the body
}

func basicOf(token string) map[string]string {
	return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+token))}
}

const (
	privately = "private, max-age=31536000, immutable"
	shortly   = "private, max-age=300"
	vsix      = hello + services + "VSIXPackage"
	query     = `{"filters":[{"criteria":[{"filterType":7,"value":"acme.hello"}],"pageSize":1}],"flags":950}`
)

// protected are addresses of every kind, all of which need a token.
var protected = []accessCase{
	{method: "POST", path: "/api/extensionquery", status: 200, want: "/t/ALICE/assets/acme/hello/1.1.0"},
	{path: "/api/vscode/acme/hello/latest", status: 200, want: "/t/ALICE/assets/", header: map[string]string{"Cache-Control": shortly}},
	{path: "/api/vscode/ACME/Hello/latest", status: 200, want: "/t/ALICE/assets/"},
	{path: "/api/", status: 200, want: "/t/ALICE/api/extensionquery"},
	{path: "/manifest.json", status: 200, want: "/t/ALICE/api/extensionquery"},
	{path: "/control.json", status: 200, want: "malicious", header: map[string]string{"Cache-Control": shortly}},
	{path: vsix + "?redirect=true&install=true", status: 200, header: map[string]string{"Cache-Control": privately, "Referrer-Policy": "no-referrer",
		"Content-Disposition": `attachment; filename="acme.hello-1.1.0.vsix"`}},
	{path: vsix, send: map[string]string{"Range": "bytes=0-99"}, status: 206, header: map[string]string{"Content-Length": "100"}},
	{path: vsix, send: map[string]string{"Range": "bytes=99999999-"}, status: 416},
	{method: "HEAD", path: vsix, status: 200, header: map[string]string{"Cache-Control": privately}},
	{path: "/assets/ACME/Hello/1.1.0/" + services + "VSIXPackage", status: 200, header: map[string]string{"Cache-Control": privately}},
	{path: hello + services + "Icons.Default", status: 200, header: map[string]string{"Content-Type": "image/png"}},
	{path: hello + services + "Content.Details", status: 200, header: map[string]string{"Cache-Control": shortly}},
	{path: hello + code + "Manifest", status: 200, want: `"hello"`},
	{path: "/assets/acme/hello/9.9.9/" + code + "Manifest", status: 404, want: `"error"`},
	{path: "/files/acme/word-count/1.0.0/extension/extension.js", status: 200, header: map[string]string{"Content-Type": "text/javascript; charset=utf-8"}},
	{path: "/assets/acme/system-probe/1.0.0@linux-x64/" + services + "VSIXPackage", status: 200},
	{path: "/assets/acme/system-probe/1.0.0+linux-x64/" + services + "VSIXPackage", status: 404},
	{path: "/api/publishers/acme/vsextensions/hello/1.1.0/vspackage", status: 200},
	{path: "/", status: 200, want: "<title>", header: map[string]string{"Cache-Control": shortly, "Referrer-Policy": "no-referrer"}},
	{path: "/index.html", status: 200},
	{path: "/item/acme.hello.html", status: 200},
	{path: "/item?itemName=Acme.Hello", status: 302, header: map[string]string{"Location": "BASE/t/ALICE/item/acme.hello.html"}},
	{path: "/publishers/acme", status: 302, header: map[string]string{"Location": "BASE/t/ALICE/publishers/acme.html"}},
	{path: "/nothing", send: map[string]string{"Accept": "text/html"}, status: 404, want: "/t/ALICE/gallery.css"},
	{path: "/search/top.json", status: 200},
	{path: "/index/CURRENT", status: 200, header: map[string]string{"Cache-Control": "private, no-cache"}},
	{method: "POST", path: "/api/publishers/acme/extensions/hello/1.1.0/stats?statType=uninstall", status: 204},
	{method: "PUT", path: vsix, status: 405},
}

// pathTricks are paths that must not give access. Each is followed by that of a file.
var pathTricks = []string{
	"", "/t", "/t/", "/t/x", "/t/UNKNOWN", "/t/ALICEx", "/T/ALICE", "/t/LOWER", "/t/UNKNOWN/t/ALICE", "/t/ALICE/..", "/t/ALICE/../../tools/gallery", "/t/ALICE%2f..",
	"/t/ALICE%2f..%2ft%2fUNKNOWN", "//t/UNKNOWN", "/x/t/ALICE", "/t/%00ALICE", "/t/ALICE%00", "/t/ALICE%0a", "/t/ALICE;", "/t/.", "/./t/UNKNOWN", "/assets/../t/UNKNOWN", "/_auth/..",
}

// otherAccess are requests with other credentials, and paths that are written in unusual ways.
var otherAccess = []accessCase{
	{path: vsix, send: map[string]string{"Authorization": "Bearer ALICE"}, status: 200, header: map[string]string{"Cache-Control": privately}},
	{path: "/api/", send: map[string]string{"Authorization": "Bearer ALICE"}, status: 200, want: `"BASE/api/extensionquery"`},
	{path: vsix, send: map[string]string{"Authorization": "Bearer UNKNOWN"}, status: 401, want: "needs a token",
		header: map[string]string{"Content-Type": "application/json", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "*", "WWW-Authenticate": `Bearer realm="gallery"`}},
	{path: "/", send: basicOf("ALICE"), status: 200, want: "<title>"},
	{path: "/", send: map[string]string{"Accept": "text/html"}, status: 401, header: map[string]string{"WWW-Authenticate": `Basic realm="gallery"`}},
	{path: "/", send: map[string]string{"X-Gallery-Token": "ALICE", "X-Original-URI": "/t/ALICE/", "X-Forwarded-Prefix": "/t/ALICE"}, status: 401},
	{path: "/auth", send: map[string]string{"X-Gallery-Token": "ALICE"}, status: 401},
	{path: "/t/UNKNOWN" + vsix, send: map[string]string{"Authorization": "Bearer ALICE"}, status: 401},
	{path: "/_auth", send: map[string]string{"X-Gallery-Token": "ALICE"}, status: 404},
	{path: "/t/ALICE/_auth", status: 401},
	{path: "/t/UNKNOWN//_blobs/sha256/ab/abcd", status: 401},
	{path: "/t/UNKNOWN/%5fblobs/sha256/ab/abcd", status: 401},
	{path: "/x/../_blobs/sha256/ab/abcd", status: 404},
	{path: "/t/ALICE/t/BOB" + vsix, status: 404},
	{path: "/t/ALICE", status: 308, header: map[string]string{"Location": "BASE/t/ALICE/"}},
	{path: "/t/%67ENCODED" + vsix, status: 200},
	{path: "//t//ALICE//" + vsix, status: 200},
	{path: "/t/ALICE%2fapi%2f", status: 200, want: "/t/ALICE/api/extensionquery"},
	{path: "/t/UNKNOWN/../ALICE" + vsix, status: 200},
	{path: "/t/ALICE/private/x", status: 404},
	{path: "/t/ALICE/.galbuild/sources.jsonl", status: 404},
	{path: "/t/ALICE/assets/../.galbuild/sources.jsonl", status: 404},
	{path: "/t/ALICE/assets/..%2f.galbuild/sources.jsonl", status: 404},
	{path: "/t/ALICE/assets../.galbuild/sources.jsonl", status: 404},
	{path: "/t/CAROL" + vsix, status: 403, want: "may not read"},
	{path: "/t/CAROL/api/", status: 403},
	{method: "OPTIONS", path: "/t/UNKNOWN/api/extensionquery", status: 204, header: map[string]string{"Access-Control-Allow-Origin": "*"}},
	{method: "OPTIONS", path: vsix, status: 204, header: map[string]string{"Access-Control-Allow-Origin": "*"}},
}

// checkAccess requests everything with and without tokens.
func (g *tokenGallery) checkAccess(t *testing.T) {
	for _, c := range protected {
		c.path = "/t/ALICE" + c.path
		g.check(t, c)
	}
	for _, trick := range pathTricks {
		for _, c := range protected {
			got := g.send(t, accessCase{method: c.method, path: trick + c.path, send: c.send})
			refused := got.status == http.StatusUnauthorized || got.status == http.StatusBadRequest && strings.Contains(trick, "%00") ||
				got.status == http.StatusNotFound && strings.Contains(trick, "%0a") // no location matches a line feed
			if !refused {
				t.Errorf("%s %s: status %d, want 401", c.method, g.named(trick+c.path), got.status)
			}
			if got.header.Get("ETag") != "" || got.header.Get("Location") != "" {
				t.Errorf("%s %s: %v", c.method, g.named(trick+c.path), got.header)
			}
		}
	}
	for _, c := range otherAccess {
		g.check(t, c)
	}
}

func (g *tokenGallery) check(t *testing.T, c accessCase) {
	t.Helper()
	got := g.send(t, c)
	what := cmp.Or(c.method, "GET") + " " + c.path
	if got.status != c.status || !strings.Contains(string(got.body), g.filled(c.want)) {
		t.Errorf("%s %v: status %d, want %d and %q:\n%.300s", what, c.send, got.status, c.status, c.want, got.body)
	}
	for name, want := range c.header {
		if value := got.header.Get(name); value != g.filled(want) {
			t.Errorf("%s: %s is %q, want %q", what, name, value, want)
		}
	}
}

// send sends the request of a case.
func (g *tokenGallery) send(t *testing.T, c accessCase) response {
	t.Helper()
	send := make(map[string]string)
	for name, value := range c.send {
		send[name] = g.filled(value)
		if text, ok := strings.CutPrefix(value, "Basic "); ok {
			decoded, _ := base64.StdEncoding.DecodeString(text)
			send[name] = "Basic " + base64.StdEncoding.EncodeToString([]byte(g.filled(string(decoded))))
		}
	}
	body := ""
	if c.method == http.MethodPost {
		body = query
	}
	return g.request(t, cmp.Or(c.method, http.MethodGet), g.filled(c.path), body, send)
}

// filled returns text with the tokens.
func (g *tokenGallery) filled(text string) string {
	alice := g.of["alice"]
	return strings.NewReplacer("ALICE", alice, "BOB", g.of["bob"], "CAROL", g.of["carol"], "UNKNOWN", unknownToken, "BASE", g.base,
		"LOWER", strings.ToLower(alice), "%67ENCODED", "%67"+alice[1:]).Replace(text)
}

// named is the opposite of filled.
func (g *tokenGallery) named(text string) string {
	return strings.NewReplacer(g.of["alice"], "ALICE", g.of["bob"], "BOB").Replace(text)
}

// checkAddresses downloads what the addresses in responses name.
func (g *tokenGallery) checkAddresses(t *testing.T) {
	var latest struct {
		Versions []struct{ AssetURI, FallbackAssetURI string }
	}
	got := g.request(t, "GET", "/t/"+g.of["bob"]+"/api/vscode/acme/hello/latest", "", nil)
	if err := json.Unmarshal(got.body, &latest); err != nil || len(latest.Versions) == 0 {
		t.Fatalf("%v: %s", err, got.body)
	}
	for _, address := range []string{latest.Versions[0].AssetURI, latest.Versions[0].FallbackAssetURI} {
		if path := strings.TrimPrefix(address, g.base); g.request(t, "GET", path+"/"+services+"VSIXPackage", "", nil).status != http.StatusOK {
			t.Errorf("%s cannot be downloaded", address)
		}
	}
	readme := string(g.request(t, "GET", "/t/"+g.of["bob"]+"/assets/acme/workshop/1.0.0/"+services+"Content.Details", "", nil).body)
	pictures := regexp.MustCompile(regexp.QuoteMeta(g.base)+`[^)" ]+`).FindAllString(readme, -1)
	if len(pictures) == 0 {
		t.Errorf("no pictures in the readme:\n%s", readme)
	}
	for _, address := range pictures {
		if got := g.request(t, "GET", strings.TrimPrefix(address, g.base), "", nil); got.status != http.StatusOK {
			t.Errorf("%s: status %d", address, got.status)
		}
	}
}

// checkRevoked revokes a token while everything runs.
func (g *tokenGallery) checkRevoked(t *testing.T) {
	path := "/t/" + g.of["bob"] + vsix
	if got := g.request(t, "GET", path, "", nil); got.status != http.StatusOK {
		t.Fatalf("at first: status %d", got.status)
	}
	if out, err := exec.Command(g.commands.galbuild, "token", "revoke", "bob", "--file", g.tokens).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for deadline := time.Now().Add(startTimeout); g.request(t, "GET", path, "", nil).status != http.StatusUnauthorized; time.Sleep(pollInterval) {
		if time.Now().After(deadline) {
			t.Fatal("a revoked token works")
		}
	}
	if got := g.request(t, "GET", "/t/"+g.of["alice"]+vsix, "", nil); got.status != http.StatusOK {
		t.Errorf("another token: status %d", got.status)
	}
}

// checkLogs checks that no log has a token, that nginx's log has the names, and that it can be
// counted.
func (g *tokenGallery) checkLogs(t *testing.T) {
	for _, target := range []string{"/t/ALICE/?u=/t/ALICE/", "/t/ALICE/t/ALICE/", "/?x=ALICE", "/x/t/ALICE/y", "/t/%67ENCODED/", "/t/ALICE%2f..", "/T/ALICE/"} {
		g.send(t, accessCase{path: target, send: map[string]string{"Referer": "BASE/t/ALICE/item/x.html"}})
	}
	var all []byte
	files, err := filepath.Glob(filepath.Join(g.dir, "*.log"))
	nginx, nginxErr := filepath.Glob(filepath.Join(g.dir, "nginx", "*"))
	if err != nil || nginxErr != nil || len(files) < 3 {
		t.Fatalf("%q: %v, %v", files, err, nginxErr)
	}
	for _, file := range append(files, nginx...) {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // a folder of temporary files
		}
		for name, token := range g.of {
			if strings.Contains(strings.ToLower(string(text)), strings.ToLower(token[4:])) {
				t.Errorf("%s has the token of %s", file, name)
			}
		}
		all = append(all, text...)
	}
	if strings.Contains(string(all), unknownToken) {
		t.Error("a log has an unknown token")
	}
	log, err := os.ReadFile(g.log)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		` - alice \[[^]]+\] "GET /tools/gallery/assets/acme/hello/1\.1\.0/Microsoft\.VisualStudio\.Services\.VSIXPackage\?redirect=true&install=true HTTP/1\.1" 200 \d+ "-" "`,
		` - alice \[[^]]+\] "POST /tools/gallery/api/extensionquery HTTP/1\.1" 200 `,
		` - - \[[^]]+\] "GET /t/\*\*\* HTTP/1\.1" 401 `,
		` - alice \[[^]]+\] "GET /t/\*\*\* HTTP/1\.1" 200 `,
	} {
		if !regexp.MustCompile(want).Match(log) {
			t.Errorf("the access log has no line that matches %s:\n%s", want, tail(g.log, 20))
		}
	}
	out, err := exec.Command(g.commands.galbuild, "stats", "add", g.log, "-o", filepath.Join(g.dir, "counts"), "--json").Output()
	if err != nil || !regexp.MustCompile(`"skipped": 0,`).Match(out) || regexp.MustCompile(`"downloads": 0,`).Match(out) {
		t.Errorf("galbuild stats add: %v: %s", err, out)
	}
}

// checkWithoutShim stops galshim. nginx must not serve anything then.
func (g *tokenGallery) checkWithoutShim(t *testing.T) {
	g.galshim.end()
	<-g.galshim.exit
	for _, c := range protected {
		got := g.send(t, accessCase{method: c.method, path: "/t/ALICE" + c.path})
		if got.status != http.StatusServiceUnavailable && got.status != http.StatusBadGateway {
			t.Errorf("%s: status %d", c.path, got.status)
		}
	}
	g.check(t, accessCase{path: "/t/ALICE" + vsix, status: 503, want: "cannot be reached", header: map[string]string{"Content-Type": "application/json"}})
	g.check(t, accessCase{path: vsix, status: 503})
	g.check(t, accessCase{method: "OPTIONS", path: vsix, status: 204})
}

// checkForgotten starts galshim again, without --tokens. nginx must not let anybody read the
// gallery.
func (g *tokenGallery) checkForgotten(t *testing.T) {
	g.gallery.serve(t, "--listen", host(t, g.shim))
	for _, prefix := range []string{"", "/t/ALICE", "/t/UNKNOWN", "/t/-"} {
		for _, c := range protected {
			if got := g.send(t, accessCase{method: c.method, path: prefix + c.path}); got.status < 400 {
				t.Errorf("%s%s: status %d", prefix, c.path, got.status)
			}
		}
	}
}

// clientCertificates runs nginx with --client-ca.
func (s suite) clientCertificates(t *testing.T, of *tokenGallery) {
	g := &gallery{commands: of.commands, client: s.authority.client(), dir: t.TempDir(), site: of.site, base: "https://" + porttest.Address(t)}
	g.serve(t)
	ca, client := s.clientCertificate(t)
	g.startNginx(t, s.tools, g.commands.config(t, "nginx", g.site, "--base-url", g.base, "--shim", host(t, g.shim),
		"--cert", s.authority.cert, "--key", s.authority.key, "--client-ca", ca))
	want := func(what string, status int) {
		t.Helper()
		for _, path := range []string{"/", vsix, "/api/vscode/acme/hello/latest", hello + services + "Content.Details", "/index/CURRENT"} {
			if got := g.request(t, "GET", path, "", nil); got.status != status {
				t.Errorf("%s, %s: status %d, want %d", what, path, got.status, status)
			} else if status == http.StatusForbidden && !strings.HasPrefix(string(got.body), `{"error":`) {
				t.Errorf("%s, %s: %s", what, path, got.body)
			}
		}
		if got := g.request(t, "OPTIONS", vsix, "", nil); got.status != http.StatusNoContent {
			t.Errorf("%s: a preflight request has status %d", what, got.status)
		}
	}
	want("no certificate", http.StatusForbidden)
	g.client = s.authority.client()
	g.client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{client}
	want("with a certificate", http.StatusOK)
	_, other := s.clientCertificate(t)
	g.client = s.authority.client()
	g.client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{other}
	if got := g.request(t, "GET", "/", "", nil); got.status == http.StatusOK { // Go sends no certificate of an authority that nginx does not name
		t.Error("a certificate of another authority is accepted")
	}
}

// clientCertificate makes an authority, and a certificate of a client.
func (s suite) clientCertificate(t *testing.T) (file string, client tls.Certificate) {
	t.Helper()
	caKey, key := newKey(t), newKey(t)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: fmt.Sprint("Clients ", time.Now().UnixNano())},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "alice"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	block, _ := pem.Decode(certify(t, leaf, ca, &key.PublicKey, caKey))
	return writePEM(t, t.TempDir(), "clients.pem", certify(t, ca, ca, &caKey.PublicKey, caKey)), tls.Certificate{Certificate: [][]byte{block.Bytes}, PrivateKey: key}
}
