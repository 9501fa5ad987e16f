package index

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// plain returns s without accents, ligatures and widths, so that "Café", "cafe"
// and "ｃａｆｅ" are one word. Marks outside the Latin range stay: without them
// Japanese and Indic words would become others.
func plain(s string) string {
	if isASCII(s) {
		return s
	}
	bare := strings.Map(func(r rune) rune {
		if '\u0300' <= r && r <= '\u036f' {
			return -1
		}
		return r
	}, norm.NFKD.String(s))
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
