package index

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"galbuild/index/internal/fold"
)

// Limits of words, in documents and in queries. They bound the cost of indexing a package and of a
// search.
const (
	maxWord       = 64 // bytes of a word; the rest is dropped, in documents and in queries
	maxRun        = 16 // characters of a term in a script without spaces, such as Chinese
	maxQueryWords = 16 // words of all texts of a filter together
)

// words splits s into words, in order and folded. A word is a run of letters and digits,
// with the plus and number signs that follow it ("c++", "c#"). All other characters
// separate words. A run in a script without spaces is a word of its own.
func words(s string) []string {
	var all []string
	for chunk := range rawWords(normalize(s)) {
		all = append(all, truncate(fold.String(chunk)))
	}
	return all
}

// wordsOfQuery returns the words of a search text, at most maxWord of them: a compact name
// does not have more.
func wordsOfQuery(s string) []string {
	all := make([]string, 0, 4)
	for chunk := range rawWords(normalizeQuery(s)) {
		if len(all) == maxWord {
			break
		}
		all = append(all, truncate(fold.String(chunk)))
	}
	return all
}

// wordsEqual reports whether words(s) equals want.
func wordsEqual(s string, want []string) bool {
	n := 0
	for chunk := range rawWords(normalize(s)) {
		if len(chunk) > maxWord {
			chunk = truncate(fold.String(chunk))
		}
		if n == len(want) || !strings.EqualFold(chunk, want[n]) {
			return false
		}
		n++
	}
	return n == len(want)
}

// rawWords yields the words of s without folding or truncating them.
func rawWords(s string) func(yield func(string) bool) {
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
	letter               // letter, digit or mark
	sign                 // + or #, part of the word before it
	ideographic          // character of a script without spaces
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

// isUnspaced reports whether the word is of a script without spaces.
func isUnspaced(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return kindOf(r) == ideographic
}

// truncate cuts a word that is longer than maxWord, between two characters.
func truncate(word string) string {
	if len(word) <= maxWord {
		return word
	}
	end := maxWord
	for !utf8.RuneStart(word[end]) {
		end--
	}
	return word[:end]
}

// camelCaseParts yields the parts of a word if capitals within it begin new ones: Live and
// Server of "LiveServer", XML and Tools of "XMLTools".
func camelCaseParts(word string, yield func(part string)) {
	start, previous := 0, rune(0)
	for i, r := range word {
		if unicode.IsUpper(r) && (unicode.IsLower(previous) || unicode.IsUpper(previous) && unicode.IsLower(secondRune(word[i:]))) {
			yield(word[start:i])
			start = i
		}
		previous = r
	}
	if start > 0 {
		yield(word[start:])
	}
}

// secondRune returns the second character of s.
func secondRune(s string) rune {
	_, size := utf8.DecodeRuneInString(s)
	r, _ := utf8.DecodeRuneInString(s[size:])
	return r
}

// compact returns the words of s joined without spaces: "Live Server" and "live-server"
// both become "liveserver".
func compact(s string) string { return truncate(strings.Join(words(s), "")) }

// compactID returns the compact form of an id: @, the words of the publisher, a dot, and the words
// of the name. Because of the signs, it is neither the compact form of a title nor begins with one.
func compactID(id string) string {
	publisher, name, _ := strings.Cut(id, ".")
	return truncate("@" + strings.Join(wordsOfQuery(publisher), "") + "." + strings.Join(wordsOfQuery(name), ""))
}

// fieldTerms yields the terms by which the text s is found: its words, the camel-case parts
// of each word, and every suffix of a run in a script without spaces, so that a prefix
// search finds any part of the run. With joinPairs it also yields every two neighbouring
// words joined: "gitlens" finds "Git Lens". part is true for camel-case parts.
func fieldTerms(s string, joinPairs bool, yield func(term string, part bool)) {
	last := ""
	for chunk := range rawWords(normalize(s)) {
		word := fold.String(chunk)
		if isUnspaced(word) {
			suffixes(word, func(term string) { yield(term, false) })
			last = ""
			continue
		}
		yield(truncate(word), false)
		camelCaseParts(chunk, func(part string) { yield(truncate(fold.String(part)), true) })
		if joinPairs && last != "" {
			yield(truncate(last+word), false)
		}
		last = word
	}
}

// suffixes yields word without its first 0, 1, 2, … characters, each cut to maxRun.
func suffixes(word string, yield func(term string)) {
	for i := range word {
		yield(firstRunes(word[i:], maxRun))
	}
}

// firstRunes returns the first n characters of s.
func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
