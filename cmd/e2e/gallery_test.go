//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"galbuild/cmd/e2e/installed"
)

// A lab is what all set-ups share.
type lab struct {
	tools     installed.Toolbox
	commands  commands
	packages  packages
	authority authority
	dir       string // of artefacts; short, since code-server puts sockets below it
}

func newLab(t *testing.T) lab {
	t.Helper()
	dir, err := os.MkdirTemp("", "galbuild-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("artefacts: %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	l := lab{tools: installed.Tools(t), dir: dir, authority: newAuthority(t, dir)}
	l.commands = compile(t, filepath.Join(dir, "bin"))
	l.packages = pack(t, l.tools, l.commands, filepath.Join(dir, "vsix"))
	return l
}

// gallery makes a site of the first packages in a folder of its own.
func (l lab) gallery(t *testing.T, name, base string) *gallery {
	t.Helper()
	dir := filepath.Join(l.dir, name)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return newGallery(t, l.commands, l.authority.client(), dir, base, l.packages.first)
}

func (l lab) editor(t *testing.T, g *gallery, name string) editor {
	t.Helper()
	return newEditor(t, l.tools, g, l.authority, name)
}

// TestGallery is the whole suite: set-ups one after the other, since the page
// wants a processor for itself.
func TestGallery(t *testing.T) {
	l := newLab(t)
	t.Run("http", l.http)
	t.Run("https", l.https)
	t.Run("nginx", l.nginx)
	t.Run("bucket", l.bucket)
}

func (l lab) http(t *testing.T) {
	g := l.gallery(t, "http", "")
	g.serve(t)
	l.installs(t, g)
	l.update(t, g)
}

func (l lab) https(t *testing.T) {
	g := l.gallery(t, "https", "")
	g.serve(t, "--tls-cert", l.authority.cert, "--tls-key", l.authority.key)
	t.Run("stranger", func(t *testing.T) {
		e := l.editor(t, g, "stranger")
		e.ca = ""
		codeServer("--install-extension", "acme.hello").mustFail(t, e, "certificate")
	})
	l.installs(t, g)
	l.tour(t, g,
		"popular list", "icons", "search", "search with a typo", "category", "id",
		"readme", "changelog", "features", "install",
		"web extension", "web extension after a reload",
		"pre-release", "list of versions", "theme browsing", "nothing blocked")
	l.update(t, g)
}

func (l lab) nginx(t *testing.T) {
	g := l.gallery(t, "nginx", fmt.Sprintf("https://127.0.0.1:%d/tools/gallery", freePort(t)))
	g.serve(t, "--no-files")
	g.serveNginx(t, l.tools, l.authority)
	l.answers(t, g)
	l.installs(t, g)
	l.tour(t, g,
		"popular list", "icons", "readme", "install",
		"web extension", "web extension after a reload", "theme browsing", "nothing blocked")
	l.update(t, g)
}
