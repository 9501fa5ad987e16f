package manifest

import "bytes"

// parseNLS parses package.nls.json: a JSON object that may have comments and trailing commas.
func parseNLS(text []byte) (object, error) { return parseObject(plainComments(text)) }

// plainComments replaces comments and trailing commas in JSON with spaces. Line numbers do not
// change. In invalid JSON, the text after the first mistake may change, which no parser reads.
func plainComments(text []byte) []byte {
	text = bytes.Clone(text)
	comma := -1 // position of the last comma if only space follows it, or -1
	for i := 0; i < len(text); i++ {
		switch b := text[i]; b {
		case ' ', '\t', '\r', '\n':
			continue
		case '/':
			if n := blankComment(text[i:]); n > 0 {
				i += n - 1
				continue
			}
		case '"':
			i += stringEnd(text[i:])
		case ',':
			comma = i
			continue
		case '}', ']':
			if comma >= 0 {
				text[comma] = ' '
			}
		}
		comma = -1
	}
	return text
}

// stringEnd returns the position of the closing quote of the string at the beginning of text.
func stringEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(text)
}

// blankComment replaces the comment at the beginning of text with spaces. It returns the length of
// the comment, or 0 if there is none.
func blankComment(text []byte) int {
	end := "\n"
	switch {
	case bytes.HasPrefix(text, []byte("/*")):
		end = "*/"
	case !bytes.HasPrefix(text, []byte("//")):
		return 0
	}
	n := len(text)
	if i := bytes.Index(text[2:], []byte(end)); i >= 0 {
		n = 2 + i + len(end)
	}
	for i := range n {
		if text[i] != '\n' {
			text[i] = ' '
		}
	}
	return n
}
