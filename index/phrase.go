package index

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// readCost returns what it costs to look at the words of a document, in steps. Letters
// that are not ASCII cost more, which is counted when they come.
func (ix *Index) readCost(d uint32) int { return 40 + len(ix.textOf(int(d)))/2 }

// foldedCost is what each byte of a field with such letters costs more, in steps.
const foldedCost = 12

// saying returns those of s.found that say every phrase. Where there is not enough
// work left to look at all of them, it looks at the best, and no other is returned.
func (ix *Index) saying(t *text, s *scores) []match {
	cost := 0
	for _, m := range s.found {
		cost += ix.readCost(m.document())
	}
	if cost > s.work.limit-s.work.steps {
		if !s.work.take(sortCost * len(s.found)) {
			return nil
		}
		slices.Sort(s.found)
	}
	said := s.found[:0]
	for _, m := range s.found {
		if !s.work.take(ix.readCost(m.document())) {
			break
		}
		if ix.says(t, s, m.document()) {
			said = append(said, m)
		}
	}
	return said
}

// says reports whether the document has the words of every phrase side by side in
// one field.
func (ix *Index) says(t *text, s *scores, d uint32) bool {
	missing := uint16(1)<<len(t.phrases) - 1
	look := func(field []byte) {
		if isASCII(field) {
			s.fields = appendASCIIWords(s.fields[:0], field)
		} else if s.work.take(foldedCost * len(field)) {
			s.fields = appendFoldedWords(s.fields[:0], field)
		} else {
			return
		}
		for i, phrase := range t.phrases {
			if missing&(1<<i) != 0 && hasPhrase(s.fields, phrase) {
				missing &^= 1 << i
			}
		}
	}
	r := textReader(ix.textOf(int(d)))
	for i := range 7 { // id, uuid, name, publisher, publisher's title, title, description
		if field := r.bytes(); i >= 2 {
			look(field)
		}
	}
	for n := r.number(); n > 0 && len(r) > 0; n-- {
		look([]byte(category(string(r.bytes()))))
	}
	for n := r.number(); n > 0 && len(r) > 0; n-- {
		look(r.bytes()) // a tag
	}
	return missing == 0
}

// appendASCIIWords appends the words of a field that is ASCII, as they are written.
func appendASCIIWords(dst [][]byte, field []byte) [][]byte {
	for at := 0; at < len(field); {
		if !isLetter(field[at]) {
			at++
			continue
		}
		start := at
		for at < len(field) && isLetter(field[at]) {
			at++
		}
		for at < len(field) && (field[at] == '+' || field[at] == '#') {
			at++
		}
		dst = append(dst, field[start:min(at, start+maxWord)])
	}
	return dst
}

// appendFoldedWords appends the words of any field, folded.
func appendFoldedWords(dst [][]byte, field []byte) [][]byte {
	for _, w := range words(string(field)) {
		dst = append(dst, []byte(w))
	}
	return dst
}

// isLetter reports whether c is an ASCII letter or digit.
func isLetter(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
}

// hasPhrase reports whether the words of phrase stand side by side in all.
func hasPhrase(all [][]byte, phrase []string) bool {
	for i := 0; i+len(phrase) <= len(all); i++ {
		if isWord(all[i], phrase[0]) && slices.EqualFunc(all[i+1:i+len(phrase)], phrase[1:], isWord) {
			return true
		}
	}
	return false
}

// isWord reports whether have is the word, which is folded; of a run without spaces
// it need only be a part.
func isWord(have []byte, want string) bool {
	if len(have) == len(want) && (string(have) == want || equalLetters(have, want)) {
		return true
	}
	return want[0] >= utf8.RuneSelf && unspaced(want) && bytes.Contains(have, []byte(want))
}

// equalLetters compares ASCII letters without regard to case; want has small ones.
func equalLetters(have []byte, want string) bool {
	for i, c := range have {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != want[i] {
			return false
		}
	}
	return true
}
