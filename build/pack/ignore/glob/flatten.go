package glob

import (
	"slices"
	"strings"
)

// minimatch simplifies nested groups before it makes regular expressions. This changes what a
// pattern with !( ) matches, so this package does the same.

// absorb reports whether the alternatives of an inner group can be moved to the outer group,
// and whether an empty alternative must be added, as from @(a|?(b)) to @(a|b|).
func absorb(outer, inner byte) (ok, empty bool) {
	var unchanged, withEmpty string // kinds of inner groups that are absorbed, without and with it
	switch outer {
	case '!':
		unchanged, withEmpty = "@", "?"
	case '?':
		unchanged = "?@"
	case '@':
		unchanged, withEmpty = "@", "?"
	case '*':
		unchanged = "*+?@"
	case '+':
		unchanged, withEmpty = "+@", "?*"
	}
	if strings.IndexByte(withEmpty, inner) >= 0 {
		return true, true
	}
	return strings.IndexByte(unchanged, inner) >= 0, false
}

// replace returns the kind of the group that is equivalent to an outer group whose only content is
// an inner group: * for ?(+( )).
func replace(outer, inner byte) (kind byte, ok bool) {
	switch {
	case outer == '@':
		return inner, true
	case outer == '!' && inner == '!':
		return '@', true
	case outer == '?' && (inner == '*' || inner == '+'), outer == '+' && (inner == '?' || inner == '*'):
		return '*', true
	}
	return 0, false
}

func (g *group) absorbs(inner byte) bool {
	ok, _ := absorb(g.kind, inner)
	return ok
}

func (s *sequence) flatten() {
	for _, p := range s.parts {
		if p.group != nil {
			p.group.flatten()
		}
	}
}

// flatten simplifies the alternatives until nothing changes, at most ten times.
func (g *group) flatten() {
	if g.kind == plain {
		return
	}
	for range 10 {
		changed := false
		for i := 0; i < len(g.alts); i++ {
			g.alts[i].flatten()
			changed = g.merge(i) || changed
		}
		if !changed {
			return
		}
	}
}

// merge simplifies alternative i if all of it is a group.
func (g *group) merge(i int) bool {
	inner := g.alts[i].onlyGroup()
	if inner == nil {
		return false
	}
	ok, empty := absorb(g.kind, inner.kind)
	kind, replaced := replace(g.kind, inner.kind)
	switch {
	case ok && empty:
		inner.alts = append(inner.alts, &sequence{at: len(inner.alts), parts: []part{{text: []rune{}}}})
		fallthrough
	case ok:
		g.alts = slices.Replace(g.alts, i, i+1, inner.alts...)
	case replaced && len(g.alts) == 1:
		g.kind, g.alts, g.emptyLast = kind, inner.alts, false
	default:
		return false
	}
	for _, a := range inner.alts {
		a.of = g
	}
	return true
}

// onlyGroup returns the group that is all of a sequence, or nil.
func (s *sequence) onlyGroup() *group {
	if len(s.parts) != 1 || s.parts[0].group == nil || s.parts[0].group.kind == plain {
		return nil
	}
	return s.parts[0].group
}

// maxCopies is the maximum number of parts that appendRests copies. Each !( ) copies those
// that follow it with their own copies, so twelve in a row reach it.
const maxCopies = 4096

// appendRests appends the parts that follow a negation to each of its alternatives, beginning
// with the last negation. It returns false if there are too many.
func appendRests(negations []*group) bool {
	copies := maxCopies
	for _, n := range slices.Backward(negations) {
		if n.kind != '!' {
			continue
		}
		for g := n; g != nil; g = g.in.of {
			for _, follows := range g.in.parts[min(g.at+1, len(g.in.parts)):] {
				for _, a := range n.alts {
					if a.copy(follows, &copies); copies < 0 {
						return false
					}
				}
			}
		}
	}
	return true
}

// copy appends a copy of p, unless no copies are left.
func (s *sequence) copy(p part, left *int) {
	*left--
	if p.group == nil || *left < 0 {
		s.add(p.text)
		return
	}
	c := &group{kind: p.group.kind, in: s, at: len(s.parts)}
	for i, a := range p.group.alts {
		alt := &sequence{of: c, at: i}
		for _, q := range a.parts {
			alt.copy(q, left)
		}
		c.alts = append(c.alts, alt)
	}
	s.parts = append(s.parts, part{group: c})
}
