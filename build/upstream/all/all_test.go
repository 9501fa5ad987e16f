package all

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/retry"
	"galbuild/build/upstream"
	"galbuild/build/upstream/address/githubtest"
	"galbuild/build/upstream/openvsx/openvsxtest"
	"galbuild/build/upstream/upstreamtest"
)

func newOpener(t testing.TB, c Config) *Opener {
	t.Helper()
	c.Rate, c.Sleep = 1e9, func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	o, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestOpen opens addresses, which sends no request.
func TestOpen(t *testing.T) {
	o := newOpener(t, Config{Transport: upstreamtest.Hosts{}})
	for text, want := range map[string]string{
		"":                                        "*openvsx.Client https://open-vsx.org",
		"openvsx":                                 "*openvsx.Client https://open-vsx.org",
		"https://open-vsx.org/":                   "*openvsx.Client https://open-vsx.org",
		"openvsx+http://host:8080/base/":          "*openvsx.Client http://host:8080/base",
		"https://open-vsx.org/vscode/gallery":     "*gallery.Client https://open-vsx.org/vscode/gallery",
		"https://user:s3cret@host/api/":           "*gallery.Client https://host/api",
		"https://host/x/manifest.json":            "*gallery.Client https://host/x/manifest.json",
		"gallery+https://user@host":               "*gallery.Client https://host",
		"https://host/tools":                      "*all.detected https://host/tools",
		"http://host":                             "*all.detected http://host",
		"https://host/a+b":                        "*all.detected https://host/a+b",
		"https://u:s3cret@host/x.vsix?sig=s3cret": "*address.Packages https://host/x.vsix",
		"github:acme/tool@v1":                     "*address.Packages https://github.com/acme/tool/releases/tag/v1",
		"https://github.com/acme/tool":            "*address.Packages https://github.com/acme/tool",
		"github:acme":                             "want github:OWNER/REPO",
		"https://github.com/acme/tool/raw/x.vsix": "want github:OWNER/REPO",
		"opnvsx":                              `"opnvsx" is not the address of an upstream; want https://HOST, openvsx, https://HOST/x.vsix or github:OWNER/REPO`,
		"ftp://u:s3cret@host":                 `"ftp://host" is not the address of an upstream`,
		"https://u:s3cret@host:port":          "the address of an upstream is malformed",
		"openvsx+s3://bucket":                 "is not the address of an upstream",
		"https://host?key=s3cret":             "the address of the upstream on host has a question mark; write it without",
		"gallery+https://host/api?key=s3cret": "the address of the upstream on host has a question mark",
		"openvsx+https://host?key=s3cret":     "has credentials, a question mark or a fragment",
	} {
		u, err := o.Open(text)
		checkOpened(t, text, u, err, want)
	}
	for text, want := range map[string]string{
		"https://host/download?id=7":                         "*address.Packages https://host/download",
		"github:acme/tool":                                   "*address.Packages https://github.com/acme/tool",
		"https://github.com/acme/tool/releases":              "*address.Packages https://github.com/acme/tool",
		"https://github.com/a/b/releases/download/v1/x.vsix": "*address.Packages https://github.com/a/b/releases/download/v1/x.vsix",
		"github:acme/tool/x":                                 "want github:OWNER/REPO",
		"x.vsix":                                             "is not the address of an upstream",
	} {
		u, err := o.Package(text)
		checkOpened(t, text, u, err, want)
	}
}

func checkOpened(t *testing.T, text string, u upstream.Upstream, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	} else {
		got = fmt.Sprintf("%T %s", u, u.Name())
	}
	if got != want && (err == nil || !strings.Contains(got, want)) || strings.Contains(got, "s3cret") {
		t.Errorf("%s: got %s, want %s", text, got, want)
	}
}

// TestConfig has settings that cannot be used.
func TestConfig(t *testing.T) {
	for want, c := range map[string]Config{
		"want FROM=TO":               {Mirrors: []string{"https://s3cret"}},
		"a token without an address": {Tokens: "s3cret"},
		"want https://HOST/api/v3":   {GitHubAPI: "s3cret"},
		"requests per second":        {Rate: -1},
		"no such file":               {CA: filepath.Join(t.TempDir(), "missing.pem")},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// TestDetect asks a registry and a gallery whose addresses do not say what they are.
func TestDetect(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.vsix")
	if err := (openvsxtest.Package{JSON: `{"publisher":"acme","name":"tool","version":"1.0.0","engines":{"vscode":"*"}}`}).Write(file); err != nil {
		t.Fatal(err)
	}
	registry, err := openvsxtest.New(openvsxtest.Config{Packages: []string{file}})
	if err != nil {
		t.Fatal(err)
	}
	defer registry.Close()
	u, err := newOpener(t, Config{}).Open(registry.URL)
	if err != nil {
		t.Fatal(err)
	}
	checkUpstream(t, u)
	probes := 0
	for _, request := range registry.Requests() {
		if strings.HasPrefix(request, "GET /api/-/search?size=1 ") {
			probes++
		}
	}
	if probes != 1 || len(registry.Problems()) > 0 {
		t.Errorf("requests %q, problems %q", registry.Requests(), registry.Problems())
	}

	hosts := upstreamtest.Hosts{"https://gal.example": http.HandlerFunc(respondAsGallery)}
	if u, err = newOpener(t, Config{Transport: hosts}).Open("https://gal.example"); err != nil {
		t.Fatal(err)
	}
	checkUpstream(t, u)
	if _, err := u.Changes(t.Context(), ""); !errors.Is(err, upstream.ErrUnsupported) {
		t.Error(err)
	}
	if u, err = newOpener(t, Config{Transport: hosts}).Open("https://gal.example/tools"); err != nil {
		t.Fatal(err)
	}
	if _, err = u.Extension(t.Context(), "acme.tool"); err == nil || !strings.Contains(err.Error(), "https://gal.example/tools is not a gallery") {
		t.Error(err)
	}
}

// checkUpstream checks that an upstream has acme.tool 1.0.0.
func checkUpstream(t *testing.T, u upstream.Upstream) {
	t.Helper()
	ids, err := u.List(t.Context(), upstream.Listing{})
	if err != nil || !slices.Equal(ids, []string{"acme.tool"}) {
		t.Errorf("%s: ids %q, %v", u.Name(), ids, err)
	}
	e, err := u.Extension(t.Context(), "acme.tool")
	if err != nil || len(e.Releases) != 1 || e.Releases[0].Version != "1.0.0" {
		t.Fatalf("%s: %+v, %v", u.Name(), e, err)
	}
	if err := u.Complete(t.Context(), e, &e.Releases[0]); err != nil || e.Releases[0].Package.Size <= 0 {
		t.Errorf("%s: %+v, %v", u.Name(), e.Releases[0], err)
	}
}

// respondAsGallery is a gallery with acme.tool 1.0.0. Its package is at /files.
func respondAsGallery(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/api/extensionquery":
		_, _ = w.Write([]byte(`{"results":[{"extensions":[{"publisher":{"publisherName":"acme"},"extensionName":"tool",
			"versions":[{"version":"1.0.0","assetUri":"https://` + r.Host + `/files"}]}]}]}`))
	case "/files/Microsoft.VisualStudio.Services.VSIXPackage":
		w.Header().Set("Content-Length", "7")
	default:
		http.NotFound(w, r)
	}
}

// TestCredentials checks that each host receives its credentials, and a mirror those of the mirror.
func TestCredentials(t *testing.T) {
	received := map[string]bool{}
	host := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received[r.Host+" "+r.Header.Get("Authorization")] = true
		respondAsGallery(w, r)
	})
	repository := githubtest.Repository{Name: "acme/tool", Token: "T"}
	hosts := upstreamtest.Hosts(repository.Hosts(t))
	for _, name := range []string{"https://login.example", "https://token.example", "https://mirror.example"} {
		hosts[name] = host
	}
	o := newOpener(t, Config{
		Transport: hosts, Tokens: "token.example=TOKEN", GitHubToken: "T",
		Mirrors: []string{"https://far.example=https://user:password@mirror.example"},
	})
	for _, text := range []string{"https://user:password@login.example", "https://token.example/api", "gallery+https://far.example"} {
		u, err := o.Open(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Extension(t.Context(), "acme.tool"); err != nil {
			t.Error(err)
		}
	}
	want := map[string]bool{
		"login.example Basic dXNlcjpwYXNzd29yZA==": true, "token.example Bearer TOKEN": true, "mirror.example Basic dXNlcjpwYXNzd29yZA==": true,
	}
	if fmt.Sprint(received) != fmt.Sprint(want) {
		t.Errorf("received %v, want %v", received, want)
	}
	u, err := o.Open("github:acme/tool")
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.List(t.Context(), upstream.Listing{})
	if err == nil || err.Error() != "https://github.com/acme/tool has no release with a .vsix file" {
		t.Errorf("with a token: %v", err)
	}
}

// TestUnreachable checks that a host that cannot be reached is not taken for a gallery.
func TestUnreachable(t *testing.T) {
	attempts := 0
	hosts := upstreamtest.Hosts{"https://host": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if attempts++; attempts <= 9 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		respondAsGallery(w, r)
	})}
	u, err := newOpener(t, Config{Transport: hosts}).Open("https://host")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Extension(t.Context(), "acme.tool"); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("error %v, want one with status 503", err)
	}
	if _, err := u.Extension(t.Context(), "acme.tool"); err != nil {
		t.Errorf("it is not asked again: %v", err)
	}
}

// TestGiveUp checks that a host that still cannot be reached is not asked for each extension.
func TestGiveUp(t *testing.T) {
	attempts := 0
	hosts := upstreamtest.Hosts{"https://host": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		attempts++
		w.WriteHeader(http.StatusServiceUnavailable)
	})}
	u, err := newOpener(t, Config{Transport: hosts}).Open("https://host")
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := u.Extension(t.Context(), "acme.tool"); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("error %v, want one with status 503", err)
		}
	}
	// Only the first request is repeated: after that, the host is known to be down.
	if want := maxFailures + retry.Retries; attempts != want {
		t.Errorf("%d attempts, want %d", attempts, want)
	}
}

// TestNoHost checks that a host that does not exist is not taken for a gallery: it may exist later.
func TestNoHost(t *testing.T) {
	hosts := upstreamtest.Hosts{}
	u, err := newOpener(t, Config{Transport: hosts}).Open("https://host")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.List(t.Context(), upstream.Listing{}); err == nil || !strings.HasPrefix(err.Error(), `host: there is no host "host"`) {
		t.Errorf("error %v, want that of the host", err)
	}
	hosts["https://host"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"offset":0,"totalSize":0,"extensions":[]}`))
	})
	if ids, err := u.List(t.Context(), upstream.Listing{}); err != nil || len(ids) > 0 {
		t.Errorf("ids %q, %v", ids, err)
	}
}

// FuzzDetect decodes what a server sends for a search.
func FuzzDetect(f *testing.F) {
	f.Add([]byte(`{"offset":0,"totalSize":0,"extensions":[]}`))
	f.Add([]byte(`[1]`))
	f.Fuzz(func(_ *testing.T, text []byte) { isSearch(text) })
}
