package cmd_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"galbuild/build/stats"
)

// TestKilledCounter kills galshims with SIGKILL while clients report installs, two of them at a
// time with the same folder. What was in the files once is never lost, every file has complete
// lines up to the last one, nothing is counted twice, and galbuild folds all of it.
func TestKilledCounter(t *testing.T) {
	dir := t.TempDir()
	root, counts := filepath.Join(dir, "site"), filepath.Join(dir, "counts")
	vsixs := filepath.Join(dir, "vsixs")
	for i := range 3 {
		writePackage(t, vsixs, i)
	}
	mustBuild(t, vsixs, "-o", root)
	var sent atomic.Int64
	written := int64(0)
	for range 3 {
		two := []*countingShim{startCounting(t, root, counts), startCounting(t, root, counts)}
		stop := make(chan struct{})
		var clients sync.WaitGroup
		for i, shim := range two {
			clients.Go(func() { shim.report(i, stop, &sent) })
		}
		for writes := 0; writes < 5; { // so that at least one process has written several times
			time.Sleep(20 * time.Millisecond)
			now := countedIn(t, counts)
			if now < written {
				t.Fatalf("%d installs are in the files, and %d were", now, written)
			}
			if now > written {
				writes++
			}
			written = now
		}
		for _, shim := range two {
			_ = shim.command.Process.Kill()
			_ = shim.command.Wait()
		}
		close(stop)
		clients.Wait()
		now := countedIn(t, counts)
		if now < written || now > sent.Load() {
			t.Fatalf("%d installs are in the files after the kill, want %d to %d", now, written, sent.Load())
		}
		written = now
	}
	mustBuild(t, "stats", "fold", counts, root)
	mustBuild(t, "stats", "fold", counts, root) // adds nothing
	out, err := exec.Command("galbuild", "stats", "show", root, "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var shown struct{ Extensions []struct{ Installs int64 } }
	if err := json.Unmarshal(out, &shown); err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, x := range shown.Extensions {
		sum += x.Installs
	}
	if sum != written {
		t.Errorf("%d installs are in the site, and %d in the files", sum, written)
	}
}

// A countingShim is a process of galshim.
type countingShim struct {
	command *exec.Cmd
	base    string
}

func startCounting(t *testing.T, root, counts string) *countingShim {
	t.Helper()
	s := &countingShim{command: exec.Command("galshim", "--index", root, "--listen", "127.0.0.1:0", "--stats-log", counts)}
	stderr, err := s.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.command.Process.Kill() })
	lines := bufio.NewScanner(stderr)
	for s.base == "" && lines.Scan() {
		if m := regexp.MustCompile(`addr=(http://\S+)`).FindStringSubmatch(lines.Text()); m != nil {
			s.base = m[1]
		}
	}
	if s.base == "" {
		t.Fatal("galshim does not listen")
	}
	go func() {
		for lines.Scan() {
		}
	}()
	return s
}

// report reports installs until the process has gone and stop is closed, and counts the requests.
func (s *countingShim) report(i int, stop chan struct{}, sent *atomic.Int64) {
	for n := i; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		sent.Add(1)
		address := fmt.Sprintf("%s/api/publishers/acme/extensions/ext-%d/1.0.0/stats?statType=install", s.base, n%3)
		if r, err := http.Post(address, "", nil); err == nil {
			r.Body.Close()
		} else {
			time.Sleep(time.Millisecond)
		}
	}
}

// countedIn returns the installs in the complete lines of all files of a folder. All of them must
// be valid.
func countedIn(t *testing.T, dir string) (sum int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			if !bytes.HasSuffix(line, []byte("\n")) {
				continue
			}
			var l stats.Line
			if err := json.Unmarshal(line, &l); err != nil || !strings.HasPrefix(l.ID, "acme.ext-") {
				t.Fatalf("%s: %q: %v", file, line, err)
			}
			sum += l.Installs
		}
	}
	return sum
}
