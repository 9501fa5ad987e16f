//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/porttest"
	"galbuild/cmd/e2e/toolchain"
)

// TestReadmeNginx runs the first commands of render/deploy/README.md, which set up nginx in front
// of galshim, with other addresses and paths.
func TestReadmeNginx(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "render", "deploy", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "In production, nginx")
	_, rest, _ = strings.Cut(rest, "\n\n    galbuild ")
	block, _, ok := strings.Cut("    galbuild "+rest, "\n\n")
	if !ok || strings.Count(block, "\n") != 2 {
		t.Fatalf("want a block of three commands: %q", block)
	}
	dir := t.TempDir()
	s := suite{tools: toolchain.Tools(t), commands: compile(t, filepath.Join(dir, "bin")), dir: dir, authority: newAuthority(t, dir)}
	packFolder(t, s, filepath.Join("..", "..", "testdata", "samples", "hello"))
	if err := os.Rename(filepath.Join(dir, "vsix"), filepath.Join(dir, "vsixs")); err != nil {
		t.Fatal(err)
	}
	base := "https://" + porttest.Address(t) + "/gallery"
	shim := porttest.Address(t)
	conf := filepath.Join(dir, "gallery.conf")
	script := exec.Command("sh", "-ec", strings.NewReplacer("https://tools.example/gallery", base, "/srv/gallery", filepath.Join(dir, "srv"),
		"--cert …", "--cert "+s.authority.cert, "--key …", "--key "+s.authority.key, "/etc/nginx/conf.d/gallery.conf", conf, "127.0.0.1:8080", shim).Replace(block))
	script.Dir, script.Env = dir, append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	start(t, "readme", dir, script).await(t, `msg=listening`)
	printed, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	g := &gallery{client: s.authority.client(), dir: dir, base: base, shim: "http://" + shim}
	g.startNginx(t, s.tools, strings.ReplaceAll(string(printed), "127.0.0.1:8080", shim))
	for _, path := range []string{"/", "/item/acme.hello.html", "/index/CURRENT", hello + services + "VSIXPackage", "/api/vscode/acme/hello/latest", "/api/vscode/ACME/Hello/latest"} {
		g.checkResponse(t, responseCase{path: path, status: 200})
	}
	g.checkResponse(t, responseCase{path: "/item?itemName=Acme.Hello", status: 302, header: map[string]string{"Location": base + "/item/acme.hello.html"}})
}
