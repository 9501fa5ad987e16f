package glob

import (
	"slices"
	"strings"
	"unicode"
)

// A named class is the set of characters of [:name:]. If a segment has one with unicode set, its
// characters are runes.
type named struct {
	name    string
	unicode bool
	outside bool // has returns true for characters that are not in the class
	has     func(rune) bool
}

// classes are those of minimatch, from its src/brace-expressions.ts.
var classes = []named{
	{"[:alnum:]", true, false, in(unicode.L, unicode.Nl, unicode.Nd)},
	{"[:alpha:]", true, false, in(unicode.L, unicode.Nl)},
	{"[:ascii:]", false, false, func(r rune) bool { return r < 0x80 }},
	{"[:blank:]", true, false, func(r rune) bool { return r == '\t' || unicode.Is(unicode.Zs, r) }},
	{"[:cntrl:]", true, false, in(unicode.Cc)},
	{"[:digit:]", true, false, in(unicode.Nd)},
	{"[:graph:]", true, true, func(r rune) bool { return unicode.Is(unicode.Z, r) || other(r) }},
	{"[:lower:]", true, false, in(unicode.Ll)},
	// In minimatch 10 these are the control characters.
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

// other reports whether r is in \p{C}. The table unicode.C lacks unassigned code points.
func other(r rune) bool {
	return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z)
}

// A class is the set of characters between [ and ].
type class struct {
	negated bool
	items   []item
	outside []func(rune) bool // sets of characters that are not in it
	unicode bool
	broken  bool // matches nothing, and ends the segment
}

// An item is a range of characters, or a set if set is not nil.
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

// single returns the character of a class with only one, such as [*].
func (c class) single() (rune, bool) {
	if c.broken || c.negated || len(c.items) != 1 || len(c.outside) > 0 || c.items[0].set != nil {
		return 0, false
	}
	return c.items[0].low, c.items[0].low == c.items[0].high
}

// has reports whether the class matches a character. As in minimatch, if it has sets of both
// kinds, one of them must match even if the class is negated.
func (c class) has(r rune) bool {
	inside := slices.ContainsFunc(c.items, func(i item) bool { return i.has(r) })
	outside := slices.ContainsFunc(c.outside, func(set func(rune) bool) bool { return set(r) })
	return len(c.items) > 0 && inside != c.negated || len(c.outside) > 0 && outside == c.negated
}

// rewritten returns the class that minimatch writes into its regular expression, which is
// negated if its first item is ^: [\^a] is [^a], and so is [z-a^a].
func (c class) rewritten() class {
	if _, ok := c.single(); ok || c.negated || len(c.items) == 0 || c.items[0].set != nil || c.items[0].low != '^' {
		return c
	}
	if high := c.items[0].high; high != '^' { // without its ^, the range ^-z is the two items - and z
		c.items = append(c.items, item{low: '-', high: '-'}, item{low: high, high: high})
	}
	c.items, c.negated = c.items[1:], true
	return c
}

// readClass parses the class with which text begins, and returns its length. The length is 0
// if the class is not closed; the [ is then literal.
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

// length returns the length of the class. A broken class extends to the end of the text.
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

// next parses a named class, a character or a range.
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

// rangeFrom parses the end of a range. A range whose end precedes its beginning is ignored. One
// that ends with a named class makes the class broken.
func (r *classReader) rangeFrom(low rune) {
	if _, named := r.named(); named {
		r.class.broken = true
		return
	}
	if high, ok := r.character(); ok && low <= high {
		r.class.items = append(r.class.items, item{low: low, high: high})
	}
}

// character reads a character, which may follow a backslash.
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
