package galbuild

import (
	"io"
	"strings"
	"testing"
)

// TestExit checks the exit status of help, and of mistakes that are found when a command runs.
func TestExit(t *testing.T) {
	for args, want := range map[string]int{
		"help": 0, "help build": 0, "help biuld": exitUsage, "help config ngnix": exitUsage,
		"ls-remote nosuch --region r": exitUsage, "ls-remote nosuch": 1,
	} {
		if got := (program{}).run(t.Context(), strings.Fields(args), strings.NewReader(""), io.Discard, io.Discard); got != want {
			t.Errorf("%s: got exit status %d, want %d", args, got, want)
		}
	}
}
