//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/build/site"
)

// commands are the paths of the two programs.
type commands struct{ galbuild, galshim string }

// compile builds both programs into a folder.
func compile(t testing.TB, dir string) commands {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "build", "-o", dir, "galbuild/cmd/galbuild", "galbuild/cmd/galshim").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return commands{filepath.Join(dir, "galbuild"), filepath.Join(dir, "galshim")}
}

// A gallery is a folder of packages, the site built from it, and galshim.
type gallery struct {
	commands commands
	client   *http.Client
	dir      string // has the folders below, and the logs
	packages string
	site     string
	base     string // base URL; empty until it is known
	content  string // base URL of assets and files; empty if it is base
	token    string // file with the token of editors; empty if they need none
	files    string // base URL at which a web server alone has the site; empty if there is none
	shim     string // where galshim listens, with the scheme
	galshim  *service
}

// newGallery builds a site from the packages in the folder first. If base is empty, galshim takes
// the base URL from requests.
func newGallery(t testing.TB, c commands, client *http.Client, dir, base, content, first string) *gallery {
	t.Helper()
	g := &gallery{
		commands: c, client: client, dir: dir, base: base, content: content,
		packages: filepath.Join(dir, "packages"), site: filepath.Join(dir, "site"),
	}
	g.add(t, first)
	return g
}

// add copies the packages of a folder to those of the gallery, and builds the site again.
func (g *gallery) add(t testing.TB, folder string) {
	t.Helper()
	if err := os.CopyFS(g.packages, os.DirFS(folder)); err != nil {
		t.Fatalf("add packages: %v", err)
	}
	args := []string{g.packages, "-o", g.site, "--strict", "--stats", "testdata/statistics.csv", "--control", "testdata/control.json",
		"--featured", "acme.notes", "--featured", "acme.midnight"}
	if g.base != "" {
		args = append(args, g.addresses()...)
	}
	if out, err := exec.Command(g.commands.galbuild, args...).CombinedOutput(); err != nil {
		t.Fatalf("galbuild %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// addresses returns the flags for the addresses of the gallery.
func (g *gallery) addresses() []string {
	if g.content == "" {
		return []string{"--base-url", g.base}
	}
	return []string{"--base-url", g.base, "--content-url", g.content}
}

// serve starts galshim. If the base URL is not known, it is galshim's address.
func (g *gallery) serve(t testing.TB, flags ...string) {
	t.Helper()
	flags = append([]string{"--index", g.site, "--listen", "127.0.0.1:0", "--reload", "1s"}, flags...)
	g.galshim = start(t, "galshim", g.dir, exec.Command(g.commands.galshim, flags...))
	g.shim = g.galshim.await(t, `msg=listening .*addr=(\S+)`)[1]
	if g.base == "" {
		g.base = g.shim
	}
}

// awaitReload waits until galshim serves the current generation of the site.
func (g *gallery) awaitReload(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.site, filepath.FromSlash(site.CurrentPath)))
	if err != nil {
		t.Fatal(err)
	}
	current, _, err := site.ParseCurrent(text)
	if err != nil {
		t.Fatal(err)
	}
	var health string
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(pollInterval) {
		if health, err = g.health(); err == nil && strings.Contains(health, current.Generation) {
			return
		}
	}
	t.Fatalf("galshim does not serve generation %s after %s: %s, %v", current.Generation, startTimeout, health, err)
}

// health returns the status and the body of /healthz.
func (g *gallery) health() (string, error) {
	response, err := g.client.Get(g.shim + "/healthz")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return fmt.Sprintf("%s: %s", response.Status, text), err
}

// config returns what `galbuild config` prints.
func (c commands) config(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command(c.galbuild, append([]string{"config"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("galbuild config %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out)
}

// settings returns the value of EXTENSIONS_GALLERY after a shell has read what
// `galbuild config code-server` prints.
func (g *gallery) settings(t testing.TB) string {
	t.Helper()
	shell := exec.Command("sh", "-c", `. /dev/stdin && printf %s "$EXTENSIONS_GALLERY"`)
	flags := append([]string{"code-server"}, g.addresses()...)
	if g.token != "" {
		flags = append(flags, "--token-file", g.token)
	}
	shell.Stdin = strings.NewReader(g.commands.config(t, flags...))
	out, err := shell.CombinedOutput()
	if err != nil || len(out) == 0 {
		t.Fatalf("read the output of galbuild config code-server in a shell: %v\n%s", err, out)
	}
	return string(out)
}
