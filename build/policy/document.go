package policy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/tailscale/hujson"

	"galbuild/build/jsonc"
	"galbuild/build/similar"
)

// A document is a JSON text with comments while it is read. It collects what is wrong with it.
type document struct {
	*jsonc.Document
	problems []problem
}

// A problem is a mistake in a document.
type problem struct {
	line int
	text string
}

// A field is a value in a document, and where it is.
type field struct {
	key   string // such as keep.last; "" for the whole document
	name  string // the last part of key
	line  int
	value hujson.Value
}

// newDocument parses a text, which must be an object.
func newDocument(name string, text []byte) (*document, field, error) {
	if len(text) > MaxText {
		return nil, field{}, errTooLarge(name, len(text))
	}
	d, root, err := parseDocument(name, text)
	if err == nil && root.value.Value.Kind() != '{' {
		err = fmt.Errorf(`%s:%d: want an object such as {"deny": ["acme.bad"]}, found %s`, name, root.line, d.show(root))
	}
	return d, root, err
}

// parseDocument parses a text with any value.
func parseDocument(name string, text []byte) (*document, field, error) {
	parsed, err := jsonc.Parse(name, text)
	if err != nil {
		return nil, field{}, err
	}
	d := &document{Document: parsed}
	return d, field{value: parsed.Root, line: d.Line(parsed.Root.StartOffset)}, nil
}

func errTooLarge(name string, size int) error {
	return fmt.Errorf("%s: %d bytes with its lists and its logo, more than the limit of %d", name, size, MaxText)
}

// problem records what is wrong with the value of a field.
func (d *document) problem(f field, format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	if f.key != "" {
		reason = f.key + ": " + reason
	}
	d.problems = append(d.problems, problem{f.line, reason})
}

// maxProblems is how many problems of a document are printed.
const maxProblems = 20

// err returns all problems in the order of their lines, or nil.
func (d *document) err() error {
	slices.SortStableFunc(d.problems, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	var all []error
	for i, p := range d.problems {
		if i == maxProblems {
			all = append(all, fmt.Errorf("%s: and %d more mistakes", d.Name, len(d.problems)-i))
			break
		}
		all = append(all, fmt.Errorf("%s:%d: %s", d.Name, p.line, p.text))
	}
	return errors.Join(all...)
}

// show returns a value for a message.
func (d *document) show(f field) string {
	const most = 40
	text := []rune(string(bytes.Join(bytes.Fields(d.Text[f.value.StartOffset:f.value.EndOffset]), []byte(" "))))
	if len(text) > most {
		text = append(text[:most:most], '…')
	}
	return string(text)
}

// members returns the members of an object in their order. If names are given, it must have no
// others.
func (d *document) members(f field, names ...string) (all []field) {
	object, ok := f.value.Value.(*hujson.Object)
	if !ok {
		d.problem(f, "want an object, found %s", d.show(f))
		return nil
	}
	seen := make(map[string]int)
	for _, m := range object.Members {
		name := m.Name.Value.(hujson.Literal).String()
		x := field{key: name, name: name, line: d.Line(m.Name.StartOffset), value: m.Value}
		if f.key != "" {
			x.key = f.key + "." + name
		}
		first, again := seen[name]
		switch {
		case again:
			d.problem(x, "is given twice, first on line %d", first)
		case len(names) > 0 && !slices.Contains(names, name):
			x.key = f.key
			d.problem(x, "there is no key %.100q%s", name, orOneOf(name, names))
		default:
			seen[name] = x.line
			all = append(all, x)
		}
	}
	return all
}

// orOneOf returns a question for the most similar name, or else all names.
func orOneOf(name string, names []string) string {
	return cmp.Or(similar.Question(name, names), "; want "+oneOf(names))
}

// oneOf returns "a, b or c".
func oneOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// elements returns the elements of a list.
func (d *document) elements(f field) (all []field) {
	list, ok := f.value.Value.(*hujson.Array)
	if !ok {
		d.problem(f, "want a list in square brackets, found %s", d.show(f))
		return nil
	}
	for _, e := range list.Elements {
		all = append(all, field{key: f.key, name: f.name, line: d.Line(e.StartOffset), value: e})
	}
	return all
}

// string returns a string, which must not be empty or have control characters. want is for errors.
func (d *document) string(f field, want string) (string, bool) {
	literal, ok := f.value.Value.(hujson.Literal)
	if !ok || literal.Kind() != '"' || literal.String() == "" {
		d.problem(f, "want %s, found %s", want, d.show(f))
		return "", false
	}
	s := literal.String()
	if strings.ContainsFunc(s, unicode.IsControl) {
		d.problem(f, "has a control character: %.100q", s)
		return "", false
	}
	return s, true
}

// bool returns true or false.
func (d *document) bool(f field) bool {
	literal, ok := f.value.Value.(hujson.Literal)
	if !ok || literal.Kind() != 't' && literal.Kind() != 'f' {
		d.problem(f, "want true or false, found %s", d.show(f))
		return false
	}
	return literal.Bool()
}

// maxCount is the largest number in a policy.
const maxCount = 1_000_000_000

// count returns a whole number from 1 on.
func (d *document) count(f field) int {
	literal, ok := f.value.Value.(hujson.Literal)
	n := 0
	if ok && literal.Kind() == '0' && !strings.ContainsAny(string(literal), ".eE") {
		n = int(literal.Int())
	}
	if n < 1 || n > maxCount {
		d.problem(f, "want a whole number from 1 to %d, found %s", maxCount, d.show(f))
	}
	return n
}
