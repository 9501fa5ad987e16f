package glob

import "slices"

// A place is an index in a name, from 0 to its length. spots are places.
type spots []bool

// only are the spots of a name of that length with one place.
func only(length, place int) spots {
	s := make(spots, length+1)
	s[place] = true
	return s
}

func (s spots) add(other spots) {
	for i, in := range other {
		s[i] = s[i] || in
	}
}

// A node is part of a segment's pattern. starts returns from where in the name it
// fits up to one of ends, which it does not change.
type node interface {
	starts(name []rune, ends spots) spots
}

// run is text as it is.
type run []rune

func (r run) starts(name []rune, ends spots) spots {
	out := make(spots, len(ends))
	for end := len(r); end < len(ends); end++ {
		start := end - len(r)
		out[start] = ends[end] && slices.Equal(name[start:end], r)
	}
	return out
}

// star fits any text with at least that many characters.
type star int

func (s star) starts(name []rune, ends spots) spots {
	out, found := make(spots, len(ends)), false
	for start := len(ends) - 1 - int(s); start >= 0; start-- {
		found = found || ends[start+int(s)]
		out[start] = found
	}
	return out
}

// one fits a character.
type one func(rune) bool

func (o one) starts(name []rune, ends spots) spots {
	out := make(spots, len(ends))
	for i, c := range name {
		out[i] = ends[i+1] && o(c)
	}
	return out
}

func every(rune) bool { return true }

// never fits nothing.
type never struct{}

func (never) starts(_ []rune, ends spots) spots { return make(spots, len(ends)) }

// undotted fits nothing of length nothing, but not before a whole name of one or
// two dots.
type undotted struct{}

func (undotted) starts(name []rune, ends spots) spots {
	if !dots(string(name)) {
		return ends
	}
	out := slices.Clone(ends)
	out[0] = false
	return out
}

// row is one node after the other.
type row []node

func (r row) starts(name []rune, ends spots) spots {
	for _, n := range slices.Backward(r) {
		ends = n.starts(name, ends)
	}
	return ends
}

// choice is one of its nodes.
type choice []row

func (c choice) starts(name []rune, ends spots) spots {
	out := make(spots, len(ends))
	for _, n := range c {
		out.add(n.starts(name, ends))
	}
	return out
}

// repeat is its choice any number of times, but at least once if so told.
type repeat struct {
	choice
	once bool
}

func (r repeat) starts(name []rune, ends spots) spots {
	out := slices.Clone(ends)
	for fresh := ends; slices.Contains(fresh, true); {
		found := r.choice.starts(name, fresh)
		fresh = make(spots, len(ends))
		for i, in := range found {
			fresh[i] = in && !out[i]
		}
		out.add(fresh)
	}
	if r.once {
		return r.choice.starts(name, out)
	}
	return out
}

// except is any text that starts where none of its choice fits up to the name's
// end. Its choice has the rest of the segment in it.
type except struct{ choice }

func (e except) starts(name []rune, ends spots) spots {
	out := star(0).starts(name, ends)
	for i, in := range e.choice.starts(name, only(len(name), len(name))) {
		out[i] = out[i] && !in
	}
	return out
}
