package glob

import (
	"slices"
	"strings"
	"unicode"
)

// A named class is what [:name:] stands for. Those of Unicode make the segment
// count runes.
type named struct {
	name    string
	unicode bool
	outside bool // the set says what is not in the class
	has     func(rune) bool
}

// classes are minimatch's, from its src/brace-expressions.ts.
var classes = []named{
	{"[:alnum:]", true, false, in(unicode.L, unicode.Nl, unicode.Nd)},
	{"[:alpha:]", true, false, in(unicode.L, unicode.Nl)},
	{"[:ascii:]", false, false, func(r rune) bool { return r < 0x80 }},
	{"[:blank:]", true, false, func(r rune) bool { return r == '\t' || unicode.Is(unicode.Zs, r) }},
	{"[:cntrl:]", true, false, in(unicode.Cc)},
	{"[:digit:]", true, false, in(unicode.Nd)},
	{"[:graph:]", true, true, func(r rune) bool { return unicode.Is(unicode.Z, r) || other(r) }},
	{"[:lower:]", true, false, in(unicode.Ll)},
	// minimatch 10 has control characters in this one.
	{"[:print:]", true, false, other},
	{"[:punct:]", true, false, in(unicode.P)},
	{"[:space:]", true, false, func(r rune) bool { return '\t' <= r && r <= '\r' || unicode.Is(unicode.Z, r) }},
	{"[:upper:]", true, false, in(unicode.Lu)},
	{"[:word:]", true, false, in(unicode.L, unicode.Nl, unicode.Nd, unicode.Pc)},
	{"[:xdigit:]", false, false, func(r rune) bool { return r < 0x80 && strings.ContainsRune("0123456789abcdefABCDEF", r) }},
}

func in(tables ...*unicode.RangeTable) func(rune) bool {
	return func(r rune) bool { return unicode.In(r, tables...) }
}

// other is \p{C}. Go's table of that name lacks what is not assigned.
func other(r rune) bool {
	return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z)
}

// A class is what [ and ] enclose.
type class struct {
	negated bool
	items   []item
	outside []func(rune) bool // sets of what is not in it
	unicode bool
	broken  bool // fits nothing, nor does what follows it
}

// An item is a range of characters, or a set if that is not nil.
type item struct {
	low, high rune
	set       func(rune) bool
}

func (i item) has(r rune) bool {
	if i.set != nil {
		return i.set(r)
	}
	return i.low <= r && r <= i.high
}

// single returns the only character of a class such as [*].
func (c class) single() (rune, bool) {
	if c.broken || c.negated || len(c.items) != 1 || len(c.outside) > 0 || c.items[0].set != nil {
		return 0, false
	}
	return c.items[0].low, c.items[0].low == c.items[0].high
}

// has tells whether the class fits a character. With both sorts of sets in it,
// minimatch asks for one of them even if the class is negated.
func (c class) has(r rune) bool {
	inside := slices.ContainsFunc(c.items, func(i item) bool { return i.has(r) })
	outside := slices.ContainsFunc(c.outside, func(set func(rune) bool) bool { return set(r) })
	return len(c.items) > 0 && inside != c.negated || len(c.outside) > 0 && outside == c.negated
}

// rewritten is the class that minimatch writes into its regular expression. There a
// ^ that has come to the front negates it: [\^a] is [^a], as is [z-a^a].
func (c class) rewritten() class {
	if _, ok := c.single(); ok || c.negated || len(c.items) == 0 || c.items[0].set != nil || c.items[0].low != '^' {
		return c
	}
	if high := c.items[0].high; high != '^' { // a range is - and its end then
		c.items = append(c.items, item{low: '-', high: '-'}, item{low: high, high: high})
	}
	c.items, c.negated = c.items[1:], true
	return c
}

// readClass reads the class that text starts with, and returns its length, 0 if it
// never ends: then [ is a bracket.
func readClass(text []rune) (class, int) {
	r := classReader{text: text, at: 1}
	if r.starts("!") || r.starts("^") {
		r.class.negated = true
		r.at++
	}
	for first := true; r.at < len(text) && !r.class.broken; first = false {
		if r.starts("]") && !first {
			r.class.broken = len(r.class.items)+len(r.class.outside) == 0
			r.at++
			return r.class.rewritten(), r.length()
		}
		r.next()
	}
	if r.class.broken {
		return r.class, len(text)
	}
	return class{}, 0
}

type classReader struct {
	text  []rune
	at    int
	class class
}

// length is that of the class, or all there is of a broken one.
func (r *classReader) length() int {
	if r.class.broken {
		return len(r.text)
	}
	return r.at
}

func (r *classReader) starts(s string) bool {
	for i := range len(s) {
		if r.at+i >= len(r.text) || r.text[r.at+i] != rune(s[i]) {
			return false
		}
	}
	return true
}

// next reads one named class, character or range.
func (r *classReader) next() {
	if n, ok := r.named(); ok {
		r.at += len(n.name)
		r.class.unicode = r.class.unicode || n.unicode
		if n.outside {
			r.class.outside = append(r.class.outside, n.has)
		} else {
			r.class.items = append(r.class.items, item{set: n.has})
		}
		return
	}
	low, ok := r.character()
	switch {
	case !ok:
	case r.starts("-]"):
		r.at++
		r.class.items = append(r.class.items, item{low: low, high: low}, item{low: '-', high: '-'})
	case r.starts("-"):
		r.at++
		r.rangeFrom(low)
	default:
		r.class.items = append(r.class.items, item{low: low, high: low})
	}
}

// rangeFrom reads the end of a range. One that ends before it starts is passed
// over, one that ends in a named class breaks all.
func (r *classReader) rangeFrom(low rune) {
	if _, named := r.named(); named {
		r.class.broken = true
		return
	}
	if high, ok := r.character(); ok && low <= high {
		r.class.items = append(r.class.items, item{low: low, high: high})
	}
}

// character reads a character, which may have a backslash before it.
func (r *classReader) character() (rune, bool) {
	if r.starts(`\`) {
		r.at++
	}
	if r.at == len(r.text) {
		return 0, false
	}
	r.at++
	return r.text[r.at-1], true
}

func (r *classReader) named() (named, bool) {
	if i := slices.IndexFunc(classes, func(n named) bool { return r.starts(n.name) }); i >= 0 {
		return classes[i], true
	}
	return named{}, false
}
