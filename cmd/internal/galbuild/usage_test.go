package galbuild

import (
	"io"
	"strings"
	"testing"
)

// TestExitOfHelp checks the exit status of help for a command that does not exist.
func TestExitOfHelp(t *testing.T) {
	for args, want := range map[string]int{"help": 0, "help build": 0, "help biuld": exitUsage, "help config ngnix": exitUsage} {
		if got := (program{}).run(t.Context(), strings.Fields(args), strings.NewReader(""), io.Discard, io.Discard); got != want {
			t.Errorf("%s: got exit status %d, want %d", args, got, want)
		}
	}
}
