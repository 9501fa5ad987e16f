package glob

import "strings"

// deepest is how deep groups nest. Below it, only those open that their group can
// absorb; the others are text.
const deepest = 3

// parseSegment reads a segment's groups. It is false if there are too many !( ).
func parseSegment(text string) (*sequence, bool) {
	p := parser{text: units(text)}
	root := p.segment()
	root.flatten()
	return root, appendRests(p.negations)
}

type parser struct {
	text      []rune
	next      int
	negations []*group
}

func (p *parser) segment() *sequence {
	root, from := &sequence{}, 0
	var b brackets
	for p.next < len(p.text) {
		kind, ok := p.step(&b)
		if !ok || !p.opens(kind) {
			continue
		}
		root.add(p.text[from : p.next-1])
		root.parts = append(root.parts, part{group: p.group(kind, root, 1)})
		from = p.next
	}
	root.add(p.text[from:])
	return root
}

// step reads a character, and tells whether it may mean something.
func (p *parser) step(b *brackets) (rune, bool) {
	c := p.text[p.next]
	p.next++
	return c, !b.text(c, p.next)
}

// opens tells whether a group of that kind starts with the character just read.
func (p *parser) opens(kind rune) bool {
	return kind < 0x80 && strings.ContainsRune("?*+@!", kind) && p.next < len(p.text) && p.text[p.next] == '('
}

// group reads a group, whose kind was read. One that never ends is all the rest.
func (p *parser) group(kind rune, in *sequence, depth int) *group {
	g := &group{kind: byte(kind), in: in, at: len(in.parts)}
	if kind == '!' {
		p.negations = append(p.negations, g)
	}
	start := p.next - 1
	p.next++
	for {
		alt, end := p.alternative(g, depth)
		g.alts = append(g.alts, alt)
		if end == ')' {
			return g
		}
		if end == 0 {
			g.kind, g.alts = plain, []*sequence{{of: g, parts: []part{{text: p.text[start:]}}}}
			return g
		}
	}
}

// alternative reads up to | or ), which it returns, or 0 at the end of the text.
func (p *parser) alternative(g *group, depth int) (*sequence, rune) {
	alt, from := &sequence{of: g}, p.next
	var b brackets
	for p.next < len(p.text) {
		c, ok := p.step(&b)
		switch {
		case !ok:
		case c == '|', c == ')':
			g.open = p.next-1 == from
			alt.add(p.text[from : p.next-1])
			return alt, c
		case p.opens(c) && (depth < deepest || g.absorbs(byte(c))):
			alt.add(p.text[from : p.next-1])
			below := depth + 1
			if g.absorbs(byte(c)) {
				below = depth
			}
			alt.parts = append(alt.parts, part{group: p.group(c, alt, below)})
			from = p.next
		}
	}
	return alt, 0
}

// brackets know which characters stand for themselves: those after a backslash,
// and those in a class. This is where minimatch takes a class to end when it looks
// for groups; readClass knows better.
type brackets struct {
	escaped bool
	inside  bool
	from    int  // where the class starts, after its [
	negated bool // it starts with ! or ^
}

// text tells whether the character before index next stands for itself.
func (b *brackets) text(c rune, next int) bool {
	switch {
	case b.escaped || c == '\\':
		b.escaped = !b.escaped
	case b.inside && next == b.from+1:
		b.negated = c == '^' || c == '!'
	case b.inside:
		b.inside = c != ']' || next == b.from+2 && b.negated
	case c == '[':
		*b = brackets{inside: true, from: next}
	default:
		return false
	}
	return true
}
