//go:build e2e

package e2e

import (
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/build/porttest"
)

// signIn runs the section of render/deploy/access.md on a host for people, with other addresses.
// The gallery of editors at another address keeps to tokens.
func (s suite) signIn(t *testing.T, of *tokenGallery) {
	g := &gallery{commands: of.commands, dir: t.TempDir(), site: of.site, base: "https://" + porttest.Address(t)}
	provider, proxy := newIssuer(t), porttest.Address(t)
	sockets, err := os.MkdirTemp("", "galbuild") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(sockets) })
	for name, text := range map[string]string{"secret": "secret", "cookie": strings.Repeat("c", 32)} {
		writePEM(t, g.dir, name, []byte(text))
	}
	addresses := strings.NewReplacer("https://login.example", provider.URL, "https://pages.example", g.base, "127.0.0.1:4180", proxy,
		"/run/gallery-pages/", sockets+"/", "/etc/oauth2-proxy/", g.dir+"/", "/srv/gallery", g.site,
		"listen 443 ssl", "listen "+strings.TrimPrefix(g.base, "https://")+" ssl", "/etc/ssl/pages.pem", s.authority.cert, "/etc/ssl/pages.key", s.authority.key)
	commands, conf := signInSection(t, addresses)
	programs := map[string]string{"galshim": g.commands.galshim, "oauth2-proxy": s.tools.OAuth2Proxy}
	started := map[string]string{"galshim": "msg=listening", "oauth2-proxy": "Cookie settings"}
	for _, line := range commands {
		name, arguments, _ := strings.Cut(line, " ")
		start(t, name, g.dir, exec.Command("sh", "-c", `exec "$0" `+arguments, programs[name])).await(t, started[name])
	}
	awaitPort(t, proxy)
	g.startNginx(t, s.tools, conf)
	g.client = s.authority.client()

	t.Run("without a session", func(t *testing.T) {
		for _, path := range []string{"/", "/item?itemName=Acme.Hello&x=1", vsix, "/api/vscode/acme/hello/latest", "/index/CURRENT", "/none"} {
			got := g.request(t, "GET", path, "", map[string]string{"Authorization": "Bearer " + of.of["alice"]})
			if got.status != http.StatusFound || !strings.HasPrefix(got.header.Get("Location"), provider.URL+"/authorize?") {
				t.Errorf("%s: status %d, %q, want the provider", path, got.status, got.header.Get("Location"))
			}
		}
		if got := g.request(t, "GET", "/oauth2/auth", "", nil); got.status != http.StatusNotFound {
			t.Errorf("the internal address: status %d", got.status)
		}
	})
	t.Run("signed in", func(t *testing.T) { g.checkSession(t, s.authority) })
	t.Run("editors", func(t *testing.T) {
		of.check(t, accessCase{path: "/t/ALICE/api/vscode/acme/hello/latest", status: 200})
		of.check(t, accessCase{path: "/api/vscode/acme/hello/latest", status: 401})
	})
}

// awaitPort waits until a server listens, for which its log has no line.
func awaitPort(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(pollInterval) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// checkSession opens a page as a browser does: it follows redirects, and keeps cookies.
func (g *gallery) checkSession(t *testing.T, a authority) {
	browser := a.client()
	browser.CheckRedirect = nil
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser.Jar = jar
	g.client = browser
	got := g.request(t, "GET", "/item?itemName=Acme.Hello", "", nil)
	if got.status != http.StatusOK || !strings.Contains(string(got.body), "acme.hello") || got.header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("status %d, %q, want the page:\n%.300s", got.status, got.header, got.body)
	}
	if got := g.request(t, "POST", "/api/extensionquery", query, nil); got.status != http.StatusOK || !strings.Contains(string(got.body), g.base+"/assets/acme/hello") {
		t.Errorf("query: status %d:\n%.300s", got.status, got.body)
	}
}

// signInSection returns the commands of the section and the nginx configuration in it.
func signInSection(t *testing.T, addresses *strings.Replacer) (commands []string, conf string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "render", "deploy", "access.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Sign-in for people\n")
	before, rest, _ := strings.Cut(section, "```nginx\n")
	conf, _, _ = strings.Cut(rest, "```\n")
	for line := range strings.Lines(before) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			commands = append(commands, addresses.Replace(strings.TrimSpace(command)))
		}
	}
	if len(commands) != 2 || conf == "" {
		t.Fatalf("the section has the commands %q, want 2, and the configuration %q", commands, conf)
	}
	return commands, addresses.Replace(conf)
}
