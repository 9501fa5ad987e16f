package jsonc

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/tailscale/hujson"

	"galbuild/build/similar"
	"galbuild/build/units"
)

// A Reader returns the values of a document, and collects what is wrong with them. Its methods
// return a zero value in place of a wrong one.
type Reader struct {
	*Document
	problems []problem
}

// A problem is a mistake in a document.
type problem struct {
	line int
	text string
}

// A Field is a value in a document, and where it is.
type Field struct {
	Key   string // such as keep.last; "" for the whole document
	Name  string // the last part of Key
	Line  int
	Value hujson.Value
}

// NewReader parses a text and returns its value, which may be of any kind. The name is for errors.
func NewReader(name string, text []byte) (*Reader, Field, error) {
	parsed, err := Parse(name, text)
	if err != nil {
		return nil, Field{}, err
	}
	r := &Reader{Document: parsed}
	return r, Field{Value: parsed.Root, Line: r.Document.Line(parsed.Root.StartOffset)}, nil
}

// Problem records what is wrong with the value of a field.
func (r *Reader) Problem(f Field, format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	if f.Key != "" {
		reason = f.Key + ": " + reason
	}
	r.problems = append(r.problems, problem{f.Line, reason})
}

// maxProblems is how many problems of a document are printed.
const maxProblems = 20

// Err returns all problems in the order of their lines, or nil.
func (r *Reader) Err() error {
	slices.SortStableFunc(r.problems, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	var all []error
	for i, p := range r.problems {
		if i == maxProblems {
			all = append(all, fmt.Errorf("%s: and %d more mistakes", r.Name, len(r.problems)-i))
			break
		}
		all = append(all, fmt.Errorf("%s:%d: %s", r.Name, p.line, p.text))
	}
	return errors.Join(all...)
}

// Show returns a value for a message.
func (r *Reader) Show(f Field) string {
	const most = 40
	text := []rune(string(bytes.Join(bytes.Fields(r.Text[f.Value.StartOffset:f.Value.EndOffset]), []byte(" "))))
	if len(text) > most {
		text = append(text[:most:most], '…')
	}
	return string(text)
}

// Members returns the members of an object in their order. If names are given, it must have no
// others.
func (r *Reader) Members(f Field, names ...string) (all []Field) {
	object, ok := f.Value.Value.(*hujson.Object)
	if !ok {
		r.Problem(f, "want an object, found %s", r.Show(f))
		return nil
	}
	seen := make(map[string]int)
	for _, m := range object.Members {
		name := m.Name.Value.(hujson.Literal).String()
		x := Field{Key: name, Name: name, Line: r.Line(m.Name.StartOffset), Value: m.Value}
		if f.Key != "" {
			x.Key = f.Key + "." + name
		}
		first, again := seen[name]
		switch {
		case again:
			r.Problem(x, "is given twice, first on line %d", first)
		case len(names) > 0 && !slices.Contains(names, name):
			x.Key = f.Key
			r.Problem(x, "there is no key %.100q%s", name, OrOneOf(name, names))
		default:
			seen[name] = x.Line
			all = append(all, x)
		}
	}
	return all
}

// OrOneOf returns a question for the most similar name, or else all names.
func OrOneOf(name string, names []string) string {
	return cmp.Or(similar.Question(name, names), "; want "+OneOf(names))
}

// OneOf returns "a, b or c".
func OneOf(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// Elements returns the elements of a list.
func (r *Reader) Elements(f Field) (all []Field) {
	list, ok := f.Value.Value.(*hujson.Array)
	if !ok {
		r.Problem(f, "want a list in square brackets, found %s", r.Show(f))
		return nil
	}
	for _, e := range list.Elements {
		all = append(all, Field{Key: f.Key, Name: f.Name, Line: r.Line(e.StartOffset), Value: e})
	}
	return all
}

// String returns a string, which must not be empty or have control characters. want is for errors.
func (r *Reader) String(f Field, want string) (string, bool) {
	literal, ok := f.Value.Value.(hujson.Literal)
	if !ok || literal.Kind() != '"' || literal.String() == "" {
		r.Problem(f, "want %s, found %s", want, r.Show(f))
		return "", false
	}
	s := literal.String()
	if strings.ContainsFunc(s, unicode.IsControl) {
		r.Problem(f, "has a control character: %.100q", s)
		return "", false
	}
	return s, true
}

// Bool returns true or false.
func (r *Reader) Bool(f Field) bool {
	literal, ok := f.Value.Value.(hujson.Literal)
	if !ok || literal.Kind() != 't' && literal.Kind() != 'f' {
		r.Problem(f, "want true or false, found %s", r.Show(f))
		return false
	}
	return literal.Bool()
}

// MaxCount is the largest number that Count accepts.
const MaxCount = 1_000_000_000

// Count returns a whole number from 1 on.
func (r *Reader) Count(f Field) int {
	literal, ok := f.Value.Value.(hujson.Literal)
	n := 0
	if ok && literal.Kind() == '0' && !strings.ContainsAny(string(literal), ".eE") {
		n = int(literal.Int())
	}
	if n < 1 || n > MaxCount {
		r.Problem(f, "want a whole number from 1 to %d, found %s", MaxCount, r.Show(f))
	}
	return n
}

// goodSize has fewer forms than sizes of flags have, so that a schema can describe them.
var goodSize = regexp.MustCompile(`^[0-9]{1,12}([kKMGT]i?)?B$`)

// Size returns a size in bytes.
func (r *Reader) Size(f Field) int64 {
	const want = `a size such as "500KB", "10MB" or "4GiB"`
	s, ok := r.String(f, want)
	if !ok {
		return 0
	}
	n, err := units.ParseSize(s)
	if err != nil || n < 1 || !goodSize.MatchString(s) {
		r.Problem(f, "want %s, found %.100q", want, s)
		return 0
	}
	return n
}
