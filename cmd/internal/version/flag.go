package version

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// Flag is a flag that prints the name and version of the program and ends it. Unlike Kong's own, it
// fails if the output cannot be written.
type Flag bool

// BeforeReset implements Kong's hook.
func (Flag) BeforeReset(app *kong.Kong) error {
	_, err := fmt.Fprintln(app.Stdout, app.Model.Name, String())
	if err == nil {
		app.Exit(0)
	}
	return err
}
