package glob

import "slices"

// positions is a set of offsets in a name, from 0 to its length.
type positions []bool

// singlePosition returns the set with one position, for a name of this length.
func singlePosition(length, position int) positions {
	p := make(positions, length+1)
	p[position] = true
	return p
}

func (p positions) add(other positions) {
	for i, in := range other {
		p[i] = p[i] || in
	}
}

// A node is a part of the pattern of a segment. Method starts returns the positions in a
// name from which the node matches the text up to one of ends. It does not change ends.
type node interface {
	starts(name []rune, ends positions) positions
}

// text is literal text.
type text []rune

func (t text) starts(name []rune, ends positions) positions {
	out := make(positions, len(ends))
	for end := len(t); end < len(ends); end++ {
		start := end - len(t)
		out[start] = ends[end] && slices.Equal(name[start:end], t)
	}
	return out
}

// star matches any text with at least this number of characters.
type star int

func (s star) starts(name []rune, ends positions) positions {
	out, found := make(positions, len(ends)), false
	for start := len(ends) - 1 - int(s); start >= 0; start-- {
		found = found || ends[start+int(s)]
		out[start] = found
	}
	return out
}

// char matches one character for which the function returns true.
type char func(rune) bool

func (c char) starts(name []rune, ends positions) positions {
	out := make(positions, len(ends))
	for i, r := range name {
		out[i] = ends[i+1] && c(r)
	}
	return out
}

func anyChar(rune) bool { return true }

// noMatch matches nothing, not even empty text.
type noMatch struct{}

func (noMatch) starts(_ []rune, ends positions) positions { return make(positions, len(ends)) }

// notDots matches empty text, except at the beginning of a name that is . or ..
type notDots struct{}

func (notDots) starts(name []rune, ends positions) positions {
	if !isDots(string(name)) {
		return ends
	}
	out := slices.Clone(ends)
	out[0] = false
	return out
}

// concatenation matches its nodes one after the other.
type concatenation []node

func (c concatenation) starts(name []rune, ends positions) positions {
	for _, n := range slices.Backward(c) {
		ends = n.starts(name, ends)
	}
	return ends
}

// alternation matches one of its alternatives.
type alternation []concatenation

func (a alternation) starts(name []rune, ends positions) positions {
	out := make(positions, len(ends))
	for _, n := range a {
		out.add(n.starts(name, ends))
	}
	return out
}

// repetition matches its alternatives any number of times, or at least once.
type repetition struct {
	alternation
	atLeastOnce bool
}

func (r repetition) starts(name []rune, ends positions) positions {
	out := slices.Clone(ends)
	for added := ends; slices.Contains(added, true); {
		found := r.alternation.starts(name, added)
		added = make(positions, len(ends))
		for i, in := range found {
			added[i] = in && !out[i]
		}
		out.add(added)
	}
	if r.atLeastOnce {
		return r.alternation.starts(name, out)
	}
	return out
}

// negation matches any text that begins at a position from which none of its alternatives
// matches up to the end of the name. The alternatives include the rest of the segment.
type negation struct{ alternation }

func (n negation) starts(name []rune, ends positions) positions {
	out := star(0).starts(name, ends)
	for i, in := range n.alternation.starts(name, singlePosition(len(name), len(name))) {
		out[i] = out[i] && !in
	}
	return out
}
