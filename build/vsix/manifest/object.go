package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"galbuild/build/jsondoc"
)

// object is a JSON object. A field of another type than the requested one is treated as missing. It
// is not decoded into a struct, because encoding/json matches keys in any case, and editors do not.
type object struct {
	fields       map[string]json.RawMessage
	translations map[string]string // by key
	exact        bool              // values are read as by vsce, see ForPacking
}

// parseObject parses a JSON object, which must be all of text.
func parseObject(text []byte) (object, error) {
	var o object
	err := json.Unmarshal(text, &o.fields)
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return object{}, fmt.Errorf("it %w", jsondoc.Explain(text, err))
	}
	if err != nil || o.fields == nil {
		return object{}, errors.New("not a JSON object")
	}
	return o, nil
}

// decode decodes a field. If it is not a T, ok is false, and v may contain a part of it.
func decode[T any](o object, key string) (v T, ok bool) {
	raw, present := o.fields[key]
	if !present {
		return v, false
	}
	return v, json.Unmarshal(raw, &v) == nil
}

// has reports whether the object has the key, even if its value is null.
func (o object) has(key string) bool {
	_, ok := o.fields[key]
	return ok
}

// truthy reports whether the value is true in a condition of JavaScript.
func (o object) truthy(key string) bool {
	v, ok := decode[any](o, key)
	return ok && v != nil && v != false && v != "" && v != 0.0
}

var placeholder = regexp.MustCompile(`^%([^%\s]+)%$`)

// present reports whether the field has a value other than null.
func (o object) present(key string) bool {
	v, ok := decode[any](o, key)
	return ok && v != nil
}

// either returns the first key that is present, or the last key, like the operator ?? of
// JavaScript.
func (o object) either(keys ...string) string {
	for _, key := range keys {
		if o.present(key) {
			return key
		}
	}
	return keys[len(keys)-1]
}

// str returns the translated value of a field that is a string.
func (o object) str(key string) (string, bool) { return o.readString(o.fields[key]) }

// text returns the translated text of a field, or "" if it has none.
func (o object) text(key string) string { return o.read(o.fields[key]) }

// truthyText returns the text of a field if it is truthy, and otherwise "".
func (o object) truthyText(key string) string {
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
		if word, ok := o.translations[m[1]]; ok {
			return word
		}
	}
	return s
}

func (o object) list(key string) []json.RawMessage {
	l, _ := decode[[]json.RawMessage](o, key)
	return l
}

// texts returns the translated texts of a list. Empty texts are left out, except for packing.
func (o object) texts(key string) []string {
	var texts []string
	for _, raw := range o.list(key) {
		if s := o.read(raw); s != "" || o.exact {
			texts = append(texts, s)
		}
	}
	return texts
}

// object returns the object of a field, which is empty if there is none.
func (o object) object(key string) object {
	fields, _ := decode[map[string]json.RawMessage](o, key)
	return object{fields, o.translations, o.exact}
}

// objects returns the objects of a list.
func (o object) objects(key string) []object {
	var objects []object
	for _, raw := range o.list(key) {
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) == nil && fields != nil {
			objects = append(objects, object{fields, o.translations, o.exact})
		}
	}
	return objects
}
