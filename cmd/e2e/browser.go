//go:build e2e

package e2e

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/cmd/e2e/toolchain"
)

// A plan tells browser/driver.js what to do.
type plan struct {
	Playwright string   `json:"playwright"` // folder of the npm package
	Chromium   string   `json:"chromium"`   // program
	Trust      string   `json:"trust"`      // public key to trust without a CA, see authority.spki
	Editor     string   `json:"editor"`     // address of the page
	Gallery    string   `json:"gallery"`    // base of the gallery
	Content    string   `json:"content"`    // base URL of its assets and files
	Extensions string   `json:"extensions"` // folder of installed extensions
	Artefacts  string   `json:"artefacts"`  // folder for screenshots and logs
	Axe        string   `json:"axe"`        // script of axe-core
	Lighthouse string   `json:"lighthouse"` // script
	Files      string   `json:"files"`      // base URL of the same files on a web server alone
	Hello      string   `json:"hello"`      // package of acme.hello
	Steps      []string `json:"steps"`      // names of steps in browser/steps.js, or in another script
}

// A step is the result of a step that the driver reports.
type step struct {
	Step   string
	OK     bool
	Detail string
}

// browserTimeout is the time for all steps of a plan, which usually take half a minute.
const browserTimeout = 4 * time.Minute

// settings are those of the editor. With them, it opens no dialogs by itself.
const settings = `{
	"workbench.startupEditor": "none",
	"workbench.enableExperiments": false,
	"security.workspace.trust.enabled": false,
	"telemetry.telemetryLevel": "off",
	"chat.disableAIFeatures": true,
	"extensions.ignoreRecommendations": true
}`

// runSteps serves the editor's page and runs the steps, each as a subtest.
func (e editor) runSteps(t *testing.T, name string, g *gallery, a authority, steps []string) {
	t.Helper()
	p := plan{
		Playwright: e.tools.Playwright, Chromium: e.tools.Chromium, Trust: a.spki,
		Editor: e.serve(t, name, g.dir), Gallery: g.base, Content: cmp.Or(g.content, g.base), Extensions: e.extensions(),
		Artefacts: filepath.Join(g.dir, name), Steps: steps,
	}
	e.drive(t, "driver.js", p.write(t), steps)
}

// serve starts the editor's page, and returns its address.
func (e editor) serve(t *testing.T, name, artefacts string) string {
	t.Helper()
	user, workspace := filepath.Join(e.data(), "User"), filepath.Join(e.home, "workspace")
	for _, dir := range []string{user, workspace} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(user, "settings.json"), []byte(settings), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(workspace, "note.txt"), []byte("A file, for its icon.\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	recommended := filepath.Join(workspace, ".vscode", "extensions.json")
	if err := os.MkdirAll(filepath.Dir(recommended), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recommended, []byte(`{"recommendations": ["acme.word-count", "acme.log-language"]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	s := start(t, "code-server-"+name, artefacts, e.command(context.Background(),
		"--auth", "none", "--bind-addr", "127.0.0.1:0", "--disable-telemetry", "--disable-update-check",
		"--disable-workspace-trust", "--disable-getting-started-override", workspace))
	return s.await(t, `HTTP server listening on (http://[^/\s]+)`)[1]
}

// gallerySteps are the steps on the gallery's own pages, see browser/gallery.js.
var gallerySteps = []string{"home", "search", "address that editors open", "page of an extension", "install box", "unknown extension", "links",
	"links that name another gallery", "no frames in other pages", "no scripts in files of packages"}

// galleryPages runs gallerySteps and more steps on the gallery's own pages, each as a subtest.
func (e editor) galleryPages(t *testing.T, g *gallery, more ...string) {
	t.Helper()
	p := g.pagesPlan(e.tools, "gallery-pages", append(slices.Clone(gallerySteps), more...))
	e.drive(t, "gallery.js", p.write(t), p.Steps)
}

// pagesPlan returns a plan for the gallery's own pages, with a folder for its artefacts.
func (g *gallery) pagesPlan(tools toolchain.Toolbox, folder string, steps []string) plan {
	return plan{
		Playwright: tools.Playwright, Chromium: tools.Chromium, Axe: tools.Axe, Lighthouse: tools.Lighthouse,
		Gallery: g.base, Content: cmp.Or(g.content, g.base), Files: g.files, Hello: filepath.Join(g.packages, "acme.hello-1.1.0.vsix"),
		Artefacts: filepath.Join(g.dir, folder), Steps: steps,
	}
}

// write writes the plan into its folder, and returns the file.
func (p plan) write(t *testing.T) string {
	t.Helper()
	if err := os.MkdirAll(p.Artefacts, 0o777); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(p.Artefacts, "plan.json")
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// drive runs a script of the folder browser, and makes a subtest of each line it prints.
func (e editor) drive(t *testing.T, script, plan string, steps []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), browserTimeout)
	defer cancel()
	cmd := e.node(ctx, "browser/"+script, plan)
	cmd.Dir = "" // the folder of this test has the driver
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the browser's driver: %v", err)
	}
	missing := slices.Clone(steps)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for begin := time.Now(); lines.Scan(); begin = time.Now() {
		missing = report(t, lines.Text(), time.Since(begin), missing)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the browser's driver: %v\n%s", err, &stderr)
	}
	if len(missing) > 0 {
		t.Errorf("steps that were not run: %q", missing)
	}
}

// report runs a subtest for a line, and returns the steps that are still missing.
func report(t *testing.T, line string, took time.Duration, missing []string) []string {
	t.Helper()
	var s step
	if err := json.Unmarshal([]byte(line), &s); err != nil {
		t.Errorf("the browser's driver printed %q: %v", line, err)
		return missing
	}
	t.Run(s.Step, func(t *testing.T) {
		if !s.OK {
			t.Fatal(s.Detail)
		}
		t.Logf("%.1f s: %s", took.Seconds(), s.Detail)
	})
	return slices.DeleteFunc(missing, func(name string) bool { return name == s.Step })
}
