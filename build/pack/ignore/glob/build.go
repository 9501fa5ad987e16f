package glob

import "slices"

// build makes a segment of what was parsed. Without any magic that is a literal.
func build(root *sequence) segment {
	var b builder
	nodes := b.sequence(root)
	if b.runes {
		b = builder{runes: true}
		nodes = b.sequence(root)
	}
	prefix := ""
	if len(nodes) > 0 {
		if r, ok := nodes[0].(run); ok {
			prefix = string(joined(r))
		}
	}
	if !b.magic {
		return literal(prefix)
	}
	return shape{root: nodes, runes: b.runes, prefix: prefix}
}

// A builder makes nodes. It begins again with runes once it has found that a
// class needs them.
type builder struct {
	magic bool // more than text
	runes bool // text is in runes, not in UTF-16 units
}

func (b *builder) sequence(s *sequence) row {
	grouped := slices.ContainsFunc(s.parts, func(p part) bool { return p.group != nil })
	whole := !grouped && s.starts() && s.ends()
	var nodes row
	for _, p := range s.parts {
		if p.group != nil {
			nodes = b.group(nodes, p.group)
		} else {
			nodes = b.text(nodes, p.text, whole)
		}
	}
	if len(s.parts) > 0 && s.parts[0].group == nil && s.starts() && mayBeDots(nodes) {
		nodes = append(row{undotted{}}, nodes...)
	}
	return nodes
}

// mayBeDots tells whether nodes that are no plain text might fit . or ..
func mayBeDots(nodes row) bool {
	if len(nodes) > 1 {
		if r, ok := nodes[0].(run); ok && dots(string(r)) {
			nodes = nodes[1:]
		}
	}
	if len(nodes) == 0 {
		return false
	}
	switch nodes[0].(type) {
	case star, one:
		return true
	}
	return false
}

// text appends text. A whole name of nothing but stars is not empty.
func (b *builder) text(nodes row, text []rune, whole bool) row {
	if b.runes {
		text = joined(text)
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '*':
			stars := 1
			for i+1 < len(text) && text[i+1] == '*' {
				stars++
				i++
			}
			b.magic = true
			if whole && stars == len(text) {
				nodes = append(nodes, star(1))
			} else {
				nodes = append(nodes, star(0))
			}
		case c == '?':
			b.magic = true
			nodes = append(nodes, one(every))
		case c == '\\' && i+1 < len(text):
			i++
			nodes = literally(nodes, text[i])
		case c == '[':
			var n int
			nodes, n = b.class(nodes, text[i:])
			i += n - 1
		default:
			nodes = literally(nodes, c)
		}
	}
	return nodes
}

// class appends the class that text starts with, and returns its length.
func (b *builder) class(nodes row, text []rune) (row, int) {
	c, n := readClass(text)
	if n == 0 {
		return literally(nodes, '['), 1
	}
	if char, ok := c.single(); ok {
		return literally(nodes, char), n
	}
	b.magic = true
	b.runes = b.runes || c.unicode
	if c.broken {
		return append(nodes, never{}), n
	}
	return append(nodes, one(c.has)), n
}

// literally appends a character, to the text before it if there is one.
func literally(nodes row, c rune) row {
	if n := len(nodes); n > 0 {
		if r, ok := nodes[n-1].(run); ok {
			nodes[n-1] = append(r, c)
			return nodes
		}
	}
	return append(nodes, run{c})
}

func (b *builder) group(nodes row, g *group) row {
	if g.kind == plain {
		return b.text(nodes, g.alts[0].parts[0].text, false)
	}
	alts := b.alternatives(g)
	if len(alts) == 0 {
		for _, c := range g.String() {
			nodes = literally(nodes, c)
		}
		return nodes
	}
	b.magic = true
	return append(nodes, ofKind(g, alts))
}

// alternatives leaves out the empty ones of a group that is a whole name.
func (b *builder) alternatives(g *group) choice {
	var alts choice
	for _, a := range g.alts {
		alts = append(alts, b.sequence(a))
	}
	if g.kind == '!' || !g.starts() || !g.ends() {
		return alts
	}
	return slices.DeleteFunc(alts, func(r row) bool { return len(r) == 0 })
}

func ofKind(g *group, alts choice) node {
	switch g.kind {
	case '!':
		if g.open {
			return star(1)
		}
		return except{alts}
	case '?':
		return append(alts, row{})
	case '*':
		return repeat{choice: alts}
	case '+':
		return repeat{choice: alts, once: true}
	}
	return alts
}
