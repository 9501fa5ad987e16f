// Package hint adds hints to errors. A hint is the next step for the user, and is printed on a
// line of its own.
package hint

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"galbuild/build/errmsg"
	"galbuild/build/visible"
)

type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// Add returns err with a hint. If an error has several hints, the outermost is printed.
func Add(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// Has reports whether err has a hint.
func Has(err error) bool {
	_, ok := errors.AsType[*hinted](err)
	return ok
}

// Text returns the message of err in plain words, and its hint, which is "" if it has none. They
// contain no passwords of addresses: the output of commands is kept in the logs of CI systems.
func Text(err error) (message, hint string) {
	if h, ok := errors.AsType[*hinted](err); ok {
		hint = h.hint
	}
	return errmsg.Text(err), errmsg.Redact(hint)
}

// Print prints the message of err, and its hint if it has one, after the name of the program.
// Further lines of an error are indented, so that a name with a line end cannot look like another
// message.
func Print(w io.Writer, program string, err error) {
	message, hint := Text(err)
	fmt.Fprintf(w, "%s: error: %s\n", program, indent(message))
	if hint != "" {
		fmt.Fprintf(w, "%s: hint: %s\n", program, indent(hint))
	}
}

// indent returns s with its control characters escaped and all lines after the first indented.
func indent(s string) string {
	return strings.ReplaceAll(visible.Escape(s, "\n\t"), "\n", "\n  ")
}
