package glob

import "strings"

// maxDepth is the maximum depth of nested groups. As in minimatch, deeper groups are literal
// text, unless the group that contains them absorbs them.
const maxDepth = 3

// parseSegment parses the groups of a segment. It returns false if there are too many !( ).
func parseSegment(text string) (*sequence, bool) {
	p := parser{text: utf16Units(text)}
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

// step reads a character, and reports whether it can be special.
func (p *parser) step(b *brackets) (rune, bool) {
	c := p.text[p.next]
	p.next++
	return c, !b.isLiteral(c, p.next)
}

// opens reports whether the character just read, kind, begins a group.
func (p *parser) opens(kind rune) bool {
	return kind < 0x80 && strings.ContainsRune("?*+@!", kind) && p.next < len(p.text) && p.text[p.next] == '('
}

// group parses a group after its kind was read. A group that is not closed is literal text up
// to the end of the segment.
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

// alternative parses up to | or ), which it returns, or 0 at the end of the text.
func (p *parser) alternative(g *group, depth int) (*sequence, rune) {
	alt, from := &sequence{of: g}, p.next
	var b brackets
	for p.next < len(p.text) {
		c, ok := p.step(&b)
		switch {
		case !ok:
		case c == '|', c == ')':
			g.emptyLast = p.next-1 == from
			alt.add(p.text[from : p.next-1])
			return alt, c
		case p.opens(c) && (depth < maxDepth || g.absorbs(byte(c))):
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

// brackets tracks which characters are not special for groups: those after a backslash and
// those in a class. When minimatch searches for groups, it ends a class earlier than
// readClass does in some cases.
type brackets struct {
	escaped bool
	inside  bool // a class
	from    int  // index in the text after the [ of the class
	negated bool // the class begins with ! or ^
}

// isLiteral reports whether the character at index next-1 is not special.
func (b *brackets) isLiteral(c rune, next int) bool {
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
