package galshim

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/build/tokens"
)

// Tokens of the tests.
var (
	alice   = "gal_" + strings.Repeat("a", 43)
	bob     = "gal_" + strings.Repeat("b", 43)
	expired = "gal_" + strings.Repeat("e", 43)
	unknown = "gal_" + strings.Repeat("u", 43)
)

// tokenLine returns the line of a token in the file.
func tokenLine(name, token, more string) string {
	sum := sha256.Sum256([]byte(token))
	return fmt.Sprintf("%s sha256:%s %s\n", name, hex.EncodeToString(sum[:]), more)
}

// withTokens lets a server have the tokens of a new file, whose path is the result.
func withTokens(t testing.TB, log *slog.Logger) (path string, change func(*config)) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "tokens")
	overwrite(t, path, tokenLine("alice", alice, "")+tokenLine("bob", bob, "view=team-b")+tokenLine("eve", expired, "until=2020-02-29"))
	file, err := openTokens(path, log)
	if err != nil {
		t.Fatal(err)
	}
	return path, func(c *config) { c.tokens, c.log = file, log }
}

// openWithTokens serves the default sample to clients with tokens.
func openWithTokens(t testing.TB, change ...func(*config)) *testGallery {
	t.Helper()
	_, with := withTokens(t, slog.New(slog.DiscardHandler))
	trusting := func(c *config) { c.addresser = &addresser{trusted: []network{{netip.MustParsePrefix("192.0.2.0/24")}}} } // that of httptest
	return openSample(t, append(change, with, trusting)...)
}

// TestTokenInPath makes all requests of TestResponses with a token in the path. The responses must
// be the same, except that addresses have the token, and that they are private.
func TestTokenInPath(t *testing.T) {
	g := openWithTokens(t)
	with := strings.NewReplacer("http://gallery.test", "http://gallery.test/t/"+alice, "public, max-age", "private, max-age", `data-root="/"`, `data-root="/t/`+alice+`/"`,
		`="/`, `="/t/`+alice+`/`).Replace
	for _, x := range exchanges {
		method, target, _ := strings.Cut(x.request, " ")
		if method == http.MethodOptions || strings.Contains(target, "%2f..") || strings.HasPrefix(target, "http") {
			continue
		}
		var header []string
		for _, want := range x.header {
			switch {
			case strings.Contains(want, "Referrer-Policy"):
			case strings.HasPrefix(want, "Vary: Accept"):
			default:
				header = append(header, with(want))
			}
		}
		response := g.request(method, "http://gallery.test/t/"+alice+target, x.body)
		checkExchange(t, x.request, response, x.status, with(x.want), header)
		checkPrivate(t, x.request, response)
	}
}

func checkPrivate(t *testing.T, request string, response *http.Response) {
	t.Helper()
	if cache := response.Header.Get("Cache-Control"); !strings.HasPrefix(cache, "private") && cache != "no-store" {
		t.Errorf("%s: Cache-Control %q, want a private one", request, cache)
	}
	if policy := response.Header.Get("Referrer-Policy"); policy != "no-referrer" {
		t.Errorf("%s: Referrer-Policy %q", request, policy)
	}
}

// TestNoToken makes all requests of TestResponses without a token, and in other ways that give no
// access. Only preflight requests and health checks get a response.
func TestNoToken(t *testing.T) {
	g := openWithTokens(t)
	for _, prefix := range []string{"", "/t", "/t/", "/t/x", "/t/" + unknown, "/t/" + strings.ToUpper(alice), "/t/" + alice[:46], "/T/" + alice,
		"/t/" + alice + "x", "/t/" + unknown + "/t/" + alice, "/x/t/" + alice, "/t/" + alice + "/..", "/t/" + expired, "/t/%00" + alice} {
		for _, x := range exchanges {
			method, target, _ := strings.Cut(x.request, " ")
			if method == http.MethodOptions || strings.HasPrefix(target, "http") || strings.Contains(target, "healthz") {
				continue
			}
			response := g.request(method, "http://gallery.test"+prefix+target, x.body)
			if response.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s%s: status %d, want 401", method+" "+prefix, target, response.StatusCode)
			}
			checkPrivate(t, x.request, response)
		}
	}
}

// accessCases are requests with credentials of each kind.
var accessCases = []struct {
	request string
	header  []string // pairs of names and values
	status  int
	want    string
	headers []string
}{
	{request: "GET /api", status: 401, want: "needs a token", headers: []string{"Content-Type: application/json", `WWW-Authenticate: Bearer realm="gallery"`, "Cache-Control: no-store", "Access-Control-Allow-Origin: *"}},
	{request: "GET /api", header: bearer(alice), status: 200, want: `"id":"http://gallery.test/api/extensionquery"`, headers: []string{"Vary: Authorization", "Cache-Control: private, max-age=300"}},
	{request: "GET /api", header: []string{"Authorization", "bearer  " + alice}, status: 200},
	{request: "GET /api", header: bearer(unknown), status: 401, want: "the token is unknown, or was revoked"},
	{request: "GET /api", header: bearer(expired), status: 401, want: "the token eve has expired"},
	{request: "GET /api", header: bearer(strings.ToUpper(alice)), status: 401},
	{request: "GET /api", header: bearer(alice + ","), status: 401},
	{request: "GET /api", header: []string{"Authorization", alice}, status: 401},
	{request: "GET /api", header: []string{"Authorization", "Token " + alice}, status: 401},
	{request: "GET /api", header: []string{"Authorization", "Bearer " + unknown, "Authorization", "Bearer " + alice}, status: 401},
	{request: "GET /api?token=" + alice, status: 401},
	{request: "GET /api", header: []string{"X-Gallery-Token", alice}, status: 401},
	{request: "GET /api", header: []string{"X-Original-URI", "/t/" + alice + "/api"}, status: 401},
	{request: "GET /api", header: []string{"X-Forwarded-Prefix", "/t/" + alice}, status: 401},
	{request: "GET /t/" + alice + "/api", header: []string{"X-Forwarded-Prefix", "/t/" + alice}, status: 401}, // the proxy has said that this is the base URL
	{request: "GET /api", header: []string{"Cookie", "token=" + alice}, status: 401},
	{request: "GET /api", header: []string{"Referer", "http://gallery.test/t/" + alice + "/"}, status: 401},

	// Only the token in the path counts.
	{request: "GET /t/" + unknown + "/api", header: bearer(alice), status: 401},
	{request: "GET /t/" + alice + "/api", header: bearer(unknown), status: 200},
	{request: "GET /t/" + alice + "/t/" + alice + "/api", status: 404},
	{request: "GET /t/%67al_" + alice[4:] + "/api", status: 200, want: "/t/" + alice + "/api/extensionquery"},
	{request: "GET //t//" + alice + "//api/", status: 200},
	{request: "GET /x/../t/" + alice + "/api", status: 200},
	{request: "GET /t/" + alice + "/../../api", status: 401},
	{request: "GET /t/" + alice + "%2f..%2f..%2fapi", status: 401},
	{request: "GET /t/" + alice + "%2fapi", status: 200},
	{request: "GET /t/" + alice + "%2f..%2f" + unknown + "%2fapi", status: 401},
	{request: "GET /t/" + alice, header: []string{"Accept", browser}, status: 302, headers: []string{"Location: http://gallery.test/t/" + alice + "/"}},
	{request: "GET /t/" + alice + "/", header: []string{"Accept", browser}, status: 200, want: "browse"},
	{request: "GET /t/" + alice + "/item?itemName=acme.hello", header: []string{"Accept", browser}, status: 302, headers: []string{"Location: http://gallery.test/t/" + alice + "/item/acme.hello.html"}},
	{request: "GET /t/" + alice + "/tools/x", header: []string{"Accept", browser, "X-Forwarded-Prefix", "/tools"}, status: 404, want: `href="/tools/t/` + alice + `/gallery.css"`},
	{request: "GET /tools/t/" + alice + "/api", header: []string{"X-Forwarded-Prefix", "/tools"}, status: 200, want: `"http://gallery.test/tools/t/` + alice + "/api/extensionquery"},
	{request: "GET /t/" + alice + "/api", header: []string{"X-Forwarded-Prefix", "/tools"}, status: 200, want: `"http://gallery.test/tools/t/` + alice + "/api/extensionquery"},
	{request: "GET /tools/t/" + unknown + "/api", header: []string{"X-Forwarded-Prefix", "/tools"}, status: 401},

	// A web server in front of galshim adds /t/- to a path without a token.
	{request: "GET /t/-/api", status: 401, want: "needs a token"},
	{request: "GET /t/-/api", header: bearer(alice), status: 200, want: `"http://gallery.test/api/extensionquery"`},
	{request: "GET /t/-/t/" + alice + "/api", status: 401},
	{request: "GET /t/-/t/" + alice + "/api", header: bearer(alice), status: 404},
	{request: "GET /t/" + alice + "/t/-/api", status: 404},
	{request: "GET /t/-/", header: append(basic(alice), "Accept", browser), status: 200, want: "browse"},
	{request: "GET /t/-", header: append(basic(alice), "Accept", browser), status: 302, headers: []string{"Location: http://gallery.test/"}},
	{request: "GET /t/-/publishers/ACME", header: append(basic(alice), "Accept", browser), status: 302, headers: []string{"Location: http://gallery.test/publishers/acme.html"}},
	{request: "GET /t/-/healthz", status: 200},

	// A token for a view.
	{request: "GET /t/" + bob + "/api", status: 403, want: "the token bob is only for the view team-b"},
	{request: "GET /api", header: bearer(bob), status: 403},

	// Basic is for pages. Only a page asks for the password, and only for itself.
	{request: "GET /", header: basic(alice), status: 200, want: "browse"},
	{request: "GET /", header: basic(unknown), status: 401},
	{request: "GET /", header: []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(alice+":"))}, status: 401},
	{request: "GET /", header: []string{"Accept", browser}, status: 401, headers: []string{`WWW-Authenticate: Basic realm="gallery"`, "Content-Type: application/json"}},
	{request: "GET /", header: navigation("none"), status: 401, headers: []string{`WWW-Authenticate: Basic realm="gallery"`}},
	{request: "GET /", header: append(navigation("cross-site"), basic(alice)...), status: 200},
	{request: "GET /", header: []string{"Accept", browser, "Sec-Fetch-Mode", "cors"}, status: 401, headers: []string{`WWW-Authenticate: Bearer realm="gallery"`}},
	{request: "GET /", header: []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, status: 401, headers: []string{`WWW-Authenticate: Bearer realm="gallery"`}},
	{request: "POST /api/extensionquery", header: []string{"Accept", browser}, status: 401, headers: []string{`WWW-Authenticate: Bearer realm="gallery"`}},
	{request: "GET /t/" + unknown + "/", header: []string{"Accept", browser}, status: 401, headers: []string{`WWW-Authenticate: Bearer realm="gallery"`}},
	{request: "GET /gallery.css", header: append(basic(alice), "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "no-cors"), status: 200},
	{request: "GET /gallery.css", header: append(basic(alice), "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"), status: 401},
	{request: "GET /gallery.css", header: append(basic(alice), "Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors"), status: 401},
	{request: "GET /gallery.css", header: append(bearer(alice), "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors"), status: 200},

	// The web server in front of galshim.
	{request: "GET /auth", status: 401, headers: []string{`WWW-Authenticate: Bearer realm="gallery"`}},
	{request: "GET /auth", header: []string{"X-Gallery-Token", alice}, status: 204, headers: []string{"X-Gallery-Token-Name: alice", "Cache-Control: private"}},
	{request: "GET /auth", header: []string{"X-Gallery-Token", unknown}, status: 401},
	{request: "GET /auth", header: append(bearer(alice), "X-Gallery-Token", unknown), status: 401},
	{request: "GET /auth", header: bearer(alice), status: 204},
	{request: "GET /auth", header: append(navigation("none"), basic(alice)...), status: 204},
	{request: "GET /auth", header: navigation("none"), status: 401, headers: []string{`WWW-Authenticate: Basic realm="gallery"`}},
	{request: "GET /auth", header: []string{"X-Gallery-Token", bob}, status: 403},
	{request: "GET /auth", header: []string{"X-Gallery-Token", bob, "X-Gallery-View", "team-a"}, status: 403},
	{request: "GET /auth", header: []string{"X-Gallery-Token", bob, "X-Gallery-View", "team-b"}, status: 204},
	{request: "GET /auth", header: []string{"X-Gallery-Token", alice, "X-Gallery-View", "team-a"}, status: 204},
	{request: "POST /auth", header: []string{"X-Gallery-Token", alice}, status: 405},

	// No token is needed.
	{request: "OPTIONS /api/extensionquery", status: 204},
	{request: "OPTIONS /t/" + unknown + "/api/extensionquery", status: 204},
	{request: "GET /healthz", status: 200, want: `"status":"ok"`},
	{request: "GET /t/" + unknown + "/healthz", status: 200},
	{request: "GET /healthz/../version", status: 401},
	{request: "GET /version", status: 401},
	{request: "GET /assets/healthz", status: 401},
}

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

func basic(token string) []string {
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("anybody:"+token))}
}

// navigation returns the headers of a browser that opens a page, from a link on a page of a site.
func navigation(site string) []string {
	return []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-Site", site}
}

func TestAccess(t *testing.T) {
	g := openWithTokens(t)
	for _, x := range accessCases {
		method, target, _ := strings.Cut(x.request, " ")
		checkExchange(t, fmt.Sprint(x.request, x.header), g.request(method, "http://gallery.test"+target, "", x.header...), x.status, x.want, x.headers)
	}
}

// TestAccessOpen checks that a gallery without tokens has no address for them.
func TestAccessOpen(t *testing.T) {
	g := openSample(t)
	for _, path := range []string{"/auth", "/t/" + alice + "/api", "/t/-/api", "/t/-/assets/acme/hello/1.2.3/" + manifestType, "/t/x"} {
		checkExchange(t, path, g.request("GET", path, "", bearer(alice)...), 404, "", []string{"-WWW-Authenticate", "-X-Gallery-Token-Name"})
	}
}

// TestTokenContentURL checks that addresses on a separate host for files have the token too.
func TestTokenContentURL(t *testing.T) {
	g := openWithTokens(t, func(c *config) { c.content = "https://files.test/x" })
	for _, path := range []string{"/api/vscode/acme/hello/latest", "/manifest.json", "/assets/acme/hello/1.4.0/" + detailsType} {
		body := text(t, g.request("GET", "http://gallery.test/t/"+alice+path, ""))
		if strings.Count(body, "https://files.test/x/") == 0 || strings.Count(body, "https://files.test/x/") != strings.Count(body, "https://files.test/x/t/"+alice+"/") {
			t.Errorf("%s: an address has no token:\n%s", path, body)
		}
	}
}

// TestTokensOfOthers checks that no cache gives the response of one token to another: the same
// requests are made with two tokens, many times, so that responses come from the caches.
func TestTokensOfOthers(t *testing.T) {
	_, with := withTokens(t, slog.New(slog.DiscardHandler))
	dir := t.TempDir()
	sample{more: 100, full: true, pages: defaultPages()}.write(t, dir)
	g := open(t, dir, folder{dir}, with)
	carol := tokens.New()
	overwrite(t, g.tokens.path, tokenLine("alice", alice, "")+tokenLine("carol", carol, ""))
	g.tokens.next.Store(0)
	for range 4 {
		for _, pair := range [][2]string{{alice, carol}, {carol, alice}} {
			for _, request := range []string{"POST /api/extensionquery", "GET /api/vscode/acme/hello/latest", "GET /manifest.json", "GET /assets/acme/hello/1.4.0/" + detailsType} {
				method, path, _ := strings.Cut(request, " ")
				body := text(t, g.request(method, "http://gallery.test/t/"+pair[0]+path, ""))
				if !strings.Contains(body, pair[0]) || strings.Contains(body, pair[1]) {
					t.Fatalf("%s: the response has the token of somebody else, or none", request)
				}
			}
		}
	}
	if body := text(t, g.request("POST", "http://gallery.test/api/extensionquery", "", bearer(alice)...)); strings.Contains(body, "gal_") {
		t.Error("a response without a token in the path has one")
	}
}

// TestTokenFile changes the file while it is in use.
func TestTokenFile(t *testing.T) {
	var lines bytes.Buffer
	path, with := withTokens(t, slog.New(slog.NewTextHandler(&lines, nil)))
	g := openSample(t, with)
	now := time.Now()
	g.tokens.now = func() time.Time { return now }
	want := func(what string, aliceStatus, unknownStatus int) {
		t.Helper()
		for token, status := range map[string]int{alice: aliceStatus, unknown: unknownStatus} {
			if got := g.request("GET", "/t/"+token+"/api", "").StatusCode; got != status {
				t.Errorf("%s: status %d, want %d", what, got, status)
			}
		}
	}
	want("at first", 200, 401)
	both := tokenLine("alice", alice, "") + tokenLine("new", unknown, "")
	overwrite(t, path, both)
	want("within a second", 200, 401)
	now = now.Add(tokenPause)
	want("added", 200, 200)
	for _, wrong := range []string{"half a li", both + both} {
		overwrite(t, path, wrong)
		now = now.Add(tokenPause)
		want("broken", 200, 200)
		now = now.Add(tokenPause)
		want("still broken", 200, 200)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	now = now.Add(tokenPause)
	want("removed", 200, 200)
	overwrite(t, path, tokenLine("new", unknown, "until="+now.Format(time.DateOnly)))
	now = now.Add(tokenPause)
	want("revoked", 401, 200)
	now = now.AddDate(0, 0, 1)
	want("expired", 401, 401)
	if n := strings.Count(lines.String(), "keeping the old tokens"); n != 3 {
		t.Errorf("%d errors, want 3:\n%s", n, &lines)
	}
	if n := strings.Count(lines.String(), "have been read again"); n != 2 {
		t.Errorf("%d changes, want 2:\n%s", n, &lines)
	}
}

func TestTokenFileErrors(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	dir := t.TempDir()
	wrong := filepath.Join(dir, "wrong")
	overwrite(t, wrong, "alice "+alice)
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "no such file",
		wrong:                      "line 1: has a token",
		dir:                        "not a regular file",
	} {
		if _, err := openTokens(path, log); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	if f, err := openTokens("", log); f != nil || err != nil {
		t.Errorf("without a file: %v, %v", f, err)
	}
}

// TestTokenLog checks that the log has names of tokens, and no token, whatever is wrong with a
// request.
func TestTokenLog(t *testing.T) {
	var lines bytes.Buffer
	log := &lineWriter{out: &lines, ended: true}
	_, with := withTokens(t, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	g := openSample(t, with)
	g.handle("/boom", func(*reply, *http.Request, *generation) error { panic("boom " + alice) })
	for _, target := range []string{
		"/t/" + alice + "/api/extensionquery", "/t/" + alice + "/boom", "/t/" + alice + "/none/" + alice, "/t/" + alice + "/assets/acme/hello/9.9.9/x?y=" + alice,
		"/t/" + alice, "/t/" + alice + "x/api", "/T/" + alice + "/api", "/t/" + alice[:40] + "/api", "/x/" + alice, "/t/%67al_" + alice[4:] + "/none", "/?x=" + alice,
		"/t/" + expired + "/api", "/t/" + bob + "/api", "/t/" + unknown + "/api", "/t/" + alice + "/item?itemName=" + alice,
	} {
		for _, method := range []string{"GET", "POST", "PUT", "OPTIONS"} {
			g.request(method, "http://gallery.test"+target, alice, "Authorization", "Bearer "+alice, "Referer", alice, "User-Agent", alice, "X-Forwarded-For", alice)
		}
	}
	if found := lines.String(); strings.Contains(found, strings.Repeat("a", 20)) || strings.Contains(found, expired) || strings.Contains(found, bob) || strings.Contains(found, unknown) {
		t.Errorf("the log has a token:\n%s", found)
	}
	for _, want := range []string{
		"method=POST path=/api/extensionquery status=400", "token=alice", "method=GET path=/boom status=500", "method=GET path=/t/***/api status=401",
		"path=/t/***/api status=401", "the token eve has expired", "path=/x/gal_*** ",
	} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, &lines)
		}
	}
}
