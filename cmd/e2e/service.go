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

// A service is a server that runs until the test ends. Its output goes to a file
// in the artefacts, and into the test's log when the test has failed.
type service struct {
	name string
	log  string
	exit chan struct{} // closed when the process has gone
}

// Generous, since a busy machine is no failure.
const (
	startTime = 60 * time.Second
	stopTime  = 20 * time.Second
	lookAgain = 50 * time.Millisecond
)

// start starts cmd in a process group of its own, with which it will end.
func start(t *testing.T, name, artefacts string, cmd *exec.Cmd) *service {
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
	go func() {
		defer close(s.exit)
		defer out.Close()
		cmd.Wait() // how it ended is in the log, and await tells of an early end
	}()
	t.Cleanup(func() { s.stop(t, cmd.Process.Pid) })
	return s
}

func (s *service) stop(t *testing.T, pid int) {
	syscall.Kill(-pid, syscall.SIGTERM)
	select {
	case <-s.exit:
	case <-time.After(stopTime):
		t.Errorf("%s still runs %s after SIGTERM", s.name, stopTime)
		syscall.Kill(-pid, syscall.SIGKILL)
		<-s.exit
	}
	if t.Failed() {
		t.Logf("%s: end of %s:\n%s", s.name, s.log, tail(s.log, 80))
	}
}

// await waits until the log matches, and returns the match and its groups.
func (s *service) await(t *testing.T, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for deadline := time.Now().Add(startTime); ; time.Sleep(lookAgain) {
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
			t.Fatalf("the log of %s does not match %q after %s:\n%s", s.name, pattern, startTime, tail(s.log, 20))
		}
	}
}

// tail returns the last n lines of a file, for people.
func tail(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.SplitAfter(string(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
