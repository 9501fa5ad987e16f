package glob

import "strings"

// A group is a list of alternatives in brackets. Its kind is the character before them:
//
//	?(a|b)  once or not at all    *(a|b)  any number of times    @(a|b)  once
//	+(a|b)  once or more          !(a|b)  text that matches none of them
//
// In x!(a|b)y, minimatch requires that neither ay nor by matches up to the end of the
// segment. So parseSegment appends the parts that follow !( ) to each of its alternatives.
//
// Kind plain is a group that is not closed. Its only alternative has its text.
type group struct {
	kind byte
	alts []*sequence
	in   *sequence
	at   int // index in in.parts

	// emptyLast is true if no text precedes the ), as in !() and !(a|). As in minimatch, it is
	// also true for !(@(a)).
	emptyLast bool
}

const plain = 0

// A sequence has the parts of a segment or of an alternative, in order.
type sequence struct {
	parts []part
	of    *group // the group of an alternative; nil for the segment
	at    int    // for a copy, the index in of.alts; 0 for a parsed sequence
}

// A part is a group, or the text of a pattern if group is nil.
type part struct {
	text  []rune
	group *group
}

func (s *sequence) add(text []rune) {
	if len(text) > 0 {
		s.parts = append(s.parts, part{text: text})
	}
}

// starts reports whether the sequence is at the beginning of the segment. Of the alternatives of a
// copied group, only the first one can be.
func (s *sequence) starts() bool { return s.of == nil || s.at == 0 && s.of.starts() }

// ends reports whether the sequence is at the end of the segment. The alternatives of !( ) always
// are, because the rest of the segment has been appended to them.
func (s *sequence) ends() bool { return s.of == nil || s.of.kind == '!' || s.of.ends() }

// starts reports whether the group is at the beginning of the segment. It may follow !( ),
// although that can match text.
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

// String returns the text of the group.
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
