package vet

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// Kinds of characters that are not shown.
const (
	shown     = iota
	selector  // a variation selector or a tag: GlassWorm encodes bytes as these
	zeroWidth // a space or joiner without width, or a filler
	bidi      // changes the order of the characters after it
	private   // a private character of the upper planes: no font has it
)

// hiddenKind returns the kind of a character.
func hiddenKind(r rune) int {
	switch {
	case r < 0xad:
		return shown
	case 0xfe00 <= r && r <= 0xfe0f, 0xe0000 <= r && r <= 0xe0fff, 0x180b <= r && r <= 0x180f:
		return selector
	case r == 0xad, 0x200b <= r && r <= 0x200d, 0x2060 <= r && r <= 0x2064, r == 0xfeff,
		r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r == 0x034f, r == 0x17b4, r == 0x17b5, 0x206a <= r && r <= 0x206f:
		return zeroWidth
	case 0x202a <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069:
		return bidi
	case r >= 0xf0000:
		return private
	}
	return shown
}

// Limits of what is harmless.
const (
	longRun      = 12 // hidden characters in a row; the flags of countries in emoji have 7
	manyStranger = 8  // variation selectors after characters that have no variations
)

// A hiddenScan looks for hidden characters in code.
type hiddenScan struct {
	f          *file
	run        int // length of the run of hidden characters
	runFrom    int // its offset
	kinds      map[rune]bool
	longest    int // length of the longest run
	longestAt  int
	strangers  int // selectors after characters without variations
	strangerAt int
	seen       [private + 1]bool
}

// checkCharacters looks for hidden characters in code. Harmless are: a byte order mark at the
// start, the selectors and joiners of emoji, those of scripts that need them, and single
// characters in texts and patterns.
func (s *Scanner) checkCharacters(f *file) {
	content := f.content
	if !mayHide(content) {
		return
	}
	h := hiddenScan{f: f, kinds: make(map[rune]bool)}
	before := rune('\n')
	for i := 0; i < len(content); {
		if content[i] < utf8.RuneSelf {
			h.end()
			for i++; i < len(content) && content[i] < utf8.RuneSelf; i++ {
			}
			before = rune(content[i-1])
			continue
		}
		r, size := utf8.DecodeRune(content[i:])
		kind := hiddenKind(r)
		if kind == shown || i == 0 && r == 0xfeff {
			h.end()
		} else {
			h.add(i, r, before, kind)
		}
		before = r
		i += size
	}
	h.end()
	s.reportHidden(&h)
}

// mayHide reports whether there is a hidden character. It reads only the first bytes of
// characters, which is faster than to decode them.
func mayHide(b []byte) bool {
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c < 0xc2:
			continue
		case c == 0xc2, c == 0xcd, c == 0xe1, c == 0xe2, c == 0xe3, c == 0xef, c >= 0xf3:
			if r, _ := utf8.DecodeRune(b[i:]); hiddenKind(r) != shown {
				return true
			}
		}
	}
	return false
}

// ascii reports whether all bytes are ASCII, or at least none begins a character that may be
// hidden.
func ascii(b []byte) bool {
	for len(b) > 0 {
		i := 0
		for i < len(b) && b[i] < utf8.RuneSelf {
			i++
		}
		if i < len(b) {
			return false
		}
		b = b[i:]
	}
	return true
}

func (h *hiddenScan) add(at int, r, before rune, kind int) {
	if h.run == 0 {
		h.runFrom = at
	}
	h.run++
	h.kinds[r], h.seen[kind] = true, true
	if kind == selector && !hasVariations(r, before) {
		if h.strangers == 0 {
			h.strangerAt = at
		}
		h.strangers++
		if r >= 0xe0100 { // hardly anything but Chinese characters has these
			h.strangers += 2
		}
	}
}

// hasVariations reports whether a selector is usual after a character: an emoji or a symbol, a
// digit of a keycap, a Chinese character, or for tags an emoji or another tag.
func hasVariations(r, before rune) bool {
	switch {
	case before < 0xa9:
		return r <= 0xfe0f && (before == '#' || before == '*' || before >= '0' && before <= '9')
	case r >= 0xe0000 && r < 0xe0080:
		return before == 0x1f3f4 || hiddenKind(before) == selector && before >= 0xe0000
	case r >= 0xe0100:
		return unicode.Is(unicode.Han, before)
	}
	return hiddenKind(before) == shown
}

// end ends a run of hidden characters. A run of one and the same character encodes nothing,
// unless it is a selector.
func (h *hiddenScan) end() {
	if h.run == 0 {
		return
	}
	if h.run > h.longest && (len(h.kinds) > 1 || h.run < longRun) {
		h.longest, h.longestAt = h.run, h.runFrom
	}
	h.run = 0
	clear(h.kinds)
}

func (s *Scanner) reportHidden(h *hiddenScan) {
	f := h.f
	switch {
	case h.longest >= longRun:
		s.findings.add(f.at(hiddenChars, High, h.longestAt, h.longestAt+30, fmt.Sprintf("%d characters in a row are invisible", h.longest)))
	case h.strangers >= manyStranger && f.isSource():
		s.findings.add(f.at(hiddenChars, High, h.strangerAt, h.strangerAt+30, fmt.Sprintf("%d variation selectors follow characters that have no variations", h.strangers)))
	}
	if f.isSource() && h.seen[bidi] {
		s.checkBidi(f)
	}
	if f.isSource() && h.seen[zeroWidth] {
		s.checkIdentifiers(f)
	}
}

// checkBidi looks for lines whose characters are shown in another order than they have: those
// with an override or an embedding that the line does not end. Single characters next to a quote
// or a bracket are those of programs that handle such text.
func (s *Scanner) checkBidi(f *file) {
	for from, line := range lines(f.content) {
		if at := unpaired(line); at >= 0 {
			s.findings.add(f.at(hiddenChars, High, from+at, from+len(line), "characters after this one are shown in another order than they have"))
			return
		}
	}
}

// lines yields the lines that are not only ASCII, with their offsets.
func lines(content []byte) func(func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		from := 0
		for line := range bytes.Lines(content) {
			if !ascii(line) && !yield(from, line) {
				return
			}
			from += len(line)
		}
	}
}

// unpaired returns the offset of the first character that starts another order, and neither is
// ended in its line nor stands alone in a text or pattern; or -1.
func unpaired(line []byte) int {
	var open []int
	for i := 0; i < len(line); {
		if line[i] < 0xe2 {
			i++
			continue
		}
		r, size := utf8.DecodeRune(line[i:])
		switch {
		case 0x202a <= r && r <= 0x202e && r != 0x202c, 0x2066 <= r && r <= 0x2068:
			if !standsAlone(line, i, size) && !amongRightToLeft(line, i) {
				open = append(open, i)
			}
		case r == 0x202c || r == 0x2069:
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
		i += size
	}
	if len(open) > 0 {
		return open[0]
	}
	return -1
}

// amongRightToLeft reports whether there are Arabic or Hebrew letters next to an offset, in
// whose texts such characters are usual.
func amongRightToLeft(line []byte, at int) bool {
	const near = 120 // bytes
	for _, r := range string(line[max(0, at-near):min(len(line), at+near)]) {
		if unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko) {
			return true
		}
	}
	return false
}

// standsAlone reports whether a character is next to a quote, or in a class of a pattern.
func standsAlone(line []byte, at, size int) bool {
	const around = "\"'`[-]|"
	before := at > 0 && bytes.IndexByte([]byte(around), line[at-1]) >= 0
	end := at + size
	after := end < len(line) && bytes.IndexByte([]byte(around), line[end]) >= 0
	return before || after
}

// checkIdentifiers looks for invisible characters among names and operators of code, outside of
// its texts, comments and patterns.
func (s *Scanner) checkIdentifiers(f *file) {
	if !f.isCode() {
		return
	}
	var lex lexer
	for i := 0; i < len(f.content); {
		if f.content[i] < utf8.RuneSelf {
			i = lex.next(f.content, i)
			continue
		}
		r, size := utf8.DecodeRune(f.content[i:])
		if hiddenKind(r) == zeroWidth && (r != 0xfeff || i > 0 && f.content[i-1] != '\n' && f.content[i-1] != ';') || r == 0x3164 || r == 0xffa0 {
			s.findings.add(f.at(hiddenChars, High, i, i+30, fmt.Sprintf("code has the invisible character U+%04X in a name, or between names", r)))
			return
		}
		i += size
		lex.last = 'a'
	}
}
