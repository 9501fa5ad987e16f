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

// commands are our two programs.
type commands struct{ galbuild, galshim string }

// compile builds both into dir.
func compile(t *testing.T, dir string) commands {
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

// A gallery is a folder of packages, the site made of it, and the shim in front.
type gallery struct {
	commands commands
	client   *http.Client
	dir      string // holds the folders below and the logs
	packages string
	site     string
	base     string // what editors are told; empty until known
	content  string // base URL of assets and files; empty if it is base
	shim     string // where galshim listens, with the scheme
	galshim  *service
}

// newGallery makes a site of the packages in the folder first. A base that is not
// known yet is left to the requests.
func newGallery(t *testing.T, c commands, client *http.Client, dir, base, content, first string) *gallery {
	t.Helper()
	g := &gallery{
		commands: c, client: client, dir: dir, base: base, content: content,
		packages: filepath.Join(dir, "packages"), site: filepath.Join(dir, "site"),
	}
	g.add(t, first)
	return g
}

// add brings in the packages of a folder and builds the site again.
func (g *gallery) add(t *testing.T, folder string) {
	t.Helper()
	if err := os.CopyFS(g.packages, os.DirFS(folder)); err != nil {
		t.Fatalf("add packages: %v", err)
	}
	args := []string{g.packages, "-o", g.site, "--strict"}
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

// serve starts galshim, and leaves the base to it where none is known.
func (g *gallery) serve(t *testing.T, flags ...string) {
	t.Helper()
	flags = append([]string{"--index", g.site, "--listen", "127.0.0.1:0", "--reload", "1s"}, flags...)
	g.galshim = start(t, "galshim", g.dir, exec.Command(g.commands.galshim, flags...))
	g.shim = g.galshim.await(t, `msg=listening .*addr=(\S+)`)[1]
	if g.base == "" {
		g.base = g.shim
	}
}

// awaitReload waits until galshim serves the generation that the site names.
func (g *gallery) awaitReload(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.site, filepath.FromSlash(site.CurrentPath)))
	if err != nil {
		t.Fatal(err)
	}
	current, err := site.ParseCurrent(text)
	if err != nil {
		t.Fatal(err)
	}
	var health string
	for deadline := time.Now().Add(startTime); time.Now().Before(deadline); time.Sleep(lookAgain) {
		if health, err = g.health(); err == nil && strings.Contains(health, current.Generation) {
			return
		}
	}
	t.Fatalf("galshim does not serve generation %s after %s: %s, %v", current.Generation, startTime, health, err)
}

func (g *gallery) health() (string, error) {
	answer, err := g.client.Get(g.shim + "/healthz")
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return fmt.Sprintf("%s: %s", answer.Status, text), err
}

// config returns what `galbuild config` prints.
func (c commands) config(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(c.galbuild, append([]string{"config"}, args...)...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("galbuild config %s: %v\n%s", strings.Join(args, " "), err, &complaint)
	}
	return string(out)
}

// settings returns the EXTENSIONS_GALLERY that `galbuild config code-server`
// tells people to paste into a shell, as a shell reads it.
func (g *gallery) settings(t *testing.T) string {
	t.Helper()
	shell := exec.Command("sh", "-c", `. /dev/stdin && printf %s "$EXTENSIONS_GALLERY"`)
	shell.Stdin = strings.NewReader(g.commands.config(t, append([]string{"code-server"}, g.addresses()...)...))
	out, err := shell.CombinedOutput()
	if err != nil || len(out) == 0 {
		t.Fatalf("the shell on what galbuild config code-server prints: %v\n%s", err, out)
	}
	return string(out)
}
