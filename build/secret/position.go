package secret

import (
	"slices"

	"galbuild/build/ecmascript"
)

// lineStarts returns the offsets at which the lines of text begin. Lines end as in
// JavaScript: with CR LF, CR, LF, U+2028 or U+2029.
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

// lineOf returns the number, from 1, of the line that contains the offset.
func lineOf(lines []int, offset int) int {
	n, _ := slices.BinarySearch(lines, offset+1)
	return n
}

// position returns the line and the column of an offset, both from 1. Columns count
// UTF-16 code units, as editors and vsce do.
func position(text []byte, lines []int, offset int) (line, column int) {
	line = lineOf(lines, offset)
	return line, ecmascript.Length(text[lines[line-1]:offset]) + 1
}
