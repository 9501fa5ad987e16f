// Package visible finds and escapes characters that are invisible or look like others.
//
// Names and titles are chosen by the authors of packages. Control characters can move the cursor
// of a terminal and set its title. Bidirectional characters can show "txt.exe" as "exe.txt".
// Letters of other alphabets that look like a, c, e, o or p can imitate another name.
//
// The build cache contains the findings: if they change, readingVersion in build/cache.go must be
// raised.
package visible

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Escape replaces the characters of s that must not be sent to a terminal by JSON escapes such as
// \u202e, so that JSON keeps its meaning, and bytes that are not UTF-8 by \xff. It does not escape
// the control characters in keep.
func Escape(s, keep string) string {
	if isPlain(s, keep) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !hidden(r) || strings.ContainsRune(keep, r):
			b.WriteString(s[i : i+size])
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return b.String()
}

func isPlain(s, keep string) bool {
	for i, r := range s {
		if hidden(r) && !strings.ContainsRune(keep, r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return false
		}
	}
	return true
}

// hidden reports whether a character is invisible, or changes how others look.
func hidden(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7f
	case unicode.IsControl(r), r == '\u2028', r == '\u2029':
		return true
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false // a visible format character
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// Kinds of hidden characters, as warnings name them.
const (
	control       = "control"
	bidirectional = "bidirectional"
	invisible     = "invisible"
)

func kindOf(r rune) string {
	switch {
	case unicode.IsControl(r):
		return control
	case unicode.Is(unicode.Bidi_Control, r):
		return bidirectional
	}
	return invisible
}

// Hidden returns a sentence for each kind of hidden character in a text: control, bidirectional,
// invisible. A sentence names the first such character.
func Hidden(s string) []string {
	var found []string
	seen := make(map[string]bool)
	for _, r := range s {
		if !hidden(r) {
			continue
		}
		if kind := kindOf(r); !seen[kind] {
			seen[kind] = true
			found = append(found, fmt.Sprintf("it contains the %s character U+%04X", kind, r))
		}
	}
	return found
}

// Findings returns the warnings about a name or title: its hidden characters, and its first
// word with letters that look like others.
func Findings(s string) []string {
	found := Hidden(s)
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Digit, unicode.Nl) }) {
		if warning := lookAlike(word); warning != "" {
			return append(found, warning)
		}
	}
	return found
}

// confusable maps letters of Cyrillic, Greek and Armenian to the Latin letters that they
// look like.
//
// Source: https://www.unicode.org/Public/security/latest/confusables.txt
var confusable = pairs("АAВBЕEЅSІIЈJКKМMНHОOРPСCТTУYХXаaеeіiјjоoрpсcуyхxѕsһhԁdԛqԝwҮYӏlѵv" +
	"ΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXοoνvιiαaρpυu" +
	"օoսuոnհhցgքf" +
	// Letters of the Latin alphabet that few names contain.
	"ɑaɡgɩiɪiꞁlᴄcᴏoᴠvᴡwᴢzꜱs")

// capitals are alphabets whose letters mostly look like Latin capitals. No ordinary word
// mixes them with Latin letters.
var capitals = []*unicode.RangeTable{unicode.Cherokee, unicode.Coptic, unicode.Lisu, unicode.Deseret, unicode.Old_Italic, unicode.Lycian, unicode.Lydian, unicode.Carian}

func pairs(s string) map[rune]rune {
	all := []rune(s)
	m := make(map[rune]rune, len(all)/2)
	for i := 0; i+1 < len(all); i += 2 {
		m[all[i]] = all[i+1]
	}
	return m
}

// lookAlike returns a warning about a word that mixes Latin letters with those of another
// alphabet, or whose letters all look like Latin ones and are not Latin.
func lookAlike(word string) string {
	var latin, other, same int
	var first, foreign rune
	for _, r := range word {
		switch plain := norm.NFKC.String(string(r)); {
		case r < utf8.RuneSelf && unicode.IsLetter(r):
			latin++
		case !unicode.In(r, unicode.Letter, unicode.Nl):
		case r > unicode.MaxLatin1 && isASCIILetter(plain): // full width, mathematical, Roman numerals, …
			return fmt.Sprintf("%q has the look-alike letter U+%04X for %s", word, r, plain)
		case unicode.Is(unicode.Latin, r):
			if _, ok := confusable[r]; ok {
				other++
				same++
				if first == 0 {
					first = r
				}
				continue
			}
			latin++
		case unicode.In(r, capitals...):
			foreign = r
		case unicode.In(r, unicode.Cyrillic, unicode.Greek, unicode.Armenian):
			other++
			if _, ok := confusable[r]; ok {
				same++
				if first == 0 {
					first = r
				}
			}
		}
	}
	switch {
	case latin > 0 && foreign != 0:
		return fmt.Sprintf("%q has the look-alike letter U+%04X among Latin ones", word, foreign)
	case latin > 0 && other > 0 && same > 0, same > 2 && same == other:
		return fmt.Sprintf("%q has the look-alike letter U+%04X, which is not the Latin %c", word, first, confusable[first])
	}
	return ""
}

func isASCIILetter(s string) bool {
	return len(s) == 1 && (s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z')
}
