package glob

import (
	"strings"
	"unicode/utf16"
)

// A segment is the part of a pattern that stands for one name of a path.
type segment interface{ match(name string) bool }

// literal is a name.
type literal string

func (l literal) match(name string) bool { return name == string(l) }

// anything is *.
type anything struct{}

func (anything) match(name string) bool { return name != "" && !dots(name) }

// ending is *, then plain text.
type ending string

func (e ending) match(name string) bool { return strings.HasSuffix(name, string(e)) }

// marks is as many question marks as it is long, less those of the plain text
// after them.
type marks struct {
	width int // of the name, in UTF-16 units
	ending
}

func (m marks) match(name string) bool {
	return !dots(name) && strings.HasSuffix(name, string(m.ending)) && width(name) == m.width
}

// shape is any other.
type shape struct {
	root   node
	runes  bool // a character is a rune, not a UTF-16 unit
	prefix string
}

func (s shape) match(name string) bool {
	if !strings.HasPrefix(name, s.prefix) {
		return false
	}
	n := units(name)
	if s.runes {
		n = []rune(name)
	}
	return s.root.starts(n, only(len(n), len(n)))[0]
}

// newSegment reads the text between two slashes, which is not **.
func newSegment(text string) segment {
	// What follows the first stars or marks is plain to minimatch without these;
	// it then compares text, backslashes and all.
	const special = "+@!?*[("
	afterStars, afterMarks := strings.TrimLeft(text, "*"), strings.TrimLeft(text, "?")
	switch {
	case text != "" && afterStars == "":
		return anything{}
	case afterStars != text && !strings.ContainsAny(afterStars, special):
		return ending(afterStars)
	case afterMarks != text && !strings.ContainsAny(afterMarks, special):
		return marks{width(text), ending(afterMarks)}
	}
	root, ok := parseSegment(text)
	if !ok {
		return shape{root: never{}}
	}
	return build(root)
}

// units are the UTF-16 units of a text, each in a rune.
func units(text string) []rune {
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

// width is the number of UTF-16 units in a text.
func width(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// joined puts units together again.
func joined(units []rune) []rune {
	var out []rune
	for _, u := range units {
		if n := len(out); n > 0 && pair(out[n-1], u) {
			out[n-1] = utf16.DecodeRune(out[n-1], u)
			continue
		}
		out = append(out, u)
	}
	return out
}

// pair tells whether two units are one rune.
func pair(high, low rune) bool {
	return 0xD800 <= high && high < 0xDC00 && 0xDC00 <= low && low < 0xE000
}
