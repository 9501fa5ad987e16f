package packtest

import "bytes"

// normalizeAttributes replaces tabs and line breaks in the values of attributes by spaces, as XML
// requires; encoding/xml does not. Those written as &#10; stay.
// Source: https://www.w3.org/TR/xml/#AVNormalize
func normalizeAttributes(text []byte) []byte {
	text = bytes.ReplaceAll(bytes.Clone(text), []byte("\r\n"), []byte("\n"))
	for i := 0; i < len(text); {
		open := bytes.IndexByte(text[i:], '<')
		if open < 0 {
			break
		}
		i += open
		if end := skip(text[i:]); end > 0 {
			i += end
		} else {
			i += normalizeTag(text[i:])
		}
	}
	return text
}

// skip returns the length of the comment, CDATA section or processing instruction at the beginning
// of text, or 0 if there is none.
func skip(text []byte) int {
	for start, end := range map[string]string{"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"} {
		if !bytes.HasPrefix(text, []byte(start)) {
			continue
		}
		if i := bytes.Index(text, []byte(end)); i >= 0 {
			return i + len(end)
		}
		return len(text)
	}
	return 0
}

// normalizeTag normalizes the tag at the beginning of text, and returns its length.
func normalizeTag(text []byte) int {
	var quote byte
	for i, b := range text {
		switch {
		case quote == 0 && b == '>':
			return i + 1
		case quote == 0 && (b == '"' || b == '\''):
			quote = b
		case b == quote:
			quote = 0
		case quote != 0 && (b == '\n' || b == '\r' || b == '\t'):
			text[i] = ' '
		}
	}
	return len(text)
}
