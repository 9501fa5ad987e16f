//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/porttest"
	"galbuild/cmd/e2e/toolchain"
)

var update = flag.Bool("update", false, "record the requests of an editor that starts")

// startFile has the requests that code-server's page and server sent to galshim when an editor
// with five extensions of the gallery was opened, until it had looked for their updates. A line is
// a request, in the order of galshim's log.
const startFile = "testdata/start.jsonl"

// A startRequest is a request of an editor that starts.
type startRequest struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Body   string `json:"body,omitempty"`
}

// startExtensions are the extensions of the editor that is recorded.
var startExtensions = []string{"hello", "word-count", "midnight", "notes", "log-language"}

// TestStart checks that the recorded start has an update check of each extension. With -update, it
// records the start again:
//
//	go test -tags e2e ./cmd/e2e -run TestStart -update
func TestStart(t *testing.T) {
	if *update {
		recordStart(t)
	}
	checks := make(map[string]int)
	for _, r := range readStart(t) {
		checks[r.Method+" "+r.Path]++
	}
	for _, name := range startExtensions {
		if path := "/api/vscode/acme/" + name + "/latest"; checks["OPTIONS "+path] == 0 || checks["GET "+path] == 0 {
			t.Errorf("%s has no preflight request or no request for %s", startFile, path)
		}
	}
}

func readStart(t testing.TB) (requests []startRequest) {
	t.Helper()
	text, err := os.ReadFile(startFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var r startRequest
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", startFile, err)
		}
		requests = append(requests, r)
	}
	return requests
}

// recordStart installs the extensions, and then records what galshim logs while the editor's page
// is open.
func recordStart(t *testing.T) {
	dir := t.TempDir()
	s := suite{tools: toolchain.Tools(t), commands: compile(t, filepath.Join(dir, "bin")), dir: dir, authority: newAuthority(t, dir)}
	for _, name := range startExtensions {
		packFolder(t, s, filepath.Join("..", "..", "testdata", "samples", name))
	}
	address := porttest.Address(t)
	g := newGallery(t, s.commands, s.authority.client(), filepath.Join(dir, "gallery"), "https://"+address, "", filepath.Join(dir, "vsix"))
	g.galshim = start(t, "galshim", g.dir, exec.Command(s.commands.galshim, "--index", g.site, "--listen", address,
		"--tls-cert", s.authority.cert, "--tls-key", s.authority.key, "--verbose", "--log-format", "json"))
	g.galshim.await(t, `"msg":"listening"`)
	e := s.editor(t, g, "start")
	var install []string
	for _, name := range startExtensions {
		install = append(install, "--install-extension", "acme."+name)
	}
	codeServer(install...).must(t, e)
	before := len(loggedRequests(t, g.galshim.log))
	e.runSteps(t, "start", g, s.authority, []string{"check for updates"})
	var lines strings.Builder
	for _, r := range loggedRequests(t, g.galshim.log)[before:] {
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	if err := os.WriteFile(startFile, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// loggedRequests returns the requests in the log of a galshim that logs the bodies of queries too.
func loggedRequests(t *testing.T, log string) (requests []startRequest) {
	t.Helper()
	file, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var bodies []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var line struct {
			Msg string
			startRequest
		}
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			continue // the last line may be incomplete
		}
		switch {
		case line.Msg == "query":
			bodies = append(bodies, line.Body)
		case line.Msg == "request" && line.Path != "/healthz":
			if line.Method == "POST" && len(bodies) > 0 {
				line.Body, bodies = bodies[0], bodies[1:]
			}
			requests = append(requests, line.startRequest)
		}
	}
	return requests
}
