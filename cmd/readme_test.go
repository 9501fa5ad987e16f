package cmd_test

import (
	"bytes"
	"encoding"
	"fmt"
	"io"
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

	"aead.dev/minisign"

	"galbuild/build/pack"
	"galbuild/build/porttest"
)

// TestTranscripts runs the transcripts of each document, which are its blocks of type console, and
// compares what is printed. "…" matches any text. The transcripts of a document are run one after
// the other in a folder with the packages of the samples in vsixs, the samples in
// testdata/samples, and a key pair of minisign.
func TestTranscripts(t *testing.T) {
	transcripts := 0
	for _, document := range repositoryFiles(t, ".md") {
		source, err := os.ReadFile(filepath.Join("..", document))
		if err != nil {
			t.Fatal(err)
		}
		steps := transcriptSteps(string(source))
		if len(steps) == 0 {
			continue
		}
		transcripts++
		t.Run(document, func(t *testing.T) {
			dir := t.TempDir()
			packSamples(t, filepath.Join(dir, "vsixs"))
			if err := os.CopyFS(filepath.Join(dir, "testdata", "samples"), os.DirFS(filepath.Join("..", "testdata", "samples"))); err != nil {
				t.Fatal(err)
			}
			writeKeys(t, dir)
			addr := porttest.Address(t)
			t.Setenv("GALSHIM_LISTEN", addr)
			for _, s := range steps {
				if got := runStep(t, dir, addr, s.command); !matches(got, s.output) {
					t.Errorf("$ %s\nprints\n%s\nthe document has\n%s", s.command, got, s.output)
				}
			}
		})
	}
	if transcripts != 9 {
		t.Errorf("%d documents have transcripts, want 9", transcripts)
	}
}

// A transcriptStep is a command of a transcript and what it prints.
type transcriptStep struct{ command, output string }

// transcriptSteps returns the steps of all transcripts of a document.
func transcriptSteps(document string) (steps []transcriptStep) {
	for _, block := range strings.Split(document, "\n```console\n")[1:] {
		block, _, _ = strings.Cut(block, "\n```")
		for _, step := range strings.Split("\n"+block, "\n$ ")[1:] {
			command, output, _ := strings.Cut(step, "\n")
			steps = append(steps, transcriptStep{command, strings.TrimSpace(output)})
		}
	}
	return steps
}

// writeKeys writes a key pair of minisign without a password: key.minisign and key.pub.
func writeKeys(t *testing.T, dir string) {
	t.Helper()
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]encoding.TextMarshaler{"key.minisign": private, "key.pub": public} {
		text, err := key.MarshalText()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// curl replaces `curl -s URL` in documents, because not every machine has curl.
func curl(args []string) error {
	if len(args) != 2 || args[0] != "-s" {
		return fmt.Errorf("curl %q: only curl -s URL is supported", args)
	}
	response, err := http.Get(args[1])
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

// readmeAddress is the address of galshim in documents. The test replaces it by a free one.
const readmeAddress = "127.0.0.1:8080"

// runStep runs a command in a shell, and returns what it prints. A command that ends with & keeps
// running until the test ends.
func runStep(t *testing.T, dir, addr, command string) string {
	t.Helper()
	background := strings.HasSuffix(command, "&")
	script := strings.TrimSuffix(strings.ReplaceAll(command, readmeAddress, addr), "&")
	if background {
		script = "exec " + script // so that a signal reaches the command
	}
	run := exec.Command("sh", "-c", script)
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

// A lockedBuffer is a buffer that a process writes while the test reads it.
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

// await waits for a line with this text, and returns it. Other lines may precede it, for example
// that galshim runs as root.
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

// matches compares what a command printed with a document, in which "…" matches any text.
func matches(got, want string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*")
	return regexp.MustCompile("^(?s:" + pattern + ")$").MatchString(strings.TrimSpace(got))
}

// packSamples packs each sample into a folder, under the name of the sample.
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
