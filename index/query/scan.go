package query

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// scanner reads JSON in one pass. It stops at the first syntax error, as if the text ended
// there. It is not recursive, so deeply nested JSON does not use more memory.
type scanner struct {
	text string
	at   int
}

// peek skips white space and returns the next byte, or 0 at the end.
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

// stop moves to the end of the text.
func (s *scanner) stop() { s.at = len(s.text) }

// object reads an object, whose opening brace is next. It calls member after each key, to
// read the value. It reports whether the object has a closing brace.
func (s *scanner) object(member func(key string)) bool {
	s.at++
	for {
		switch s.peek() {
		case '"':
			key := s.readString()
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

// objects reads an array. It calls element at the opening brace of each object in it, to
// read the object. Other elements, and any value that is not an array, are skipped.
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

// number reads an integer, or a string that contains one. Any other value is 0. So is a
// number at the end of the text, which may lack digits.
func (s *scanner) number() int64 {
	if s.peek() == '"' {
		n, _ := strconv.ParseInt(strings.TrimSpace(s.readString()), 10, 64)
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
	if err != nil && !errors.Is(err, strconv.ErrRange) { // a number out of range is infinite
		return 0
	}
	return int64(max(math.MinInt32, min(f, math.MaxInt32)))
}

// value reads a value as text: the content of a string, nothing for null, and any other
// value as it is written.
func (s *scanner) value() string {
	if s.peek() == '"' {
		return s.readString()
	}
	text := s.raw()
	if text == "null" {
		return ""
	}
	return text
}

// skip skips a value.
func (s *scanner) skip() { s.raw() }

// raw reads a value of any kind and returns it as it is written.
func (s *scanner) raw() string {
	first := s.peek()
	start := s.at
	switch first {
	case '"':
		s.scanString()
	case '{', '[':
		s.nested()
	default:
		for s.at < len(s.text) && !isDelimiter(s.text[s.at]) {
			s.at++
		}
		if s.at == start { // an unmatched bracket
			s.stop()
		}
	}
	return s.text[start:s.at]
}

// isDelimiter reports whether c ends a number, true, false or null.
func isDelimiter(c byte) bool {
	switch c {
	case ',', ':', '"', '{', '}', '[', ']', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

// nested skips an object or an array.
func (s *scanner) nested() {
	for depth := 0; s.at < len(s.text); {
		switch s.text[s.at] {
		case '"':
			s.scanString()
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

// maxEscaped limits how many bytes of a string with escapes are read, before unescaping: an
// escape sequence of six bytes may encode one byte.
const maxEscaped = 6 * (MaxLength + 1)

// readString reads a string, whose opening quote is next. A string without a closing quote
// is empty. If a string with escapes is longer than maxEscaped, only its beginning is read.
func (s *scanner) readString() string {
	start := s.at
	end, escapes := s.scanString()
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

// scanString skips a string, whose opening quote is next. It returns the end of its content, and
// whether it has escapes. The end is usually the position of the closing quote. It is an earlier
// position if the string has escapes and is longer than maxEscaped, and the position of the opening
// quote if there is no closing quote.
func (s *scanner) scanString() (end int, escapes bool) {
	open := s.at
	length := strings.IndexByte(s.text[open+1:], '"')
	if length >= 0 && strings.IndexByte(s.text[open+1:open+1+length], '\\') < 0 {
		s.at = open + length + 2
		return s.at - 1, false
	}
	for s.at++; s.at < len(s.text); s.at++ {
		if s.at-open <= maxEscaped {
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
