package manifest

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/unicode"
)

var (
	bomUTF8    = []byte("\xef\xbb\xbf")
	bomUTF16LE = []byte("\xff\xfe")
	bomUTF16BE = []byte("\xfe\xff")
)

// PlainJSON returns text as UTF-8 without a byte order mark. UTF-16 is recognised by its mark.
// Invalid bytes are replaced by U+FFFD, as in editors. If nothing is changed, text itself is
// returned.
func PlainJSON(text []byte) []byte {
	if plain, ok := fromMark(text); ok {
		text = plain
	}
	if utf8.Valid(text) {
		return text
	}
	return bytes.ToValidUTF8(text, []byte("\uFFFD"))
}

// fromMark decodes text with a byte order mark. It returns false if there is none.
func fromMark(text []byte) ([]byte, bool) {
	if plain, ok := bytes.CutPrefix(text, bomUTF8); ok {
		return plain, true
	}
	if !bytes.HasPrefix(text, bomUTF16LE) && !bytes.HasPrefix(text, bomUTF16BE) {
		return nil, false
	}
	// The decoder returns no errors: invalid UTF-16 is replaced by U+FFFD.
	plain, err := unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Bytes(text)
	return plain, err == nil
}

var declaredEncoding = regexp.MustCompile(`^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']`)

// plainXML returns text as UTF-8 without the characters that XML forbids. The declared encoding is
// used only if there is no byte order mark and the text is not valid UTF-8, because programs on
// Windows often declare UTF-16 and write UTF-8.
func plainXML(text []byte) ([]byte, error) {
	plain, ok := fromMark(text)
	switch {
	case ok:
	case bytes.HasPrefix(text, []byte("<\x00")):
		plain, _ = fromMark(append(bytes.Clone(bomUTF16LE), text...))
	case bytes.HasPrefix(text, []byte("\x00<")):
		plain, _ = fromMark(append(bytes.Clone(bomUTF16BE), text...))
	case utf8.Valid(text):
		plain = text
	default:
		var err error
		if plain, err = fromDeclared(text); err != nil {
			return nil, err
		}
	}
	if !utf8.Valid(plain) {
		plain = bytes.ToValidUTF8(plain, []byte("\uFFFD"))
	}
	return dropForbidden(plain), nil
}

// fromDeclared decodes text in its declared encoding. Without a declaration, that is Windows-1252,
// which is the most frequent one.
func fromDeclared(text []byte) ([]byte, error) {
	label := "windows-1252"
	if m := declaredEncoding.FindSubmatch(text); m != nil {
		label = string(m[1])
	}
	r, err := charset.NewReaderLabel(label, bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("it is not UTF-8, and its declared encoding %q is unknown", label)
	}
	return io.ReadAll(r)
}

// dropForbidden removes the characters that are not a Char of XML. Some packagers copy them from
// descriptions.
func dropForbidden(text []byte) []byte {
	if !mayHaveForbidden(text) {
		return text // as for most packages, without a copy
	}
	return bytes.Map(keepAllowed, text)
}

// mayHaveForbidden reports whether a text has control characters, or U+FFFE or U+FFFF, whose first
// byte is 0xEF.
func mayHaveForbidden(text []byte) bool {
	for _, c := range text {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' || c == 0xEF {
			return true
		}
	}
	return false
}

// keepAllowed maps characters that XML forbids to -1.
func keepAllowed(r rune) rune {
	if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
		return -1
	}
	return r
}
