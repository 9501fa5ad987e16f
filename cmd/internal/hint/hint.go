// Package hint adds to errors what a person can do about them. It is printed on a line of its own.
package hint

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"galbuild/build/visible"
	"galbuild/build/wording"
)

type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// Add adds a hint to err. If an error has several, the outermost is printed.
func Add(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// Has reports whether err has a hint.
func Has(err error) bool {
	_, ok := errors.AsType[*hinted](err)
	return ok
}

// Print prints an error of a program, and its hint if it has one. Further lines of an error are
// indented, so that a name in it cannot look like another message.
func Print(w io.Writer, program string, err error) {
	fmt.Fprintf(w, "%s: error: %s\n", program, lines(wording.Text(err)))
	if h, ok := errors.AsType[*hinted](err); ok {
		fmt.Fprintf(w, "%s: hint: %s\n", program, lines(h.hint))
	}
}

func lines(s string) string {
	return strings.ReplaceAll(visible.Escape(s, "\n\t"), "\n", "\n  ")
}
