// Package ecmascript has functions of JavaScript and Node.js whose results differ from those of
// similar functions of Go. What vsce writes depends on them.
package ecmascript

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Space is the white space that \s matches in JavaScript, for use between the brackets of a
// regular expression of Go.
const Space = `\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`

// IsSpace reports whether r is white space in JavaScript: the spaces of Unicode and the byte order
// mark, but not U+0085.
func IsSpace(r rune) bool { return r == '\uFEFF' || r != '\u0085' && unicode.IsSpace(r) }

// Length returns the length of a text in JavaScript, in UTF-16 code units. An invalid byte counts
// as one.
func Length[T string | []byte](text T) int {
	n := 0
	for _, r := range string(text) {
		n += utf16.RuneLen(r)
	}
	return n
}

// Extname returns the extension of a slash-separated path: the end of its last element from the
// last dot on. There is none if that dot is the first character. ".gitignore", "Makefile" and
// ".." have no extension; that of "file." is ".".
// Source: path.posix.extname, https://nodejs.org/api/path.html#pathextnamepath
func Extname(name string) string {
	base := path.Base(name)
	if i := strings.LastIndexByte(base, '.'); i > 0 && base != ".." {
		return base[i:]
	}
	return ""
}
