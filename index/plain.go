package index

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"galbuild/index/query"
)

// plain returns s without accents, ligatures and widths, so that "Café", "cafe"
// and "ｃａｆｅ" are one word. Marks outside the Latin range stay: without them
// Japanese and Indic words would become others. The selectors that make a symbol an emoji,
// as in "⚡️ Test", are no letters.
func plain(s string) string {
	if isASCII(s) {
		return s
	}
	return compose(norm.NFKD.String(s))
}

// plainStart returns the beginning of plain of a search text. The result is limited because
// one character, U+FDFA, becomes eighteen letters.
func plainStart(s string) string {
	if isASCII(s) {
		return s
	}
	decomposed := norm.NFKD.String(s)
	if len(decomposed) > query.MaxLength {
		end := query.MaxLength
		for end > 0 && !utf8.RuneStart(decomposed[end]) {
			end--
		}
		decomposed = decomposed[:end]
	}
	return compose(decomposed)
}

// compose removes the marks of Latin letters and variation selectors from a decomposed text,
// and composes the remaining characters.
func compose(decomposed string) string {
	bare := strings.Map(func(r rune) rune {
		if '\u0300' <= r && r <= '\u036f' || '\ufe00' <= r && r <= '\ufe0f' {
			return -1
		}
		return r
	}, decomposed)
	return norm.NFC.String(bare)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
