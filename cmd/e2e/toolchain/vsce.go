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

// A VSCE is one process of the real vsce that runs many command lines, since its start
// takes a second.
type VSCE struct {
	requests io.Writer
	answers  *bufio.Scanner
}

// An Answer is what a command line of vsce led to. Messages are without their tags.
type Answer struct {
	Output           string // on standard output, but for messages
	Errors, Warnings []string
}

// StartVSCE starts the process, with these variables in its environment, and ends it
// with the test.
func (tools Toolbox) StartVSCE(t testing.TB, environ ...string) *VSCE {
	t.Helper()
	node := exec.Command(tools.Node, noMarks, "-e", driver, "--", filepath.Dir(tools.VSCE))
	node.Env, node.Stderr = append(tools.Environ(), environ...), os.Stderr
	requests, err1 := node.StdinPipe()
	answers, err2 := node.StdoutPipe()
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
	scanner := bufio.NewScanner(answers)
	scanner.Buffer(nil, 16<<20)
	return &VSCE{requests, scanner}
}

// Run runs a command line of vsce in a folder.
func (v *VSCE) Run(t testing.TB, dir string, args ...string) (a Answer) {
	t.Helper()
	request, err := json.Marshal(map[string]any{"dir": dir, "args": args})
	if err == nil {
		_, err = v.requests.Write(append(request, '\n'))
	}
	if err != nil || !v.answers.Scan() {
		t.Fatalf("vsce %q: %v, %v", args, err, v.answers.Err())
	}
	if err := json.Unmarshal(v.answers.Bytes(), &a); err != nil {
		t.Fatalf("vsce %q: %v", args, err)
	}
	return a
}
