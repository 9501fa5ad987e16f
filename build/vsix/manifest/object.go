package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// object is a JSON object whose fields are taken if they have the type that is
// asked for, and are absent otherwise. encoding/json's structs would match keys
// without regard to case, which editors do not.
type object struct {
	fields map[string]json.RawMessage
	words  map[string]string // translations of %key% texts
	exact  bool              // read as vsce does, see ForPacking
}

// parseObject reads the whole of text.
func parseObject(text []byte) (object, error) {
	var o object
	err := json.Unmarshal(text, &o.fields)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		line := 1 + bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n"))
		return object{}, fmt.Errorf("line %d: %w", line, err)
	}
	if err != nil || o.fields == nil {
		return object{}, errors.New("not a JSON object")
	}
	return o, nil
}

// decode reads a field, or as much of it as fits T.
func decode[T any](o object, key string) (v T, ok bool) {
	raw, present := o.fields[key]
	if !present {
		return v, false
	}
	return v, json.Unmarshal(raw, &v) == nil
}

// has tells whether the field is present, whatever its value.
func (o object) has(key string) bool {
	_, ok := o.fields[key]
	return ok
}

// truthy tells whether JavaScript would take the field for true.
func (o object) truthy(key string) bool {
	v, ok := decode[any](o, key)
	return ok && v != nil && v != false && v != "" && v != 0.0
}

var placeholder = regexp.MustCompile(`^%([^%\s]+)%$`)

// present tells whether the field has a value, which null is not.
func (o object) present(key string) bool {
	v, ok := decode[any](o, key)
	return ok && v != nil
}

// either returns the first of the keys that is present, else the last: what
// JavaScript's ?? picks.
func (o object) either(keys ...string) string {
	for _, key := range keys {
		if o.present(key) {
			return key
		}
	}
	return keys[len(keys)-1]
}

// str returns a field that is a string, translated.
func (o object) str(key string) (string, bool) { return o.readString(o.fields[key]) }

// text returns a field's text, translated; "" if it has none.
func (o object) text(key string) string { return o.read(o.fields[key]) }

// some returns a field's text if JavaScript would take the field for true.
func (o object) some(key string) string {
	if !o.truthy(key) {
		return ""
	}
	return o.text(key)
}

func (o object) readString(raw json.RawMessage) (string, bool) {
	var s *string
	if json.Unmarshal(raw, &s) != nil || s == nil {
		if o.exact {
			return "", false
		}
		return localized(raw)
	}
	if o.exact {
		return strings.Map(keepAllowed, *s), true
	}
	return o.translate(*s), true
}

func (o object) read(raw json.RawMessage) string {
	s, ok := o.readString(raw)
	if !ok && o.exact {
		return printed(raw)
	}
	return s
}

func (o object) translate(s string) string {
	if m := placeholder.FindStringSubmatch(s); m != nil {
		if word, ok := o.words[m[1]]; ok {
			return word
		}
	}
	return s
}

func (o object) list(key string) []json.RawMessage {
	l, _ := decode[[]json.RawMessage](o, key)
	return l
}

// texts returns the texts of a list, translated. Empty ones are left out, but
// for packing.
func (o object) texts(key string) []string {
	var texts []string
	for _, raw := range o.list(key) {
		if s := o.read(raw); s != "" || o.exact {
			texts = append(texts, s)
		}
	}
	return texts
}

// object returns an object field; an absent one is empty.
func (o object) object(key string) object {
	fields, _ := decode[map[string]json.RawMessage](o, key)
	return object{fields, o.words, o.exact}
}

// objects returns the objects of a list.
func (o object) objects(key string) []object {
	var objects []object
	for _, raw := range o.list(key) {
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) == nil && fields != nil {
			objects = append(objects, object{fields, o.words, o.exact})
		}
	}
	return objects
}
