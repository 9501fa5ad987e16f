package vet

import (
	"bytes"
)

// A lexer skips texts, comments and patterns in JavaScript. It does not understand programs:
// where a slash can begin a pattern, it decides by the character before it.
type lexer struct {
	last byte // the last character that is not white space
}

// next returns the offset after the text, comment, pattern or character at offset i.
func (l *lexer) next(b []byte, i int) int {
	switch c := b[i]; c {
	case '"', '\'', '`':
		l.last = c
		return endOfText(b, i)
	case '/':
		end := i + 1
		switch {
		case end < len(b) && b[end] == '/':
			return endOfLine(b, i)
		case end < len(b) && b[end] == '*':
			return after(b, end+1, "*/")
		case bytes.IndexByte([]byte("(,=:[!&|?{};+-*%<>~^"), l.last) >= 0 || l.last == 0 || l.afterReturn(b, i):
			end = endOfPattern(b, i)
		}
		l.last = '/'
		return end
	case ' ', '\t', '\n', '\r':
		return i + 1
	default:
		l.last = c
		return i + 1
	}
}

// afterReturn reports whether a keyword precedes offset i, after which a pattern can stand.
func (l *lexer) afterReturn(b []byte, i int) bool {
	before := bytes.TrimRight(b[max(0, i-20):i], " \t")
	for _, word := range []string{"return", "typeof", "case", "in", "of", "void"} {
		if rest, ok := bytes.CutSuffix(before, []byte(word)); ok && (len(rest) == 0 || !isNameByte(rest[len(rest)-1])) {
			return true
		}
	}
	return false
}

// endOfText returns the offset after the text that begins at i. The end of the line ends it,
// unless it is a template. The expressions in a template count as text.
func endOfText(b []byte, i int) int {
	quote := b[i]
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case quote:
			return i + 1
		case '\n':
			if quote != '`' {
				return i
			}
		}
	}
	return len(b)
}

// endOfPattern returns the offset after a pattern, which ends in its line.
func endOfPattern(b []byte, i int) int {
	class := false
	for j := i + 1; j < len(b) && b[j] != '\n'; j++ {
		switch b[j] {
		case '\\':
			j++
		case '[':
			class = true
		case ']':
			class = false
		case '/':
			if !class {
				return j + 1
			}
		}
	}
	return i + 1 // a division
}

func endOfLine(b []byte, i int) int { return after(b, i, "\n") }

// after returns the offset after the next occurrence of a text, or the end.
func after(b []byte, i int, end string) int {
	n := bytes.Index(b[i:], []byte(end))
	if n < 0 {
		return len(b)
	}
	return i + n + len(end)
}

func isNameByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
