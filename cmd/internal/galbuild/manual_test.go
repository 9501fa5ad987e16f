package galbuild

import (
	"testing"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/help/helptest"
)

func TestHelp(t *testing.T) {
	helptest.Run(t, manual(), []string{"version"}, func(options ...kong.Option) *kong.Kong {
		return newParser(new(commandLine), options...)
	})
}
