//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"galbuild/cmd/e2e/toolchain"
)

// A suite has what all set-ups need.
type suite struct {
	tools     toolchain.Toolbox
	commands  commands
	packages  packages
	authority authority
	dir       string // of logs and sites; its path is short, because code-server has sockets in it
}

func newSuite(t *testing.T) suite {
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
	l := suite{tools: toolchain.Tools(t), dir: dir, authority: newAuthority(t, dir)}
	l.commands = compile(t, filepath.Join(dir, "bin"))
	l.packages = pack(t, l.tools, l.commands, filepath.Join(dir, "vsix"))
	return l
}

// gallery builds a site from the first packages, in a separate folder.
func (l suite) gallery(t *testing.T, name, base string) *gallery {
	t.Helper()
	return l.galleryWithContent(t, name, base, "")
}

// galleryWithContent is the same with another address for assets and files.
func (l suite) galleryWithContent(t *testing.T, name, base, content string) *gallery {
	t.Helper()
	dir := filepath.Join(l.dir, name)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return newGallery(t, l.commands, l.authority.client(), dir, base, content, l.packages.first)
}

func (l suite) editor(t *testing.T, g *gallery, name string) editor {
	t.Helper()
	return newEditor(t, l.tools, g, l.authority, name)
}

// TestGallery tests one set-up after the other, because the browser needs a processor for itself.
func TestGallery(t *testing.T) {
	l := newSuite(t)
	t.Run("http", l.http)
	t.Run("https", l.https)
	t.Run("nginx", l.nginx)
	t.Run("content", l.content)
	t.Run("bucket", l.bucket)
}

func (l suite) http(t *testing.T) {
	g := l.gallery(t, "http", "")
	g.serve(t)
	l.galleryPage(t, g)
	l.installs(t, g)
	l.update(t, g)
}

func (l suite) https(t *testing.T) {
	g := l.gallery(t, "https", "")
	g.serve(t, "--tls-cert", l.authority.cert, "--tls-key", l.authority.key)
	t.Run("unknown authority", func(t *testing.T) {
		e := l.editor(t, g, "unknown-authority")
		e.ca = ""
		codeServer("--install-extension", "acme.hello").mustFail(t, e, "certificate")
	})
	l.installs(t, g)
	l.editorPage(t, g,
		"popular list", "icons", "search", "search with a typo", "category", "id",
		"readme", "changelog", "features", "install",
		"web extension", "web extension after a reload",
		"pre-release", "list of versions", "theme browsing", "nothing blocked")
	l.workshop(t, g)
	l.update(t, g)
}

// galleryPage tests the gallery's own page.
func (l suite) galleryPage(t *testing.T, g *gallery) {
	t.Run("gallery page", func(t *testing.T) { l.editor(t, g, "gallery-page").galleryPage(t, g) })
}

// workshop installs an extension that loads a file of every kind from the gallery, and checks that
// the policies of the gallery do not forbid any of them.
func (l suite) workshop(t *testing.T, g *gallery) {
	t.Run("workshop", func(t *testing.T) {
		l.editor(t, g, "workshop").runSteps(t, "workshop", g, l.authority, []string{"workshop",
			"webview script", "webview module", "webview style", "webview font", "webview picture", "webview worker",
			"nested worker", "streamed WebAssembly", "SVG icon theme", "product icon font", "nothing blocked"})
	})
}

func (l suite) nginx(t *testing.T) {
	g := l.gallery(t, "nginx", fmt.Sprintf("https://127.0.0.1:%d/tools/gallery", freePort(t)))
	g.serve(t, "--no-files")
	g.serveNginx(t, l.tools, l.authority)
	l.galleryPage(t, g)
	l.checkResponses(t, g)
	l.installs(t, g)
	l.editorPage(t, g,
		"popular list", "icons", "readme", "install",
		"web extension", "web extension after a reload", "theme browsing", "nothing blocked")
	l.workshop(t, g)
	l.update(t, g)
}

// content tests a gallery with files of packages on a separate host.
func (l suite) content(t *testing.T) {
	g := l.galleryWithContent(t, "content", fmt.Sprintf("https://127.0.0.1:%d/tools/gallery", freePort(t)), fmt.Sprintf("https://127.0.0.1:%d", freePort(t)))
	g.serve(t, "--content-url", g.content)
	g.serveNginx(t, l.tools, l.authority)
	l.galleryPage(t, g)
	t.Run("command line", func(t *testing.T) {
		e := l.editor(t, g, "command")
		codeServer("--install-extension", "acme.hello").must(t, e)
		e.wantInstalled(t, "acme.hello@1.1.0")
	})
	l.editorPage(t, g, "icons", "readme", "install", "web extension", "theme browsing", "nothing blocked")
	l.workshop(t, g)
}
