package manifest

import "bytes"

// parseNLS reads package.nls.json: a JSON object with comments and trailing
// commas.
func parseNLS(text []byte) (object, error) { return parseObject(plainComments(text)) }

// plainComments returns JSON with spaces in place of comments and trailing commas.
// Lines stay. What is behind a mistake may change: no parser gets there.
func plainComments(text []byte) []byte {
	text = bytes.Clone(text)
	comma := -1 // the last one, while only space follows it
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

// stringEnd returns where the string at the beginning of text has its last quote.
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

// blankComment makes spaces of the comment at the beginning of text, and returns
// its length, 0 if there is none.
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
