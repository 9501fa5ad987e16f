package secret

import (
	"slices"
	"strings"
)

// anchors finds any of many literals in one pass: each literal has three bytes that
// are rare, of which two are an even pair of the text wherever the literal is. So
// one look-up for each pair leaves few places to compare; searching for one literal
// after the other would read the text once for each.
type anchors struct {
	// group is where in groups the literals with that pair are; 0 is none.
	group  [1 << 16]uint8
	groups [][]literal
}

// A literal is what each match of a pattern contains.
type literal struct {
	text    string
	pair    int // where in text the pair is
	pattern int // index
}

// minLiteral is the least length of a literal in bytes.
const minLiteral = 3

func newAnchors(patterns []pattern) *anchors {
	a := &anchors{groups: make([][]literal, 1)}
	for i, p := range patterns {
		for _, text := range p.anchors {
			at := rarest(text)
			a.add(literal{text, at, i})
			a.add(literal{text, at + 1, i})
		}
	}
	return a
}

func (a *anchors) add(l literal) {
	g := &a.group[pair(l.text[l.pair], l.text[l.pair+1])]
	if *g == 0 {
		*g = uint8(len(a.groups))
		a.groups = append(a.groups, nil)
	}
	a.groups[*g] = append(a.groups[*g], l)
}

func pair(a, b byte) uint16 { return uint16(a)<<8 | uint16(b) }

// rarest returns where the three bytes of a literal begin that text is likely to
// hold least often. Dashes come in rows, small letters in words.
func rarest(literal string) int {
	sums := make([]int, len(literal)-minLiteral+1)
	for i := range sums {
		sums[i] = cost(literal[i]) + 2*cost(literal[i+1]) + cost(literal[i+2])
	}
	return slices.Index(sums, slices.Min(sums))
}

func cost(c byte) int {
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

// each calls f with the pattern and the offset of each occurrence of a literal, in
// the order of the text but for those that overlap.
func (a *anchors) each(text []byte, f func(pattern, at int)) {
	for i := 1; i < len(text); i += 2 {
		g := a.group[pair(text[i-1], text[i])]
		if g == 0 {
			continue
		}
		for _, l := range a.groups[g] {
			if at := i - 1 - l.pair; at >= 0 && len(text)-at >= len(l.text) && string(text[at:at+len(l.text)]) == l.text {
				f(l.pattern, at)
			}
		}
	}
}
