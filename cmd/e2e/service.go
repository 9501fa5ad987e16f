//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A service is a server that runs until the test ends. Its output is written to a file, and to the
// test's log if the test fails.
type service struct {
	name string
	log  string
	exit chan struct{} // closed when the process has ended
	pid  int
}

// The timeouts are long, because a test must not fail on a busy machine.
const (
	startTimeout = 4 * time.Minute
	stopTimeout  = 60 * time.Second
	pollInterval = 50 * time.Millisecond
)

// start starts a server in a process group of its own, which is killed when the test ends.
func start(t testing.TB, name, artefacts string, cmd *exec.Cmd) *service {
	t.Helper()
	s := &service{name: name, log: filepath.Join(artefacts, name+".log"), exit: make(chan struct{})}
	out, err := os.Create(s.log)
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	s.pid = cmd.Process.Pid
	go func() {
		defer close(s.exit)
		defer out.Close()
		cmd.Wait() // await reports a server that ended early
	}()
	t.Cleanup(func() { s.stop(t) })
	return s
}

// stop stops the server and its children.
func (s *service) stop(t testing.TB) {
	s.end()
	select {
	case <-s.exit:
	case <-time.After(stopTimeout):
		t.Errorf("%s still runs %s after SIGTERM", s.name, stopTimeout)
		syscall.Kill(-s.pid, syscall.SIGKILL)
		<-s.exit
	}
	if t.Failed() {
		t.Logf("%s: end of %s:\n%s", s.name, s.log, tail(s.log, 80))
	}
}

// end asks the server and its children to end.
func (s *service) end() { syscall.Kill(-s.pid, syscall.SIGTERM) }

// await waits until the log matches, and returns the match and its groups.
func (s *service) await(t testing.TB, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(pollInterval) {
		select {
		case <-s.exit:
			t.Fatalf("%s ended before its log matched %q:\n%s", s.name, pattern, tail(s.log, 20))
		default:
		}
		text, err := os.ReadFile(s.log)
		if err != nil {
			t.Fatalf("await %s: %v", s.name, err)
		}
		if m := re.FindStringSubmatch(string(text)); m != nil {
			return m
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log of %s does not match %q after %s:\n%s", s.name, pattern, startTimeout, tail(s.log, 20))
		}
	}
}

// tail returns the last n lines of a file.
func tail(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.SplitAfter(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
