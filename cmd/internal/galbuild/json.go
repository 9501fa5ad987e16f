package galbuild

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"

	"galbuild/build/jsondoc"
	"galbuild/cmd/internal/hint"
)

// A failure has the first keys of the JSON document of a command that failed.
type failure struct {
	Error string `json:"error"`
	Hint  string `json:"hint"` // "" if there is none
}

// printJSON makes v, which must be encoded as an object, the JSON document of the command. It
// is printed when the command ends, because the document of a command that fails also has the
// error.
func (e *env) printJSON(v any) (err error) {
	e.document, err = encodeJSON(v)
	return err
}

// addJSON adds the keys of v, which must be encoded as an object, to the JSON document.
func (e *env) addJSON(v any) error {
	text, err := encodeJSON(v)
	if err == nil {
		e.document = join(e.document, text)
	}
	return err
}

// writeDocument prints the JSON document of the command with --json. If failed is not nil, the
// document begins with the error, even if the command has no document of its own.
func (e *env) writeDocument(failed error) error {
	text := e.document
	e.document = nil
	if !e.json || text == nil && failed == nil {
		return nil
	}
	if failed != nil {
		message, next := hint.Text(failed)
		start, err := encodeJSON(failure{message, next})
		if err != nil {
			return err
		}
		text = join(start, text)
	}
	text, err := jsondoc.Indented(json.RawMessage(text))
	if err != nil {
		return err
	}
	_, err = e.stdout.Write(text)
	return err
}

// encodeJSON encodes v without a newline at the end.
func encodeJSON(v any) ([]byte, error) {
	line, err := jsondoc.Line(v)
	return bytes.TrimSuffix(line, []byte("\n")), err
}

// join returns a JSON object with the keys of a, which is not empty, and then those of b, which may
// be nil.
func join(a, b []byte) []byte {
	if b == nil || string(b) == "{}" {
		return a
	}
	return slices.Concat(a[:len(a)-1], []byte(","), b[1:])
}

// wantsJSON reports whether --json is set, even if the command line cannot be parsed.
func wantsJSON(args []string) bool {
	wanted := isYes(os.Getenv("GALBUILD_JSON"))
	for _, arg := range args {
		name, value, hasValue := strings.Cut(arg, "=")
		switch {
		case arg == "--":
			return wanted
		case name == "--json":
			wanted = !hasValue || isYes(value)
		}
	}
	return wanted
}

// isYes reports whether Kong reads a value as true.
func isYes(s string) bool { return slices.Contains([]string{"true", "1", "yes"}, strings.ToLower(s)) }
