package glob

import "slices"

// build returns the segment of a parsed sequence. Without special characters it is a literal.
func build(root *sequence) segment {
	var b builder
	nodes := b.sequence(root)
	if b.runes {
		b = builder{runes: true}
		nodes = b.sequence(root)
	}
	prefix := ""
	if len(nodes) > 0 {
		if r, ok := nodes[0].(text); ok {
			prefix = string(decodeUnits(r))
		}
	}
	if !b.magic {
		return literal(prefix)
	}
	return tree{root: nodes, runes: b.runes, prefix: prefix}
}

// A builder makes nodes. build uses a second one, with runes, if the first has found a class of
// Unicode.
type builder struct {
	magic bool // the segment is not a literal
	runes bool // characters are runes, not UTF-16 code units
}

func (b *builder) sequence(s *sequence) concatenation {
	grouped := slices.ContainsFunc(s.parts, func(p part) bool { return p.group != nil })
	whole := !grouped && s.starts() && s.ends()
	var nodes concatenation
	for _, p := range s.parts {
		if p.group != nil {
			nodes = b.group(nodes, p.group)
		} else {
			nodes = b.text(nodes, p.text, whole)
		}
	}
	if len(s.parts) > 0 && s.parts[0].group == nil && s.starts() && mayBeDots(nodes) {
		nodes = append(concatenation{notDots{}}, nodes...)
	}
	return nodes
}

// mayBeDots reports whether nodes that are not all text could match . or ..
func mayBeDots(nodes concatenation) bool {
	if len(nodes) > 1 {
		if r, ok := nodes[0].(text); ok && isDots(string(r)) {
			nodes = nodes[1:]
		}
	}
	if len(nodes) == 0 {
		return false
	}
	switch nodes[0].(type) {
	case star, char:
		return true
	}
	return false
}

// text appends the nodes of text. whole is true if the text is all of the segment: then stars alone
// do not match an empty name.
func (b *builder) text(nodes concatenation, chars []rune, whole bool) concatenation {
	if b.runes {
		chars = decodeUnits(chars)
	}
	for i := 0; i < len(chars); i++ {
		switch c := chars[i]; {
		case c == '*':
			stars := 1
			for i+1 < len(chars) && chars[i+1] == '*' {
				stars++
				i++
			}
			b.magic = true
			if whole && stars == len(chars) {
				nodes = append(nodes, star(1))
			} else {
				nodes = append(nodes, star(0))
			}
		case c == '?':
			b.magic = true
			nodes = append(nodes, char(anyChar))
		case c == '\\' && i+1 < len(chars):
			i++
			nodes = appendChar(nodes, chars[i])
		case c == '[':
			var n int
			nodes, n = b.class(nodes, chars[i:])
			i += n - 1
		default:
			nodes = appendChar(nodes, c)
		}
	}
	return nodes
}

// class appends the class with which chars begins, and returns its length.
func (b *builder) class(nodes concatenation, chars []rune) (concatenation, int) {
	c, n := readClass(chars)
	if n == 0 {
		return appendChar(nodes, '['), 1
	}
	if single, ok := c.single(); ok {
		return appendChar(nodes, single), n
	}
	b.magic = true
	b.runes = b.runes || c.unicode
	if c.broken {
		return append(nodes, noMatch{}), n
	}
	return append(nodes, char(c.has)), n
}

// appendChar appends a literal character. It extends the last node if that is text.
func appendChar(nodes concatenation, c rune) concatenation {
	if n := len(nodes); n > 0 {
		if r, ok := nodes[n-1].(text); ok {
			nodes[n-1] = append(r, c)
			return nodes
		}
	}
	return append(nodes, text{c})
}

func (b *builder) group(nodes concatenation, g *group) concatenation {
	if g.kind == plain {
		return b.text(nodes, g.alts[0].parts[0].text, false)
	}
	alts := b.alternatives(g)
	if len(alts) == 0 {
		for _, c := range g.String() {
			nodes = appendChar(nodes, c)
		}
		return nodes
	}
	b.magic = true
	return append(nodes, groupNode(g, alts))
}

// alternatives returns the alternatives of a group, without empty ones if the group is the whole
// segment.
func (b *builder) alternatives(g *group) alternation {
	var alts alternation
	for _, a := range g.alts {
		alts = append(alts, b.sequence(a))
	}
	if g.kind == '!' || !g.starts() || !g.ends() {
		return alts
	}
	return slices.DeleteFunc(alts, func(c concatenation) bool { return len(c) == 0 })
}

func groupNode(g *group, alts alternation) node {
	switch g.kind {
	case '!':
		if g.emptyLast {
			return star(1)
		}
		return negation{alts}
	case '?':
		return append(alts, concatenation{})
	case '*':
		return repetition{alternation: alts}
	case '+':
		return repetition{alternation: alts, atLeastOnce: true}
	}
	return alts
}
