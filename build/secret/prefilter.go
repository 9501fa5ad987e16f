package secret

import (
	"slices"
	"strings"
)

// A prefilter finds the occurrences of many literals in one pass over a text, instead of one pass
// for each literal. It stores two overlapping pairs of bytes of each literal. Wherever the literal
// occurs, one of these pairs is at an even offset of the text. So it looks up every second offset,
// and compares literals at few of them.
type prefilter struct {
	// group is the index in groups of the literals that have a pair; 0 is none.
	group  [1 << 16]uint8
	groups [][]literal
}

// A literal is text that occurs in each match of a pattern, or in each match of one of its
// alternatives.
type literal struct {
	text    string
	pair    int // offset of the pair in text
	pattern int // index in patterns
}

// minLiteral is the minimum length of a literal in bytes.
const minLiteral = 3

func newPrefilter(patterns []pattern) *prefilter {
	f := &prefilter{groups: make([][]literal, 1)}
	for i, p := range patterns {
		for _, text := range p.literals {
			at := rarest(text)
			f.add(literal{text, at, i})
			f.add(literal{text, at + 1, i})
		}
	}
	return f
}

func (f *prefilter) add(l literal) {
	g := &f.group[pair(l.text[l.pair], l.text[l.pair+1])]
	if *g == 0 {
		*g = uint8(len(f.groups))
		f.groups = append(f.groups, nil)
	}
	f.groups[*g] = append(f.groups[*g], l)
}

func pair(a, b byte) uint16 { return uint16(a)<<8 | uint16(b) }

// rarest returns the offset of the three consecutive bytes of a literal that are likely
// to be the rarest in a text. Dashes often come in rows, and small letters in words.
func rarest(literal string) int {
	sums := make([]int, len(literal)-minLiteral+1)
	for i := range sums {
		sums[i] = frequency(literal[i]) + 2*frequency(literal[i+1]) + frequency(literal[i+2])
	}
	return slices.Index(sums, slices.Min(sums))
}

// frequency is a rough rank of how often a byte occurs in source code.
func frequency(c byte) int {
	switch {
	case c == '-':
		return 4
	case strings.IndexByte("aeinorst", c) >= 0:
		return 3
	case 'a' <= c && c <= 'z':
		return 2
	}
	return 1
}

// each calls visit with the pattern and the offset of each occurrence of a literal, in the
// order of the text, except that overlapping ones may be in any order.
func (f *prefilter) each(text []byte, visit func(pattern, at int)) {
	for i := 1; i < len(text); i += 2 {
		g := f.group[pair(text[i-1], text[i])]
		if g == 0 {
			continue
		}
		for _, l := range f.groups[g] {
			if at := i - 1 - l.pair; at >= 0 && len(text)-at >= len(l.text) && string(text[at:at+len(l.text)]) == l.text {
				visit(l.pattern, at)
			}
		}
	}
}
