package query

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// scanner reads JSON in one pass, as far as it goes: what it cannot read, and the
// place where a text was cut off, are its end. It does not recurse by itself, so
// nesting costs a hostile body nothing but its own length.
type scanner struct {
	text string
	at   int
}

// peek returns the first byte of what comes next, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// stop makes this the end.
func (s *scanner) stop() { s.at = len(s.text) }

// object reads an object, whose opening brace is next. It calls member behind each
// key, to read the value. It reports whether the closing brace was there.
func (s *scanner) object(member func(key string)) bool {
	s.at++
	for {
		switch s.peek() {
		case '"':
			key := s.quoted()
			if s.peek() != ':' {
				s.stop()
				return false
			}
			s.at++
			member(key)
		case ',':
			s.at++
		case '}':
			s.at++
			return true
		default:
			s.stop()
			return false
		}
	}
}

// objects reads an array and calls element at the opening brace of each object in
// it, to read that. Everything else, in it or in its place, is passed over.
func (s *scanner) objects(element func()) {
	if s.peek() != '[' {
		s.skip()
		return
	}
	s.at++
	for {
		switch s.peek() {
		case '{':
			element()
		case ',':
			s.at++
		case ']':
			s.at++
			return
		case 0:
			return
		default:
			s.skip()
		}
	}
}

// number reads a whole number, or a string that holds one; anything else is 0. A
// number at the very end may lack digits and counts as none.
func (s *scanner) number() int64 {
	if s.peek() == '"' {
		n, _ := strconv.ParseInt(strings.TrimSpace(s.quoted()), 10, 64)
		return n
	}
	text := s.raw()
	if s.at == len(s.text) {
		return 0
	}
	text = text[:min(len(text), maxNumberLength)]
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // then it is infinite
		return 0
	}
	return int64(max(math.MinInt32, min(f, math.MaxInt32)))
}

// value reads a value as text: what a string says, nothing for null, anything
// else as it is written.
func (s *scanner) value() string {
	if s.peek() == '"' {
		return s.quoted()
	}
	text := s.raw()
	if text == "null" {
		return ""
	}
	return text
}

// skip passes over a value.
func (s *scanner) skip() { s.raw() }

// raw reads a value of any kind as it is written.
func (s *scanner) raw() string {
	first := s.peek()
	start := s.at
	switch first {
	case '"':
		s.span()
	case '{', '[':
		s.nested()
	default:
		for s.at < len(s.text) && !ends(s.text[s.at]) {
			s.at++
		}
		if s.at == start { // a bracket that nothing opened
			s.stop()
		}
	}
	return s.text[start:s.at]
}

// ends tells whether c cannot be part of a number, true, false or null.
func ends(c byte) bool {
	switch c {
	case ',', ':', '"', '{', '}', '[', ']', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

// nested passes over an object or an array.
func (s *scanner) nested() {
	for depth := 0; s.at < len(s.text); {
		switch s.text[s.at] {
		case '"':
			s.span()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.at++
		if depth == 0 {
			return
		}
	}
}

// longest is how much of a string with escapes is read, in bytes as it is written: an
// escape of six bytes may stand for one.
const longest = 6 * (MaxLength + 1)

// quoted reads a string, whose opening quote is next. One without a closing quote
// is empty. Of a very long one with escapes, only the beginning is read.
func (s *scanner) quoted() string {
	start := s.at
	end, escapes := s.span()
	switch text := s.text[start:s.at]; {
	case end == start:
		return ""
	case !escapes:
		return text[1 : len(text)-1]
	case end < s.at-1:
		return gjson.Parse(s.text[start:end] + `"`).Str
	default:
		return gjson.Parse(text).Str
	}
}

// span returns the end of a string, whose opening quote is next, and whether it has
// escapes. The end is the closing quote, the opening quote if there is no closing one, or
// an earlier position in a string with escapes that is longer than longest.
func (s *scanner) span() (end int, escapes bool) {
	open := s.at
	length := strings.IndexByte(s.text[open+1:], '"')
	if length >= 0 && strings.IndexByte(s.text[open+1:open+1+length], '\\') < 0 {
		s.at = open + length + 2
		return s.at - 1, false
	}
	for s.at++; s.at < len(s.text); s.at++ {
		if s.at-open <= longest {
			end = s.at
		}
		switch s.text[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return end, true
		}
	}
	s.stop()
	return open, true
}
