package sidecar

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/tidwall/gjson"
)

// A value is one of a JSON text that is known to be valid.
type value struct{ gjson.Result }

// get returns the value of a key, in any case of letters. One that is missing is absent.
func (v value) get(key string) (found value) {
	if !v.IsObject() {
		return value{}
	}
	v.ForEach(func(k, x gjson.Result) bool {
		if strings.EqualFold(k.String(), key) {
			found = value{x}
		}
		return true
	})
	return found
}

// absent tells whether there is nothing to read: no value, null, or an empty text.
func (v value) absent() bool {
	return v.Type == gjson.Null || v.Type == gjson.String && strings.TrimSpace(v.Str) == ""
}

// text returns a text, or "" if it is another kind of value.
func (v value) text() string {
	if v.Type != gjson.String {
		return ""
	}
	return strings.TrimSpace(v.Str)
}

// object returns an object, or the only one in a list.
func (v value) object() value {
	if list := v.Array(); v.IsArray() && len(list) == 1 {
		return value{list[0]}
	}
	return v
}

// list returns the values of a list. A single value is a list of one.
func (v value) list() []value {
	if v.IsArray() {
		return each(v, func(v value) value { return v })
	}
	if v.absent() {
		return nil
	}
	return []value{v}
}

// short returns the value for a message.
func (v value) short() string {
	const most = 60
	text := strings.Join(strings.Fields(v.Raw), " ")
	if len(text) <= most {
		return text
	}
	end := most
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// number returns a number that is not negative. Some galleries write it as text.
func (v value) number() (float64, bool) {
	n, err := v.Num, error(nil)
	switch v.Type {
	case gjson.Number:
	case gjson.String:
		n, err = strconv.ParseFloat(v.text(), 64)
	default:
		return 0, false
	}
	return n, err == nil && n >= 0 && !math.IsInf(n, 0)
}

// count returns a whole number. The Marketplace writes 12.0.
func (v value) count() (int64, bool) {
	n, ok := v.number()
	return int64(n), ok && n < 1<<53
}

// flag returns a boolean, which may be written as text.
func (v value) flag() (yes, ok bool) {
	switch {
	case v.Type == gjson.True, strings.EqualFold(v.text(), "true"):
		return true, true
	case v.Type == gjson.False, strings.EqualFold(v.text(), "false"), v.absent():
		return false, true
	}
	return false, false
}

// uuid returns a UUID in lower case, as editors compare it letter by letter; "" for the one of
// zeros, by which .NET says that there is none.
func (v value) uuid() (string, bool) {
	id, err := uuid.Parse(v.text())
	if id == uuid.Nil {
		return "", err == nil
	}
	return id.String(), err == nil
}

// layouts are those of dates. A time without a zone is UTC.
var layouts = [...]string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly}

// date returns a date in UTC and whole seconds; nil for the year 1, by which .NET says that
// there is none.
func (v value) date() (*time.Time, bool) {
	for _, layout := range layouts {
		t, err := time.Parse(layout, v.text())
		if err != nil {
			continue
		}
		t = t.UTC().Truncate(time.Second)
		switch year := t.Year(); {
		case year <= 1:
			return nil, true
		case year <= 9999:
			return &t, true
		}
		return nil, false
	}
	return nil, false
}
