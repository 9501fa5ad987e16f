package glob

import (
	"slices"
	"strings"
)

// minimatch rewrites groups in groups to simpler ones before it makes regular
// expressions. Mostly that changes nothing but speed; it does where !( ) is
// involved, so the same is done here.

// absorb tells whether @(a|?(b)) may be written without its inner group, and if
// that takes an empty alternative: @(a|b|).
func absorb(outer, inner byte) (ok, empty bool) {
	var same, more string // kinds, and kinds that need the empty one
	switch outer {
	case '!':
		same, more = "@", "?"
	case '?':
		same = "?@"
	case '@':
		same, more = "@", "?"
	case '*':
		same = "*+?@"
	case '+':
		same, more = "+@", "?*"
	}
	if strings.IndexByte(more, inner) >= 0 {
		return true, true
	}
	return strings.IndexByte(same, inner) >= 0, false
}

// replace returns the kind that both are if there is nothing else in the outer
// group: *( ) for ?(+( )).
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

// flatten goes over the alternatives until nothing changes, but ten times at most.
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

// merge takes the alternatives of a group that is all of alternative i.
func (g *group) merge(i int) bool {
	inner := g.alts[i].only()
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
		g.kind, g.alts, g.open = kind, inner.alts, false
	default:
		return false
	}
	for _, a := range inner.alts {
		a.of = g
	}
	return true
}

// only returns the group that is all of a sequence, or nil.
func (s *sequence) only() *group {
	if len(s.parts) != 1 || s.parts[0].group == nil || s.parts[0].group.kind == plain {
		return nil
	}
	return s.parts[0].group
}

// mostCopies is how many groups and texts appendRests copies. Each !( ) copies
// those after it with their copies, so it is reached with twelve in a row.
const mostCopies = 4096

// appendRests appends to each alternative of a negation what follows it, the last
// negation first. It is false if that is too much.
func appendRests(negations []*group) bool {
	copies := mostCopies
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
