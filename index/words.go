package index

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"galbuild/index/internal/fold"
)

// Limits of what is indexed and asked, so that no package and no question is
// unreasonably expensive.
const (
	maxWord       = 64 // bytes; the rest of a longer word is dropped on both sides
	maxRun        = 16 // characters of a run without spaces, such as Chinese
	maxQueryWords = 16
)

// words splits s into words, in order and folded. A word is a run of letters and
// digits and the plus and number signs behind it ("c++", "c#"); everything else
// separates. Scripts that are written without spaces make words of their own.
func words(s string) []string {
	var all []string
	for chunk := range chunks(plain(s)) {
		all = append(all, clip(fold.String(chunk)))
	}
	return all
}

// wordsOfQuery returns the first words of a search text, as many as the longest name can
// have.
func wordsOfQuery(s string) []string {
	all := make([]string, 0, 4)
	for chunk := range chunks(plainStart(s)) {
		if len(all) == maxWord {
			break
		}
		all = append(all, clip(fold.String(chunk)))
	}
	return all
}

// hasWords reports whether words(s) are these.
func hasWords(s string, want []string) bool {
	n := 0
	for chunk := range chunks(plain(s)) {
		if len(chunk) > maxWord {
			chunk = clip(fold.String(chunk))
		}
		if n == len(want) || !strings.EqualFold(chunk, want[n]) {
			return false
		}
		n++
	}
	return n == len(want)
}

// chunks yields the words of s as they are written.
func chunks(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		start, kind := 0, separator
		for i, r := range s {
			next := kindOf(r)
			if next == sign && (kind == letter || kind == sign) {
				kind = sign
				continue
			}
			if next == sign {
				next = separator
			}
			if next == kind {
				continue
			}
			if kind != separator && !yield(s[start:i]) {
				return
			}
			start, kind = i, next
		}
		if kind != separator {
			yield(s[start:])
		}
	}
}

type runeKind uint8

const (
	separator   runeKind = iota
	letter               // or digit, or mark
	sign                 // + and #, part of the word they follow
	ideographic          // written without spaces
)

func kindOf(r rune) runeKind {
	switch {
	case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9':
		return letter
	case r == '+' || r == '#':
		return sign
	case r < utf8.RuneSelf:
		return separator
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai) || r == 'ー':
		return ideographic
	case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
		return letter
	}
	return separator
}

// unspaced reports whether the word is of a script without spaces.
func unspaced(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return kindOf(r) == ideographic
}

// clip cuts a word that is too long, between two characters.
func clip(word string) string {
	if len(word) <= maxWord {
		return word
	}
	end := maxWord
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}

// humps yields the parts of a word as it is written, if capitals begin new ones
// within it: Live and Server of "LiveServer", XML and Tools of "XMLTools".
func humps(word string, yield func(part string)) {
	start, before := 0, rune(0)
	for i, r := range word {
		if unicode.IsUpper(r) && (unicode.IsLower(before) || unicode.IsUpper(before) && unicode.IsLower(second(word[i:]))) {
			yield(word[start:i])
			start = i
		}
		before = r
	}
	if start > 0 {
		yield(word[start:])
	}
}

// second returns the second character of s.
func second(s string) rune {
	_, size := utf8.DecodeRuneInString(s)
	r, _ := utf8.DecodeRuneInString(s[size:])
	return r
}

// squeeze joins the words of s: "Live Server" and "live-server" become one.
func squeeze(s string) string { return clip(strings.Join(words(s), "")) }

// fieldTerms yields what s is found by: its words, the humps of each, and for
// scripts without spaces every end of a run, so that looking for a beginning
// finds any part. With joints it also yields each two neighbours as one word,
// for those who write "gitlens" for "Git Lens". A hump is only a part of a word.
func fieldTerms(s string, joints bool, yield func(term string, part bool)) {
	last := ""
	for chunk := range chunks(plain(s)) {
		word := fold.String(chunk)
		if unspaced(word) {
			ends(word, func(term string) { yield(term, false) })
			last = ""
			continue
		}
		yield(clip(word), false)
		humps(chunk, func(part string) { yield(clip(fold.String(part)), true) })
		if joints && last != "" {
			yield(clip(last+word), false)
		}
		last = word
	}
}

// ends yields word without its first 0, 1, 2, … characters, each cut to maxRun.
func ends(word string, yield func(term string)) {
	for i := range word {
		yield(firstRunes(word[i:], maxRun))
	}
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
