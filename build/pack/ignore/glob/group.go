package glob

import "strings"

// A group is alternatives in brackets. Its kind says how often one of them comes:
//
//	?(a|b)  once or not at all    *(a|b)  any number of times    @(a|b)  once
//	+(a|b)  once or more          !(a|b)  text that is none of them
//
// In x!(a|b)y, minimatch looks for ay and by up to the end of the segment before
// it lets !(a|b) fit; so parseSegment appends what follows to each alternative.
//
// Kind plain is a group that never ends: its one alternative has its text.
type group struct {
	kind byte
	alts []*sequence
	in   *sequence
	at   int // index in in.parts

	// open groups end in nothing: !() and !(a|), but to minimatch also !(@(a)).
	open bool
}

const plain = 0

// A sequence is text and groups, one after the other: a segment, or an
// alternative.
type sequence struct {
	parts []part
	of    *group // nil for the segment
	at    int    // 0 for all that were parsed, the index in of.alts for copies
}

// A part is a group, or text as it is written if that is nil.
type part struct {
	text  []rune
	group *group
}

func (s *sequence) add(text []rune) {
	if len(text) > 0 {
		s.parts = append(s.parts, part{text: text})
	}
}

// starts tells whether the sequence is where the name starts. Of copies, only the
// first alternative is.
func (s *sequence) starts() bool { return s.of == nil || s.at == 0 && s.of.starts() }

// ends tells whether the sequence is where the name ends, as those of !( ) are.
func (s *sequence) ends() bool { return s.of == nil || s.of.kind == '!' || s.of.ends() }

// starts is true after !( ) too, though that may fit something.
func (g *group) starts() bool {
	for _, before := range g.in.parts[:g.at] {
		if before.group == nil || before.group.kind != '!' {
			return false
		}
	}
	return g.in.starts()
}

func (g *group) ends() bool {
	return g.in.ends() && (g.kind == plain || g.at == len(g.in.parts)-1)
}

// String is the group as it is written.
func (g *group) String() string {
	alts := make([]string, len(g.alts))
	for i, a := range g.alts {
		alts[i] = a.String()
	}
	if g.kind == plain {
		return strings.Join(alts, "")
	}
	return string(g.kind) + "(" + strings.Join(alts, "|") + ")"
}

func (s *sequence) String() string {
	var b strings.Builder
	for _, p := range s.parts {
		if p.group != nil {
			b.WriteString(p.group.String())
		} else {
			b.WriteString(string(p.text))
		}
	}
	return b.String()
}
