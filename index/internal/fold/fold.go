// Package fold compares strings without regard to case by their bytes: two strings
// fold to the same bytes exactly if strings.EqualFold holds for them.
package fold

import (
	"unicode"
	"unicode/utf8"
)

// Append appends s, folded, to dst. It allocates only if dst is too small.
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

// String returns s folded: s itself if nothing changes, as most words are small letters.
func String(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return string(Append(nil, s))
		}
	}
	return s
}

// foldRune picks one of the letters that differ only in case: the ASCII small
// letter if there is one (K is also the Kelvin sign), else the lowest code point.
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
