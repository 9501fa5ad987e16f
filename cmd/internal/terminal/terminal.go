// Package terminal prints text with parts that are not trusted, such as names from packages and
// messages of servers. Characters that could move the cursor, set the terminal's title, or hide
// what the text really is are escaped, as in \u001b.
//
// A [Writer] escapes everything that is written to it, and keeps line ends and tabs. [Fprintf] and
// [Fprintln] escape each argument, including line ends and tabs, so that a name cannot
// begin a line that looks like one of the program's own.
package terminal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/term"

	"galbuild/build/visible"
)

// A Writer escapes text. Escaped JSON has the same value as before. A Writer is safe for concurrent
// use.
type Writer struct {
	to      io.Writer
	mutex   sync.Mutex
	partial []byte // the first bytes of a character whose rest has not been written yet
}

// An OutputError is the error of a [Writer] that could not write.
type OutputError struct{ err error }

func (e *OutputError) Error() string {
	cause := e.err
	if file, ok := errors.AsType[*fs.PathError](cause); ok {
		cause = file.Err
	}
	return "the output cannot be written: " + cause.Error()
}

func (e *OutputError) Unwrap() error { return e.err }

// NewWriter returns a writer to w.
func NewWriter(w io.Writer) *Writer { return &Writer{to: w} }

// Raw returns the underlying writer, for bytes that are not text and for programs that draw
// on a terminal themselves.
func (w *Writer) Raw() io.Writer { return w.to }

// Write implements [io.Writer].
func (w *Writer) Write(b []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	text := append(w.partial, b...)
	end := len(text) - incomplete(text)
	w.partial = append([]byte(nil), text[end:]...)
	if _, err := io.WriteString(w.to, visible.Escape(string(text[:end]), "\n\t")); err != nil {
		return 0, &OutputError{err}
	}
	return len(b), nil
}

// incomplete returns how many bytes at the end belong to an incomplete character.
func incomplete(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if last := b[len(b)-n:]; utf8.RuneStart(last[0]) {
			if utf8.FullRune(last) {
				return 0
			}
			return n
		}
	}
	return 0
}

// Is reports whether a reader or writer is a terminal.
func Is(stream any) bool {
	if w, ok := stream.(*Writer); ok {
		stream = w.to
	}
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Fprintf is fmt.Fprintf with escaped arguments.
func Fprintf(w io.Writer, format string, args ...any) (int, error) {
	return fmt.Fprintf(w, format, escaped(args)...)
}

// Fprintln is fmt.Fprintln with escaped arguments.
func Fprintln(w io.Writer, args ...any) (int, error) { return fmt.Fprintln(w, escaped(args)...) }

func escaped(args []any) []any {
	result := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			result[i] = visible.Escape(arg, "")
		case error:
			result[i] = visible.Escape(arg.Error(), "")
		case fmt.Stringer:
			result[i] = visible.Escape(arg.String(), "")
		default:
			result[i] = arg
		}
	}
	return result
}

// Document writes a text of many lines, such as a readme. It escapes the text only if w
// writes to a terminal.
func Document(w io.Writer, text string) error {
	if t, ok := w.(*Writer); ok && !Is(t) {
		w = t.Raw()
	} else if ok {
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	if _, err := io.WriteString(w, text); err != nil {
		return &OutputError{err}
	}
	return nil
}

// Lines writes lines, each of them escaped.
func Lines(w io.Writer, lines []string) error {
	for _, line := range lines {
		if _, err := Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
