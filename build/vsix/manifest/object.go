package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

// object is a JSON object whose fields are taken if they have the type that is
// asked for, and are absent otherwise. encoding/json's structs would match keys
// without regard to case, which editors do not.
type object struct {
	fields map[string]json.RawMessage
	words  map[string]string // translations of %key% texts
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

// text returns a string field, translated.
func (o object) text(key string) string {
	s, _ := decode[string](o, key)
	return o.translate(s)
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

// texts returns the strings of a list, translated; empty ones are left out.
func (o object) texts(key string) []string {
	var texts []string
	for _, raw := range o.list(key) {
		var s string
		if json.Unmarshal(raw, &s) == nil && s != "" {
			texts = append(texts, o.translate(s))
		}
	}
	return texts
}

// object returns an object field; an absent one is empty.
func (o object) object(key string) object {
	fields, _ := decode[map[string]json.RawMessage](o, key)
	return object{fields, o.words}
}

// objects returns the objects of a list.
func (o object) objects(key string) []object {
	var objects []object
	for _, raw := range o.list(key) {
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) == nil && fields != nil {
			objects = append(objects, object{fields, o.words})
		}
	}
	return objects
}
