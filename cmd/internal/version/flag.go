package version

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// Flag is a flag that prints the Kong variable version and ends the program. Unlike Kong's own,
// it fails if the output cannot be written.
type Flag bool

// BeforeReset implements Kong's hook.
func (Flag) BeforeReset(app *kong.Kong, vars kong.Vars) error {
	_, err := fmt.Fprintln(app.Stdout, vars["version"])
	if err == nil {
		app.Exit(0)
	}
	return err
}
