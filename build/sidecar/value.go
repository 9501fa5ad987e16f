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

// A value is a value in a valid JSON text.
type value struct{ gjson.Result }

// get returns the value of a key in any case of letters, or an absent value.
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

// absent reports whether a value is missing, null, or an empty string.
func (v value) absent() bool {
	return v.Type == gjson.Null || v.Type == gjson.String && strings.TrimSpace(v.Str) == ""
}

// text returns a string without surrounding white space, or "" for other kinds of values.
func (v value) text() string {
	if v.Type != gjson.String {
		return ""
	}
	return strings.TrimSpace(v.Str)
}

// object returns v, or its element if v is a list of one.
func (v value) object() value {
	if list := v.Array(); v.IsArray() && len(list) == 1 {
		return value{list[0]}
	}
	return v
}

// list returns the elements of a list. For a single value, it returns a list of one.
func (v value) list() []value {
	if v.IsArray() {
		return each(v, func(v value) value { return v })
	}
	if v.absent() {
		return nil
	}
	return []value{v}
}

// short returns the JSON of a value for a message, cut after 60 bytes.
func (v value) short() string {
	const maxLen = 60 // bytes
	text := strings.Join(strings.Fields(v.Raw), " ")
	if len(text) <= maxLen {
		return text
	}
	end := maxLen
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// number returns a number of at least 0. Some galleries write numbers as strings.
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

// count returns a number without its fraction. The Marketplace writes 12.0.
func (v value) count() (int64, bool) {
	n, ok := v.number()
	return int64(n), ok && n < 1<<53
}

// flag returns a boolean, which may be written as a string. An absent value is false.
func (v value) flag() (yes, ok bool) {
	switch {
	case v.Type == gjson.True, strings.EqualFold(v.text(), "true"):
		return true, true
	case v.Type == gjson.False, strings.EqualFold(v.text(), "false"), v.absent():
		return false, true
	}
	return false, false
}

// uuid returns a UUID in lower case, because editors compare UUIDs case-sensitively. It returns
// "" for the UUID of zeros, which .NET writes if there is none.
func (v value) uuid() (string, bool) {
	id, err := uuid.Parse(v.text())
	if id == uuid.Nil {
		return "", err == nil
	}
	return id.String(), err == nil
}

// layouts are the accepted formats of dates. A time without a zone is UTC.
var layouts = [...]string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly}

// date returns a date in UTC and whole seconds. It returns nil for the year 1, which .NET writes
// if there is no date.
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
