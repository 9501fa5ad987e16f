// Package hint lets errors name a way out, which is told on a line of its own.
package hint

import (
	"errors"
	"fmt"
	"io"
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
// that name.
func Tell(w io.Writer, program string, err error) {
	fmt.Fprintf(w, "%s: error: %v\n", program, err)
	if h, ok := errors.AsType[*hinted](err); ok {
		fmt.Fprintf(w, "%s: hint: %s\n", program, h.hint)
	}
}
