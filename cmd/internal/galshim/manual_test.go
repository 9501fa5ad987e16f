package galshim

import (
	"errors"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/help/helptest"
)

func TestHelp(t *testing.T) {
	helptest.Run(t, manual(), nil, func(options ...kong.Option) *kong.Kong {
		return newParser(new(commandLine), options...)
	})
}

// TestExitWithoutOutput checks that galshim fails if what it prints cannot be written.
func TestExitWithoutOutput(t *testing.T) {
	for _, args := range []string{"--help", "help", "--version", "version", "man"} {
		var stderr strings.Builder
		got := Main(t.Context(), []string{args}, full{}, &stderr)
		if got != exitFailed || !strings.Contains(stderr.String(), "error: the output cannot be written: no space") {
			t.Errorf("%s: got exit status %d and %s", args, got, &stderr)
		}
	}
}

// full is an output on a disk without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }
