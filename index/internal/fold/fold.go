// Package fold maps strings to a form in which case does not matter: two strings have the same
// folded bytes exactly if strings.EqualFold holds for them.
package fold

import (
	"unicode"
	"unicode/utf8"
)

// Append appends the folded s to dst. It allocates only if dst is too small.
func Append(dst []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return appendRunes(dst, s[i:])
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func appendRunes(dst []byte, s string) []byte {
	for _, r := range s {
		dst = utf8.AppendRune(dst, foldRune(r))
	}
	return dst
}

// String returns s folded. It returns s itself if it is folded already, as most words are.
func String(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return string(Append(nil, s))
		}
	}
	return s
}

// foldRune returns the representative of the letters that differ from r only in case: the
// ASCII lower-case letter if there is one (K is also the Kelvin sign), and otherwise the
// lowest code point.
func foldRune(r rune) rune {
	lowest := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		lowest = min(lowest, other)
	}
	if 'A' <= lowest && lowest <= 'Z' {
		return lowest + 'a' - 'A'
	}
	return lowest
}
