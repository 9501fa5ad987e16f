//go:build e2e

package toolchain

import (
	"bufio"
	_ "embed" // vsce.js
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed vsce.js
var driver string

// A VSCE is a process of vsce that runs many command lines, because a start takes a second.
type VSCE struct {
	requests io.Writer
	results  *bufio.Scanner
}

// A Result is what a command line of vsce printed. Messages are without their tags.
type Result struct {
	Output           string // on standard output, without messages
	Errors, Warnings []string
}

// StartVSCE starts the process, with these variables added to its environment. It ends with the
// test.
func (tools Toolbox) StartVSCE(t testing.TB, environ ...string) *VSCE {
	t.Helper()
	node := exec.Command(tools.Node, withoutMarks, "-e", driver, "--", filepath.Dir(tools.VSCE))
	node.Env, node.Stderr = append(tools.Environ(), environ...), os.Stderr
	requests, err1 := node.StdinPipe()
	results, err2 := node.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		requests.Close()
		if err := node.Wait(); err != nil {
			t.Errorf("the driver of vsce: %v", err)
		}
	})
	scanner := bufio.NewScanner(results)
	scanner.Buffer(nil, 16<<20)
	return &VSCE{requests, scanner}
}

// Run runs a command line of vsce in a folder.
func (v *VSCE) Run(t testing.TB, dir string, args ...string) (r Result) {
	t.Helper()
	request, err := json.Marshal(map[string]any{"dir": dir, "args": args})
	if err == nil {
		_, err = v.requests.Write(append(request, '\n'))
	}
	if err != nil || !v.results.Scan() {
		t.Fatalf("vsce %q: %v, %v", args, err, v.results.Err())
	}
	if err := json.Unmarshal(v.results.Bytes(), &r); err != nil {
		t.Fatalf("vsce %q: %v", args, err)
	}
	return r
}
