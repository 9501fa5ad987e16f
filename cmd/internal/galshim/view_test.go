package galshim

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/catalog"
	"galbuild/build/tokens"
	"galbuild/cmd/internal/hint"
)

// A viewSample is a main gallery and its view team-a, which has other pages, and of extensions only
// Acme.Hello.
type viewSample struct {
	*testGallery
	main, team string // folders
}

const (
	hello     = "files/acme/hello/1.2.3/extension/"
	otherTeam = "assets/many/n0/1.0.0/" + catalog.PackageAsset
)

// mainOnly and viewOnly are files that are only in one of the two, or differ.
var (
	mainOnly = map[string]string{otherTeam: "of another team", hello + "changed.js": "new"}
	viewOnly = map[string]string{
		hello + "gone.js": "removed from the gallery", hello + "changed.js": "old",
		"index.html": "<title>team a</title>", "item/acme.hello.html": "<title>hello, team a</title>",
	}
)

// writeViews writes both sites. The view has only its pages, and no files of packages.
func writeViews(t *testing.T) (main, team string) {
	t.Helper()
	main, team = t.TempDir(), t.TempDir()
	pages := defaultPages()
	maps.Copy(pages, mainOnly)
	sample{more: 3, pages: pages}.write(t, main)
	pages = defaultPages()
	maps.Copy(pages, viewOnly)
	sample{pages: pages}.write(t, team)
	kept := make(map[string]bool)
	for path, text := range pages {
		kept[blobFile(team, text)] = !isOfPackage(path)
	}
	err := filepath.WalkDir(filepath.Join(team, "blobs"), func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !kept[file] {
			err = os.Remove(file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return main, team
}

func openViews(t *testing.T, change ...func(*config)) viewSample {
	t.Helper()
	main, team := writeViews(t)
	addView := func(c *config) {
		l := newLive(folder{team}, nil, slog.New(slog.DiscardHandler))
		l.packages = c.live
		if err := l.poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.close)
		c.views = map[string]*live{"team-a": l}
	}
	return viewSample{open(t, main, folder{main}, append(change, addView)...), main, team}
}

func TestViewOf(t *testing.T) {
	s := openViews(t)
	for path, want := range map[string][2]string{
		"/team-a":            {"team-a", "/"},
		"/team-a/api/x":      {"team-a", "/api/x"},
		"/team-a/team-a/api": {"team-a", "/team-a/api"},
		"/team-b/api":        {"", "/team-b/api"},
		"/Team-A/api":        {"", "/Team-A/api"},
		"/api/team-a":        {"", "/api/team-a"},
		"/":                  {"", "/"},
	} {
		name, rest, ok := s.viewOf(path)
		if name != want[0] || rest != want[1] || ok != (name != "") {
			t.Errorf("%s: view %q, rest %q, %v; want %q", path, name, rest, ok, want)
		}
	}
}

// TestEnterView is about clients that may use only one view.
func TestEnterView(t *testing.T) {
	s := openViews(t)
	for _, x := range []struct{ path, only, view, rest string }{
		{"/api/x", "", "", "/api/x"},
		{"/team-a/api/x", "", "team-a", "/api/x"},
		{"/team-a/api/x", "team-a", "team-a", "/api/x"},
		{"/api/x", "team-a", "team-a", "/api/x"},
		{"/team-a/api/x", "team-b", "error", ""},
		{"/api/x", "team-b", "error", ""},
	} {
		w := &reply{base: "http://gallery.test", token: &tokens.Token{View: x.only}}
		r, err := s.enterView(w, mustRequest(t, x.path), x.only)
		view, rest := "error", ""
		if err == nil {
			view, rest = w.view.name, r.URL.Path
		}
		if view != x.view || rest != x.rest {
			t.Errorf("%s, only %q: view %q, path %q, %v; want %q, %q", x.path, x.only, view, rest, err, x.view, x.rest)
		}
	}
}

// TestTokenOfView requests addresses that do not name the view with a token for it. The addresses
// in the responses name it, because nginx serves the files of other addresses to no such token.
func TestTokenOfView(t *testing.T) {
	for _, base := range []string{"", "https://gallery.test/tools"} {
		carol := tokens.New()
		_, with := withTokens(t, slog.New(slog.DiscardHandler))
		g := openViews(t, with, func(c *config) { c.addresser.fixed = base })
		overwrite(t, g.tokens.path, tokenLine("carol", carol, "view=team-a"))
		g.tokens.next.Store(0)
		base = cmp.Or(base, "http://gallery.test")
		for _, path := range []string{"/t/" + carol, "/t/" + carol + "/team-a"} {
			below := base + "/t/" + carol + "/team-a"
			checkExchange(t, path+" query", g.request("POST", "http://gallery.test"+path+"/api/extensionquery", emptyPOST), 200, `"assetUri":"`+below+`/assets/acme/hello/1.3.0"`, nil)
			checkExchange(t, path+" item", g.request("GET", "http://gallery.test"+path+"/item?itemName=acme.hello", ""), 302, "", []string{"Location: " + below + "/item/acme.hello.html"})
			checkExchange(t, path+" page", g.request("GET", "http://gallery.test"+path+"/item/acme.hello.html", ""), 200, "hello, team a", nil)
			checkExchange(t, path+" missing", g.request("GET", "http://gallery.test"+path+"/none", "", "Accept", browser), 404, `/t/`+carol+`/team-a/gallery.css`, nil)
		}
		checkExchange(t, "bearer", g.request("POST", "http://gallery.test/api/extensionquery", emptyPOST, bearer(carol)...), 200, `"assetUri":"`+base+`/team-a/assets/acme/hello/1.3.0"`, nil)
	}
}

func mustRequest(t *testing.T, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// viewExchanges are requests to a view and to the main gallery next to it.
var viewExchanges = []struct {
	request string
	status  int
	want    string
	header  []string
}{
	{"POST /team-a/api/extensionquery", 200, `"assetUri":"http://gallery.test/team-a/assets/acme/hello/1.3.0"`, nil},
	{"POST /team-a/api/extensionquery", 200, `"count":1`, nil},
	{"POST /api/extensionquery", 200, `"count":4`, nil},
	{"POST /team-a/_apis/public/gallery/extensionquery", 200, `"count":1`, nil},
	{"GET /team-a/api/vscode/acme/hello/latest", 200, `"source":"http://gallery.test/team-a/assets/acme/hello/`, []string{"Cache-Control: private, max-age=300"}},
	{"GET /team-a/api/vscode/many/n0/latest", 404, `no extension`, nil},
	{"GET /team-a/manifest.json", 200, `"id":"http://gallery.test/team-a/api/extensionquery"`, []string{"Cache-Control: private, max-age=300"}},
	{"GET /team-a/control.json", 200, `"malicious":[]`, nil},
	{"GET /team-a/healthz", 200, `"extensions":1`, nil},
	{"GET /healthz", 200, `"extensions":4`, nil},

	// Files of packages come from the main gallery, if both list them.
	{"GET /team-a/" + hello + "evil.html", 200, "evil", []string{"Content-Security-Policy: " + sandbox, "Cache-Control: public, max-age=31536000, immutable"}},
	{"GET /team-a/files/acme/hello/1.2.3+web/extension/main.js", 200, "main.js xxx", nil},
	{"GET /team-a/assets/acme/hello/1.2.3/" + pkg + "?targetPlatform=linux-x64", 200, "1.2.3@linux-x64", nil},
	{"GET /team-a/" + readmePath, 200, "(http://gallery.test/team-a/files/acme/hello/1.4.0/extension/shot.png)", []string{"Cache-Control: private, max-age=300"}},
	{"GET /team-a/publishers/acme/vsextensions/hello/1.2.3/vspackage", 200, "assets/acme/hello/1.2.3/", nil},
	{"GET /" + otherTeam, 200, "of another team", nil},
	{"GET /team-a/" + otherTeam, 404, `no extension \"many.n0\"`, nil},
	{"GET /team-a/" + hello + "gone.js", 404, "the gallery does not have this file any more", []string{"Cache-Control: no-store", "-ETag"}},
	{"GET /team-a/" + hello + "changed.js", 404, "the gallery does not have this file any more", nil},
	{"GET /" + hello + "changed.js", 200, "new", nil},

	// Pages.
	{"GET /team-a/", 200, "team a", []string{"Content-Security-Policy: " + pagePolicy}},
	{"GET /team-a", 302, "", []string{"Location: http://gallery.test/team-a/"}},
	{"GET /", 200, "browse", nil},
	{"GET /team-a/item?itemName=Acme.Hello", 302, "", []string{"Location: http://gallery.test/team-a/item/acme.hello.html"}},
	{"GET /team-a/item/acme.hello.html", 200, "hello, team a", nil},
	{"GET /team-a/item?itemName=many.n0", 404, `no extension \"many.n0\"`, nil},
	{"GET /team-a/item%2facme.hello.html", 404, "", nil},
	{"GET /team-a//item/acme.hello.html", 404, "", nil},
	{"GET /team-a/gallery.css", 200, "a{}", nil},

	// What no view serves.
	{"GET /team-a/index/CURRENT", 404, "", nil},
	{"GET /team-a/blobs/sha256/00/00", 404, "", nil},
	{"GET /team-a/team-a/api", 404, "", nil},
	{"GET /team-b/api", 404, "", nil},
	{"POST /team-b/api/extensionquery", 404, "", nil},
}

func TestViews(t *testing.T) {
	g := openViews(t)
	for _, x := range viewExchanges {
		method, target, _ := strings.Cut(x.request, " ")
		checkExchange(t, x.request, g.request(method, "http://gallery.test"+target, ""), x.status, x.want, x.header)
	}
	checkExchange(t, "missing page", g.request("GET", "http://gallery.test/team-a/none", "", "Accept", browser), 404, `<html data-root="/team-a/"><link href="/team-a/gallery.css">`, nil)
}

// TestViewAddresses reads a view below a path that a proxy has or has not removed, and one whose
// files have a separate host.
func TestViewAddresses(t *testing.T) {
	g := openViews(t, func(c *config) { c.addresser.fixed = "https://gallery.test/tools" })
	for _, path := range []string{"", "/tools"} {
		checkExchange(t, path+" page", g.request("GET", path+"/team-a/item/acme.hello.html", ""), 200, "hello, team a", nil)
		checkExchange(t, path+" item", g.request("GET", path+"/team-a/item?itemName=acme.hello", ""), 302, "",
			[]string{"Location: https://gallery.test/tools/team-a/item/acme.hello.html"})
		checkExchange(t, path+" query", g.request("POST", path+"/team-a/api/extensionquery", emptyPOST), 200, "https://gallery.test/tools/team-a/assets/acme", nil)
	}
	g = openViews(t, func(c *config) { c.content = "https://files.test" })
	checkExchange(t, "content", g.request("POST", "/team-a/api/extensionquery", emptyPOST), 200, `"assetUri":"https://files.test/team-a/assets/acme/hello/1.3.0"`, nil)
	checkExchange(t, "manifest", g.request("GET", "/team-a/manifest.json", ""), 200, `"id":"https://files.test/team-a/files/`, nil)
	checkExchange(t, "readme", g.request("GET", "/team-a/"+readmePath, ""), 200, "(https://files.test/team-a/files/", nil)
}

// TestViewResponseCaches requests the same list from a view and from the main gallery until both
// are in the cache.
func TestViewResponseCaches(t *testing.T) {
	main, team := t.TempDir(), t.TempDir()
	sample{more: 40, full: true}.write(t, main)
	sample{more: 20, full: true}.write(t, team)
	l := newLive(folder{team}, nil, slog.New(slog.DiscardHandler))
	if err := l.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	g := open(t, main, folder{main}, func(c *config) { c.views = map[string]*live{"team-a": l} })
	for range 4 {
		checkExchange(t, "main", g.request("POST", "/api/extensionquery", emptyPOST), 200, `"count":41`, nil)
		checkExchange(t, "view", g.request("POST", "/team-a/api/extensionquery", emptyPOST), 200, `"count":21`, nil)
	}
	if g.views["team-a"].json.cache.Load() == nil || g.main.json.cache.Load() == nil {
		t.Error("nothing was cached, so this test compares nothing")
	}
}

// TestAccelRedirect leaves files of packages to nginx, except what galshim fills in, and what only
// the view has.
func TestAccelRedirect(t *testing.T) {
	g := openViews(t, func(c *config) { c.accelRedirect = "/_blobs" })
	for path, accelerated := range map[string]bool{
		"/" + hello + "evil.html":                 true,
		"/team-a/" + hello + "evil.html":          true,
		"/index.html":                             true,
		"/team-a/index.html":                      false,
		"/" + readmePath:                          false,
		"/team-a/" + readmePath:                   false,
		"/team-a/api/vscode/acme/hello/latest":    false,
		"/team-a/files/acme/hello/1.2.3/gone":     false,
		"/team-a/" + hello + "gone.js":            false,
		"/team-a/" + hello + "changed.js":         false,
		"/team-a/assets/acme/hello/1.2.3/" + "no": false,
	} {
		response := g.request("GET", path, "", "Range", "bytes=0-1", "Accept-Encoding", "gzip")
		at := response.Header.Get("X-Accel-Redirect")
		if (at != "") != accelerated {
			t.Errorf("%s: X-Accel-Redirect %q, want one: %v", path, at, accelerated)
		}
		if body := text(t, response); accelerated && (response.StatusCode != 200 || body != "" || response.Header.Get("ETag") != "") {
			t.Errorf("%s: %d, body %q, ETag %q; nginx sends these", path, response.StatusCode, body, response.Header.Get("ETag"))
		}
	}
	file := strings.TrimPrefix(blobFile(g.main, "evil"), g.main+"/blobs")
	checkExchange(t, "file", g.request("GET", "/team-a/"+hello+"evil.html", ""), 200, "", []string{
		"X-Accel-Redirect: /_blobs" + file, "Content-Type: text/html; charset=utf-8", "Content-Security-Policy: " + sandbox, "Cache-Control: public, max-age=31536000, immutable",
	})
}

// TestViewReload breaks a view, which goes on with its old generation, and does not affect others.
func TestViewReload(t *testing.T) {
	g := openViews(t)
	l := g.views["team-a"].live
	overwrite(t, filepath.Join(g.team, "index", "CURRENT"), "broken")
	l.report(l.poll(t.Context()))
	sample{more: 5}.write(t, g.main)
	if err := g.live.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkExchange(t, "view", g.request("GET", "/team-a/healthz", ""), 200, `"extensions":1,"stale":true`, nil)
	checkExchange(t, "main", g.request("GET", "/healthz", ""), 200, `"extensions":6,"stale":false`, nil)
	sample{more: 1}.write(t, g.team)
	l.report(l.poll(t.Context()))
	checkExchange(t, "view", g.request("GET", "/team-a/healthz", ""), 200, `"extensions":2,"stale":false`, nil)
}

// TestOpenViews opens views with flags.
func TestOpenViews(t *testing.T) {
	main, team := writeViews(t)
	open := func(views ...namedView) (*commandLine, error) {
		c, args := new(commandLine), []string{"--index", main}
		for _, v := range views {
			args = append(args, "--view", v.name+"="+v.site)
		}
		if _, err := newParser(c).Parse(args); err != nil {
			t.Fatal(err)
		}
		l := newLive(folder{main}, nil, slog.New(slog.DiscardHandler))
		t.Cleanup(l.close)
		if err := l.poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		return c, c.openViews(context.WithoutCancel(t.Context()), l, slog.New(slog.DiscardHandler))
	}
	var many []namedView
	for i := range 50 {
		many = append(many, namedView{"team-" + string(rune('a'+i%26)) + string(rune('a'+i/26)), team})
	}
	c, err := open(many...)
	if err != nil || len(c.views) != 50 {
		t.Errorf("%d views, %v", len(c.views), err)
	}
	c.closeViews()
	_, err = open(namedView{"team-a", team}, namedView{"team-b", filepath.Join(team, "nothing")})
	message, next := "", ""
	if err != nil {
		message, next = hint.Text(err)
	}
	if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(message, "--view team-b: open site ") || !strings.Contains(next, "galbuild view") {
		t.Errorf("%q, hint %q", message, next)
	}
}

func TestValidateViews(t *testing.T) {
	for args, want := range map[string]string{
		"--index site --view team-a=a --view team-b=https://files.example/b": "",
		"--index site --view team-a=a,team-b=b":                              "",
		"--index site --view team-a=a --accel-redirect /_blobs":              "",
		"--index site --view team-a":                                         "must be NAME=SITE",
		"--index site --view team-a=":                                        "must be NAME=SITE",
		"--index site --view =a":                                             `view "": want a name`,
		"--index site --view Team=a":                                         `view "Team": want a name`,
		"--index site --view api=a":                                          "the gallery has addresses that begin with /api",
		"--index site --view item=a":                                         "the gallery has addresses that begin with /item",
		"--index site --view t=a":                                            "the gallery has addresses that begin with /t",
		"--index site --view a=x --view a=y":                                 "two views have the name a",
		"--index site --view a=ftp://x/y":                                    "--view a: ",
		"--index site --accel-redirect blobs":                                "must be a path that begins with a slash",
		"--index https://files.example --accel-redirect /_blobs":             "needs an --index that is a folder",
	} {
		var c commandLine
		_, err := newParser(&c).Parse(strings.Fields(args))
		if got := errorText(err); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
