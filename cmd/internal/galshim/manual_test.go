package galshim

import (
	"testing"

	"github.com/alecthomas/kong"

	"galbuild/cmd/internal/help/helptest"
)

func TestHelp(t *testing.T) {
	helptest.Run(t, manual(), nil, func(options ...kong.Option) *kong.Kong {
		return newParser(new(commandLine), options...)
	})
}
