//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"galbuild/build/porttest"
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
	s := suite{tools: toolchain.Tools(t), dir: dir, authority: newAuthority(t, dir)}
	s.commands = compile(t, filepath.Join(dir, "bin"))
	s.packages = pack(t, s.tools, s.commands, filepath.Join(dir, "vsix"))
	return s
}

// gallery builds a site from the first packages, in a separate folder.
func (s suite) gallery(t *testing.T, name, base string) *gallery {
	t.Helper()
	return s.galleryWithContent(t, name, base, "")
}

// galleryWithContent is the same with another address for assets and files.
func (s suite) galleryWithContent(t *testing.T, name, base, content string) *gallery {
	t.Helper()
	dir := filepath.Join(s.dir, name)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return newGallery(t, s.commands, s.authority.client(), dir, base, content, s.packages.first)
}

func (s suite) editor(t *testing.T, g *gallery, name string) editor {
	t.Helper()
	return newEditor(t, s.tools, g, s.authority, name)
}

// TestGallery tests one set-up after the other, because the browser needs a processor for itself.
func TestGallery(t *testing.T) {
	s := newSuite(t)
	t.Run("http", s.http)
	t.Run("https", s.https)
	t.Run("nginx", s.nginx)
	t.Run("content", s.content)
	t.Run("bucket", s.bucket)
	t.Run("access", s.access)
}

func (s suite) http(t *testing.T) {
	g := s.gallery(t, "http", "")
	g.serve(t)
	s.examine(t, g)
	s.galleryPages(t, g)
	s.installs(t, g)
	s.update(t, g)
}

func (s suite) https(t *testing.T) {
	g := s.gallery(t, "https", "")
	g.serve(t, "--tls-cert", s.authority.cert, "--tls-key", s.authority.key)
	s.examine(t, g)
	t.Run("unknown authority", func(t *testing.T) {
		e := s.editor(t, g, "unknown-authority")
		e.ca = ""
		codeServer("--install-extension", "acme.hello").mustFail(t, e, "certificate")
	})
	s.installs(t, g)
	s.editorPage(t, g,
		"popular list", "icons", "search", "search with a typo", "category", "featured", "orders", "recommended", "no extensions found", "id",
		"picture in a readme", "readme", "changelog", "features", "install",
		"web extension", "web extension after a reload",
		"pre-release", "list of versions", "theme browsing", "nothing blocked")
	s.workshop(t, g)
	s.update(t, g)
}

// galleryPages tests the gallery's own pages.
func (s suite) galleryPages(t *testing.T, g *gallery, more ...string) {
	t.Run("gallery pages", func(t *testing.T) { s.editor(t, g, "gallery-pages").galleryPages(t, g, more...) })
}

// workshop installs an extension that loads a file of every kind from the gallery, and checks that
// the policies of the gallery do not forbid any of them.
func (s suite) workshop(t *testing.T, g *gallery) {
	t.Run("workshop", func(t *testing.T) {
		s.editor(t, g, "workshop").runSteps(t, "workshop", g, s.authority, []string{"workshop",
			"webview script", "webview module", "webview style", "webview font", "webview picture", "webview worker",
			"nested worker", "streamed WebAssembly", "SVG icon theme", "product icon font", "nothing blocked"})
	})
}

// lighthouse rates pages with Lighthouse.
func (s suite) lighthouse(t *testing.T, g *gallery) {
	t.Run("Lighthouse", func(t *testing.T) {
		p := g.pagesPlan(s.tools, "lighthouse", []string{"index.html", "item/acme.hello.html", "letters/a.html"})
		s.editor(t, g, "lighthouse").drive(t, "lighthouse.js", p.write(t), p.Steps)
	})
}

func (s suite) nginx(t *testing.T) {
	g := s.gallery(t, "nginx", "https://"+porttest.Address(t)+"/tools/gallery")
	g.serve(t, "--no-files")
	g.serveNginx(t, s.tools, s.authority)
	g.serveFiles(t, s.tools)
	s.examine(t, g)
	s.galleryPages(t, g, "search without galshim", "axe-core")
	s.lighthouse(t, g)
	s.checkResponses(t, g)
	s.installs(t, g)
	s.editorPage(t, g,
		"popular list", "icons", "picture in a readme", "readme", "install",
		"web extension", "web extension after a reload", "theme browsing", "nothing blocked")
	s.workshop(t, g)
	s.update(t, g)
}

// content tests a gallery with files of packages on a separate host.
func (s suite) content(t *testing.T) {
	g := s.galleryWithContent(t, "content", "https://"+porttest.Address(t)+"/tools/gallery", "https://"+porttest.Address(t))
	g.serve(t, "--content-url", g.content)
	g.serveNginx(t, s.tools, s.authority)
	s.examine(t, g)
	s.galleryPages(t, g)
	t.Run("command line", func(t *testing.T) {
		e := s.editor(t, g, "command")
		codeServer("--install-extension", "acme.hello").must(t, e)
		e.wantInstalled(t, "acme.hello@1.1.0")
	})
	s.editorPage(t, g, "icons", "readme", "install", "web extension", "theme browsing", "nothing blocked")
	s.workshop(t, g)
}
