package index

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// phrase is a list of folded words that must follow each other in one field.
type phrase struct {
	words  []string
	rarest int // position of the rarest letter in the first word
}

func newPhrase(words []string) phrase {
	p := phrase{words: words}
	for i := range len(words[0]) {
		if letterRank(words[0][i]) < letterRank(words[0][p.rarest]) {
			p.rarest = i
		}
	}
	return p
}

// letterRank orders letters by frequency, the rarest first. All other characters are rarer
// than letters.
func letterRank(c byte) int { return strings.IndexByte("zqxjkvbwyfgpmhducrlnsoitae", c) }

// Costs of searching a document for a phrase, in steps: a fixed cost, and one step for
// every bytesPerStep bytes; an additional cost for each byte of a field that is not ASCII;
// and another if the phrase is not ASCII.
const (
	phraseCost     = 70
	bytesPerStep   = 8
	decomposedCost = 4
	foldedCost     = 12
)

// readCost returns the cost of reading the text of a document, in steps.
func (ix *Index) readCost(d uint32) int { return phraseCost + len(ix.textOf(int(d)))/bytesPerStep }

// filterByPhrases returns the documents of s.found that contain every phrase. If there are
// too few steps to check all of them, it checks the best ones and returns no others.
func (ix *Index) filterByPhrases(t *text, s *scores) []match {
	cost := 0
	for _, m := range s.found {
		cost += ix.readCost(m.document()) * len(t.phrases)
	}
	if cost > s.work.limit-s.work.steps {
		if !s.work.take(sortCost * len(s.found)) {
			return nil
		}
		slices.Sort(s.found)
	}
	containing := s.found[:0]
	for _, m := range s.found {
		if !s.work.take(ix.readCost(m.document()) * len(t.phrases)) {
			break
		}
		if ix.containsPhrases(t, s, m.document()) {
			containing = append(containing, m)
		}
	}
	return containing
}

// containsPhrases reports whether the document contains every phrase, each within one field.
func (ix *Index) containsPhrases(t *text, s *scores, d uint32) bool {
	missing := uint16(1)<<len(t.phrases) - 1
	eachField(ix.textOf(int(d)), func(field []byte) {
		ascii := isASCIIBytes(field)
		if !ascii && !s.work.take(decomposedCost*len(field)) || t.nonASCII && !s.work.take(foldedCost*len(field)) {
			return
		}
		if !ascii && !t.nonASCII {
			s.decomposed = appendDecomposed(s.decomposed[:0], field)
			field = s.decomposed
		}
		var all []string
		if t.nonASCII {
			all = words(string(field))
		}
		for i := range t.phrases {
			p := &t.phrases[i]
			if missing&(1<<i) != 0 && (t.nonASCII && p.inWords(all) || !t.nonASCII && p.inDecomposed(field)) {
				missing &^= 1 << i
			}
		}
	})
	return missing == 0
}

// eachField yields the searchable fields in the encoded text of a document, see appendText.
func eachField(encoded []byte, yield func(field []byte)) {
	r := textReader(encoded)
	for i := range 7 { // id, uuid, name, publisher, publisher's title, title, description
		if field := r.bytes(); i >= 2 {
			yield(field)
		}
	}
	for n := r.number(); n > 0 && len(r) > 0; n-- {
		yield([]byte(category(string(r.bytes()))))
	}
	for n := r.number(); n > 0 && len(r) > 0; n-- {
		if tag := searchedTag(r.bytes()); len(tag) > 0 {
			yield(tag)
		}
	}
	for n := r.number(); n > 0 && len(r) > 0; n-- {
		r.bytes() // a platform
	}
	for n := r.number(); n > 0 && len(r) > 0; n-- {
		yield(r.bytes()) // a contributed text
	}
}

// isASCII reports whether all words are ASCII.
func (p *phrase) isASCII() bool {
	return !slices.ContainsFunc(p.words, func(w string) bool { return !isASCII(w) })
}

// inWords reports whether the words of the phrase follow each other in the words of a
// field. Words in scripts without spaces need only be part of a word of the field.
func (p *phrase) inWords(all []string) bool {
	isWord := func(have, want string) bool {
		return have == want || isUnspaced(want) && strings.Contains(have, want)
	}
	for i := 0; i+len(p.words) <= len(all); i++ {
		if slices.EqualFunc(all[i:i+len(p.words)], p.words, isWord) {
			return true
		}
	}
	return false
}

// appendDecomposed appends the field as normalize returns it, but does not compose letters
// again. ASCII phrases do not contain composed letters.
func appendDecomposed(dst, field []byte) []byte {
	dst = norm.NFKD.Append(dst, field...)
	to := 0
	for i := 0; i < len(dst); i++ {
		if n := markLength(dst[i:]); n > 0 {
			i += n - 1
			continue
		}
		dst[to] = dst[i]
		to++
	}
	return dst[:to]
}

// markLength returns the length of the character at the beginning of text if compose
// removes it (U+0300 to U+036F and U+FE00 to U+FE0F), and 0 otherwise.
func markLength(text []byte) int {
	switch {
	case len(text) > 1 && text[1]&0xc0 == 0x80 && (text[0] == 0xcc || text[0] == 0xcd && text[1] < 0xb0):
		return 2
	case len(text) > 2 && text[0] == 0xef && text[1] == 0xb8 && text[2] >= 0x80 && text[2] < 0x90:
		return 3
	}
	return 0
}

// inDecomposed is inWords for an ASCII phrase and a decomposed field. It searches the field
// for the rarest letter of the phrase instead of splitting the field into words.
func (p *phrase) inDecomposed(field []byte) bool {
	small := p.words[0][p.rarest]
	if p.findBy(field, small) {
		return true
	}
	return 'a' <= small && small <= 'z' && p.findBy(field, small-'a'+'A')
}

// findBy reports whether the field contains the phrase. letter is the rarest letter of the phrase
// in one of its two cases.
func (p *phrase) findBy(field []byte, letter byte) bool {
	for at := p.rarest; at < len(field); at++ {
		i := bytes.IndexByte(field[at:], letter)
		if i < 0 {
			return false
		}
		at += i
		if start := at - p.rarest; (start == 0 || !endsInLetter(field[:start])) && p.isPrefixOf(field[start:]) {
			return true
		}
	}
	return false
}

// isPrefixOf reports whether text begins with the words of the phrase.
func (p *phrase) isPrefixOf(text []byte) bool {
	for i, word := range p.words {
		if i > 0 {
			text = skipSeparators(text)
		}
		if len(text) < len(word) || !equalLetters(text[:len(word)], word) {
			return false
		}
		text = text[len(word):]
		rest := skipWord(text, word[len(word)-1])
		if _, size := utf8.DecodeRune(text); len(rest) < len(text) && len(word)+size <= maxWord {
			return false // the word in the text is longer, even when truncated
		}
		text = rest
	}
	return true
}

// skipSeparators returns text from its first letter, or its first character of a script
// without spaces.
func skipSeparators(text []byte) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if kind := kindOf(r); kind == letter || kind == ideographic {
			break
		}
		text = text[size:]
	}
	return text
}

// skipWord returns text after the rest of the current word. last is the byte before text.
func skipWord(text []byte, last byte) []byte {
	signs := last == '+' || last == '#'
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		kind := kindOf(r)
		if kind != sign && (kind != letter || signs) {
			break
		}
		signs = kind == sign
		text = text[size:]
	}
	return text
}

func endsInLetter(text []byte) bool {
	r, _ := utf8.DecodeLastRune(text)
	return kindOf(r) == letter
}

// equalLetters compares have with want, which is in lower case, ignoring the case of ASCII
// letters.
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

// isASCIIBytes reports whether all bytes are ASCII. It reads eight bytes at a time.
func isASCIIBytes(b []byte) bool {
	const high = 0x8080808080808080
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&high != 0 {
			return false
		}
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
