package galbuild

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// TestExit checks the exit status of help, and of mistakes that are found when a command runs.
func TestExit(t *testing.T) {
	for args, want := range map[string]int{
		"help": 0, "help build": 0, "help biuld": exitUsage, "help config ngnix": exitUsage,
		"ls-remote nosuch --region r": exitUsage, "ls-remote nosuch": 1, "ls_remote site": exitUsage,
	} {
		if got := (program{}).run(t.Context(), strings.Fields(args), strings.NewReader(""), io.Discard, io.Discard); got != want {
			t.Errorf("%s: got exit status %d, want %d", args, got, want)
		}
	}
}

// TestExitWithoutOutput checks that a command that prints text fails if that cannot be written.
func TestExitWithoutOutput(t *testing.T) {
	for _, args := range []string{"--help", "help", "help build", "--version", "version", "man", "completion bash"} {
		var stderr strings.Builder
		got := (program{}).run(t.Context(), strings.Fields(args), strings.NewReader(""), full{}, &stderr)
		if got != 1 || !strings.Contains(stderr.String(), "error: the output cannot be written: no space") {
			t.Errorf("%s: got exit status %d and %s", args, got, &stderr)
		}
	}
}

// full is an output on a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }
