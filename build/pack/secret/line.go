package secret

import (
	"slices"
	"unicode/utf16"
	"unicode/utf8"
)

// lineStarts returns where the lines of text begin. They end as in JavaScript: by
// CR LF, CR, LF, U+2028 or U+2029.
func lineStarts(text []byte) []int {
	starts := []int{0}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n':
			i++
			starts = append(starts, i+1)
		case c == '\r' || c == '\n':
			starts = append(starts, i+1)
		case c == 0xE2 && i+2 < len(text) && text[i+1] == 0x80 && text[i+2]|1 == 0xA9:
			i += 2
			starts = append(starts, i+1)
		}
	}
	return starts
}

// lineOf returns the number of the line that offset at is in, from 1.
func lineOf(lines []int, at int) int {
	n, _ := slices.BinarySearch(lines, at+1)
	return n
}

// position returns the line and the column of offset at, both from 1. Columns
// count UTF-16 code units, as editors and vsce do.
func position(text []byte, lines []int, at int) (line, column int) {
	line = lineOf(lines, at)
	return line, units(text[lines[line-1]:at]) + 1
}

// units is the length of text in UTF-16 code units.
func units(text []byte) int {
	n := 0
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		n += max(1, utf16.RuneLen(r))
		text = text[size:]
	}
	return n
}
