package check

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Kinds of nodes.
const (
	null   = jsontext.KindNull
	text   = jsontext.KindString
	number = jsontext.KindNumber
	object = jsontext.KindBeginObject
	list   = jsontext.KindBeginArray
)

// A node is a value of a JSON document. A nil node is an absent one.
type node struct {
	kind   jsontext.Kind
	text   string // of a string; a number as written
	keys   []string
	fields map[string]*node
	items  []*node
	line   int // counted from 1
}

// parse parses a whole document as JavaScript does: the last of several equal keys is used, and
// invalid UTF-8 becomes U+FFFD.
func parse(doc []byte) (*node, error) {
	r := reader{Decoder: jsontext.NewDecoder(bytes.NewReader(doc), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)), doc: doc, line: 1}
	n, err := r.value()
	if err != nil {
		return nil, err
	}
	if _, err := r.ReadToken(); err == nil {
		return nil, errTrailing{r.InputOffset()}
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return n, nil
}

// errTrailing is the error of a token after the document. offset is the end of the token.
type errTrailing struct{ offset int64 }

func (errTrailing) Error() string { return "more text after the end" }

type reader struct {
	*jsontext.Decoder
	doc  []byte
	at   int // offset up to which lines are counted
	line int // line at that offset
}

func (r *reader) value() (*node, error) {
	token, err := r.ReadToken()
	if err != nil {
		return nil, err
	}
	n := &node{kind: token.Kind(), line: r.currentLine()}
	switch n.kind {
	case object:
		return n, r.object(n)
	case list:
		return n, r.list(n)
	}
	n.text = token.String()
	return n, nil
}

// currentLine returns the line of the token just read. Tokens do not contain line breaks.
func (r *reader) currentLine() int {
	end := int(r.InputOffset())
	r.line += bytes.Count(r.doc[r.at:end], []byte("\n"))
	r.at = end
	return r.line
}

func (r *reader) object(n *node) error {
	n.fields = map[string]*node{}
	for r.PeekKind() != jsontext.KindEndObject {
		key, err := r.ReadToken()
		if err != nil {
			return err
		}
		name := key.String()
		v, err := r.value()
		if err != nil {
			return err
		}
		if n.fields[name] == nil {
			n.keys = append(n.keys, name)
		}
		n.fields[name] = v
	}
	_, err := r.ReadToken()
	return err
}

func (r *reader) list(n *node) error {
	for r.PeekKind() != jsontext.KindEndArray {
		v, err := r.value()
		if err != nil {
			return err
		}
		n.items = append(n.items, v)
	}
	_, err := r.ReadToken()
	return err
}

// at returns the field at a path of keys, or nil.
func (n *node) at(keys ...string) *node {
	for _, key := range keys {
		if n == nil {
			return nil
		}
		n = n.fields[key]
	}
	return n
}

func (n *node) absent() bool { return n == nil || n.kind == null }

func (n *node) is(kind jsontext.Kind) bool { return n != nil && n.kind == kind }

// truthy reports whether the value is true in JavaScript.
func (n *node) truthy() bool {
	switch {
	case n.absent() || n.kind == jsontext.KindFalse:
		return false
	case n.kind == text:
		return n.text != ""
	case n.kind == number:
		f, _ := strconv.ParseFloat(n.text, 64)
		return f != 0
	}
	return true
}

// string returns the text of a string, or "" for other values.
func (n *node) string() string {
	if n.is(text) {
		return n.text
	}
	return ""
}

// typeName returns the type of the value in words.
func (n *node) typeName() string {
	switch {
	case n == nil:
		return "missing"
	case n.kind == text:
		return "a string"
	case n.kind == number:
		return "a number"
	case n.kind == object:
		return "an object"
	case n.kind == list:
		return "a list"
	}
	return n.kind.String()
}

// each calls f with each item or field of the value, and its full name.
func (n *node) each(name string, f func(name string, v *node)) {
	for i, v := range n.items {
		f(fmt.Sprintf("%s[%d]", name, i), v)
	}
	for _, key := range n.keys {
		f(join(name, key), n.fields[key])
	}
}

func join(name, key string) string {
	if name == "" {
		return key
	}
	return name + "." + key
}
