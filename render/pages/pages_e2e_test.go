//go:build e2e

package pages_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/build/headers"
	"galbuild/build/mediatype"
	"galbuild/cmd/e2e/toolchain"
	"galbuild/render/pages/pagestest"
)

// steps are the steps of testdata/browser.js, except its last one, which makes screenshots.
var steps = []string{"width and axe-core", "width of all pages", "without JavaScript", "search, and back to the row", "search without a server", "keyboard",
	"search with the keyboard only", "back in a paged list", "print", "numbers and addresses that the script fills in", "layout", "hostile readme"}

// TestBrowser opens the sample pages in Chromium, at a path below the root of their host. If the
// variable SCREENSHOTS names a folder, it only makes screenshots, to look at them. With the
// variable STEP, it only runs that step.
func TestBrowser(t *testing.T) {
	const base = "/tools/gallery/"
	g, err := pagestest.New(base)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(serve(g, base))
	defer server.Close()
	tools := toolchain.Tools(t)
	steps, artefacts := steps, os.Getenv("SCREENSHOTS")
	if only := os.Getenv("STEP"); only != "" {
		steps = []string{only}
	}
	if artefacts != "" {
		steps = []string{"screenshots"}
	}
	plan, err := json.Marshal(map[string]any{
		"playwright": tools.Playwright, "chromium": tools.Chromium, "axe": tools.Axe, "gallery": server.URL + base, "artefacts": artefacts, "steps": steps,
		"pages": addresses(g),
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(file, plan, 0o666); err != nil {
		t.Fatal(err)
	}
	node := exec.Command(tools.Node, "testdata/browser.js", file)
	node.Stderr = os.Stderr
	out, err := node.Output()
	if err != nil {
		t.Error(err)
	}
	report(t, string(out), len(steps))
}

// addresses returns the paths of all pages, escaped.
func addresses(g pagestest.Gallery) (all []string) {
	for path := range g {
		if strings.HasSuffix(path, ".html") {
			all = append(all, (&url.URL{Path: path}).EscapedPath())
		}
	}
	slices.Sort(all)
	return all
}

// report makes a subtest of each step.
func report(t *testing.T, out string, steps int) {
	t.Helper()
	done := 0
	for line := range strings.Lines(out) {
		var s struct {
			Step, Detail string
			OK           bool
		}
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		done++
		t.Run(s.Step, func(t *testing.T) {
			if !s.OK {
				t.Error(s.Detail)
			}
		})
	}
	if done != steps {
		t.Errorf("%d steps of %d were run", done, steps)
	}
}

// serve serves the pages with the headers of a gallery.
func serve(g pagestest.Gallery, base string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		path, ok := strings.CutPrefix(r.URL.Path, base)
		text, found := g[path]
		if !ok || !found {
			http.NotFound(w, r)
			return
		}
		headers.SetEvery(w.Header(), r.Method)
		w.Header().Set("Content-Type", mediatype.Of(path))
		w.Header().Set("Content-Security-Policy", headers.PagePolicy("")+headers.NoFrames)
		w.Write(text)
	}
}
