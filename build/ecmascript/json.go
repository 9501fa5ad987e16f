package ecmascript

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// An object is the members of a JSON object, in the order of JavaScript.
type object []member

type member struct {
	name  string
	value any // object, []any or jsontext.Value
}

// SetMember returns a JSON object in which one member is set to a string, indented by two spaces.
// Keys that are array indexes come first, and the others keep their order. Of equal keys, the last
// is used. Numbers are written as JavaScript writes them.
// Source: ECMAScript 2024, OrdinaryOwnPropertyKeys and SerializeJSONProperty.
func SetMember(text []byte, name, value string) ([]byte, error) {
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	v, err := read(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the JSON value")
	}
	o, ok := v.(object)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	quoted, err := jsontext.AppendQuote(nil, value)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = write(&b, o.set(name, jsontext.Value(quoted)), "\n")
	return b.Bytes(), err
}

func read(d *jsontext.Decoder) (any, error) {
	switch d.PeekKind() {
	case '{':
		return readObject(d)
	case '[':
		return readArray(d)
	}
	v, err := d.ReadValue()
	return v.Clone(), err
}

func readObject(d *jsontext.Decoder) (object, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	o := object{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String()
		value, err := read(d)
		if err != nil {
			return nil, err
		}
		o = o.set(key, value)
	}
	slices.SortStableFunc(o, func(a, b member) int { return cmp.Compare(index(a.name), index(b.name)) })
	_, err := d.ReadToken()
	return o, err
}

func readArray(d *jsontext.Decoder) ([]any, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	array := []any{}
	for d.PeekKind() != ']' {
		v, err := read(d)
		if err != nil {
			return nil, err
		}
		array = append(array, v)
	}
	_, err := d.ReadToken()
	return array, err
}

func (o object) set(name string, value any) object {
	if i := slices.IndexFunc(o, func(m member) bool { return m.name == name }); i >= 0 {
		o[i].value = value
		return o
	}
	return append(o, member{name, value})
}

// index returns the array index that a key is, or a larger number if it is not one.
func index(key string) uint64 {
	const none = 1<<32 - 1
	n, err := strconv.ParseUint(key, 10, 32)
	if err != nil || strconv.FormatUint(n, 10) != key {
		return none
	}
	return n
}

// write appends v; newline is a line end and the indentation of v.
func write(b *bytes.Buffer, v any, newline string) error {
	deeper := newline + "  "
	switch v := v.(type) {
	case object:
		return writeList(b, "{", "}", newline, len(v), func(i int) error {
			quoted, err := jsontext.AppendQuote(nil, v[i].name)
			b.Write(quoted)
			b.WriteString(": ")
			return errors.Join(err, write(b, v[i].value, deeper))
		})
	case []any:
		return writeList(b, "[", "]", newline, len(v), func(i int) error { return write(b, v[i], deeper) })
	case jsontext.Value:
		if v.Kind() == '0' && infinite(v) {
			v = jsontext.Value("null")
		}
		err := v.Canonicalize(jsontext.AllowInvalidUTF8(true)) // RFC 8785 writes numbers as JSON.stringify does
		b.Write(v)
		return err
	}
	return nil
}

// infinite reports whether a number is infinite in JavaScript, because it is too large.
func infinite(number jsontext.Value) bool {
	_, err := strconv.ParseFloat(string(number), 64)
	return errors.Is(err, strconv.ErrRange)
}

// writeList writes n items between open and end, each on a line.
func writeList(b *bytes.Buffer, open, end, newline string, n int, item func(i int) error) error {
	b.WriteString(open)
	for i := range n {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(newline + "  ")
		if err := item(i); err != nil {
			return err
		}
	}
	if n > 0 {
		b.WriteString(newline)
	}
	b.WriteString(end)
	return nil
}
