package galbuild

import (
	"testing"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/help/helptest"
	"galbuild/publish/target/all"
)

func TestHelp(t *testing.T) {
	helptest.Run(t, manual(), []string{"version"}, func(options ...kong.Option) *kong.Kong {
		kinds := all.Kinds()
		return newParser(newCommandLine(kinds, nil), kinds, options...)
	})
}
