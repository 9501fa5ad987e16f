package cmd_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"galbuild/build/pack"
)

// TestReadme runs the transcript at the top of the README as it stands there, in
// a folder where vsixs holds the samples, and compares what is printed; … stands
// for anything.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```console\n")
	block, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the README has no transcript")
	}
	dir := t.TempDir()
	packSamples(t, filepath.Join(dir, "vsixs"))
	addr := freeAddress(t)
	t.Setenv("GALSHIM_LISTEN", addr)
	steps := strings.Split("\n"+block, "\n$ ")[1:]
	if len(steps) < 5 {
		t.Fatalf("only %d commands in the transcript", len(steps))
	}
	for _, step := range steps {
		command, want, _ := strings.Cut(step, "\n")
		got := runStep(t, dir, addr, command)
		if !matches(got, strings.TrimSpace(want)) {
			t.Errorf("$ %s\nprints\n%s\nthe README says\n%s", command, got, want)
		}
	}
}

// curl does what `curl -s URL` does, which is all that the README needs: not every machine
// has curl.
func curl(args []string) error {
	if len(args) != 2 || args[0] != "-s" {
		return fmt.Errorf("curl %q: only curl -s URL is known", args)
	}
	response, err := http.Get(args[1])
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

// readmeAddress is where galshim listens in the README; the test takes another.
const readmeAddress = "127.0.0.1:8080"

func runStep(t *testing.T, dir, addr, command string) string {
	t.Helper()
	background := strings.HasSuffix(command, "&")
	run := exec.Command("sh", "-c", "exec "+strings.TrimSuffix(strings.ReplaceAll(command, readmeAddress, addr), "&"))
	if strings.Contains(command, "|") {
		run.Args[2] = strings.TrimPrefix(run.Args[2], "exec ")
	}
	run.Dir = dir
	if !background {
		out, err := run.CombinedOutput()
		if err != nil {
			t.Errorf("$ %s: %v", command, err)
		}
		return strings.ReplaceAll(string(out), addr, readmeAddress)
	}
	var out lockedBuffer
	run.Stdout, run.Stderr = &out, &out
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = run.Process.Signal(syscall.SIGTERM)
		_ = run.Wait()
	})
	if err := waitFor(addr); err != nil {
		t.Fatalf("$ %s: %v\n%s", command, err, out.String())
	}
	return strings.ReplaceAll(out.await("msg=listening"), addr, readmeAddress)
}

// A lockedBuffer is written by a process and read by the test.
type lockedBuffer struct {
	mutex sync.Mutex
	bytes bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.bytes.String()
}

// await waits for a whole line with this text. Other lines may come first: that galshim
// runs as root, or that its memory is limited.
func (b *lockedBuffer) await(text string) string {
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		for line := range strings.Lines(b.String()) {
			if strings.Contains(line, text) && strings.HasSuffix(line, "\n") {
				return line
			}
		}
		if time.Now().After(deadline) {
			return b.String()
		}
	}
}

func matches(got, want string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*")
	return regexp.MustCompile("^(?s:" + pattern + ")$").MatchString(strings.TrimSpace(got))
}

func packSamples(t *testing.T, out string) {
	t.Helper()
	samples, err := filepath.Glob(filepath.Join("..", "testdata", "samples", "*", "package.json"))
	if err != nil || len(samples) < 5 {
		t.Fatalf("samples: %v, %v", samples, err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, sample := range samples {
		var archive bytes.Buffer
		folder := filepath.Dir(sample)
		if err := pack.Write(&archive, os.DirFS(folder), pack.Options{Time: day}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(out, filepath.Base(folder)+".vsix"), archive.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
