package glob

import (
	"strings"
	"unicode/utf16"

	"galbuild/build/ecmascript"
)

// A segment is the part of a pattern that matches one name in a path.
type segment interface{ match(name string) bool }

// literal matches one name.
type literal string

func (l literal) match(name string) bool { return name == string(l) }

// anyName is * alone.
type anyName struct{}

func (anyName) match(name string) bool { return name != "" && !isDots(name) }

// suffix is * followed by literal text.
type suffix string

func (s suffix) match(name string) bool { return strings.HasSuffix(name, string(s)) }

// fixedLength is one or more ? followed by literal text.
type fixedLength struct {
	length int // of the name, in UTF-16 code units
	suffix
}

func (f fixedLength) match(name string) bool {
	return !isDots(name) && strings.HasSuffix(name, string(f.suffix)) && ecmascript.Length(name) == f.length
}

// tree is any other segment.
type tree struct {
	root   node
	runes  bool   // a character is a rune, not a UTF-16 code unit
	prefix string // literal text with which matching names begin
}

func (s tree) match(name string) bool {
	if !strings.HasPrefix(name, s.prefix) {
		return false
	}
	n := utf16Units(name)
	if s.runes {
		n = []rune(name)
	}
	return s.root.starts(n, singlePosition(len(n), len(n)))[0]
}

// newSegment parses the text between two slashes, which is not **.
func newSegment(text string) segment {
	// If the text after leading * or ? has none of these characters, minimatch compares it
	// literally, including backslashes.
	const special = "+@!?*[("
	afterStars, afterQuestions := strings.TrimLeft(text, "*"), strings.TrimLeft(text, "?")
	switch {
	case text != "" && afterStars == "":
		return anyName{}
	case afterStars != text && !strings.ContainsAny(afterStars, special):
		return suffix(afterStars)
	case afterQuestions != text && !strings.ContainsAny(afterQuestions, special):
		return fixedLength{ecmascript.Length(text), suffix(afterQuestions)}
	}
	root, ok := parseSegment(text)
	if !ok {
		return tree{root: noMatch{}}
	}
	return build(root)
}

// utf16Units returns the UTF-16 code units of a text, each in a rune.
func utf16Units(text string) []rune {
	out := make([]rune, 0, len(text))
	for _, r := range text {
		if utf16.RuneLen(r) == 2 {
			high, low := utf16.EncodeRune(r)
			out = append(out, high, low)
			continue
		}
		out = append(out, r)
	}
	return out
}

// decodeUnits decodes UTF-16 code units to runes. Surrogates without a partner stay.
func decodeUnits(units []rune) []rune {
	var out []rune
	for _, u := range units {
		if n := len(out); n > 0 && isPair(out[n-1], u) {
			out[n-1] = utf16.DecodeRune(out[n-1], u)
			continue
		}
		out = append(out, u)
	}
	return out
}

// isPair reports whether two code units are a surrogate pair.
func isPair(high, low rune) bool {
	return 0xD800 <= high && high < 0xDC00 && 0xDC00 <= low && low < 0xE000
}
