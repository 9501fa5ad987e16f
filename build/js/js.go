// Package js does what JavaScript and Node.js do, where what vsce makes depends on it
// and Go's own packages do otherwise.
package js

import (
	"path"
	"strings"
	"unicode"
)

// Space is white space as \s has it, for between the brackets of a regular expression.
const Space = `\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`

// IsSpace tells whether r is what trim takes away: Unicode's spaces and the byte order
// mark, but not U+0085.
func IsSpace(r rune) bool { return r == '\uFEFF' || r != '\u0085' && unicode.IsSpace(r) }

// Extname returns the extension of a slashed path with its dot: what follows the last
// dot of the last segment, unless that is its first character. ".gitignore", "Makefile"
// and ".." have none, "file." has ".".
// Source: path.posix.extname, https://nodejs.org/api/path.html#pathextnamepath
func Extname(name string) string {
	base := path.Base(name)
	if i := strings.LastIndexByte(base, '.'); i > 0 && base != ".." {
		return base[i:]
	}
	return ""
}
