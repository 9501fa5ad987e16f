// Package hint lets errors name a way out, which is told on a line of its own.
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

// Add gives err a way out. Of several hints the outermost is told.
func Add(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// Has tells whether err knows a way out.
func Has(err error) bool {
	_, ok := errors.AsType[*hinted](err)
	return ok
}

// Tell prints what went wrong, and the way out if there is one, as the program of
// that name. Further lines of an error are indented, so that a name
// that a stranger chose cannot look like another message.
func Tell(w io.Writer, program string, err error) {
	fmt.Fprintf(w, "%s: error: %s\n", program, lines(wording.Text(err)))
	if h, ok := errors.AsType[*hinted](err); ok {
		fmt.Fprintf(w, "%s: hint: %s\n", program, lines(h.hint))
	}
}

func lines(s string) string {
	return strings.ReplaceAll(visible.Escape(s, "\n\t"), "\n", "\n  ")
}
