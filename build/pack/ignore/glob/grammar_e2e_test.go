//go:build e2e

package glob

import (
	"math/rand/v2"
	"strings"
)

// A fragment is a random part of a pattern, and a function that returns text which it is
// likely to match.
type fragment struct {
	pattern string
	sample  func() string
}

// A grammar makes random patterns.
type grammar struct{ *rand.Rand }

func (g grammar) pick(from ...string) string { return from[g.IntN(len(from))] }

func fixed(pattern, text string) fragment { return fragment{pattern, func() string { return text }} }

// pattern returns a pattern and paths to match against it.
func (g grammar) pattern() query {
	var texts []string
	var samples []func() string
	for range 1 + g.IntN(3) + g.IntN(2)*g.IntN(4) {
		s := g.segment(2)
		texts, samples = append(texts, s.pattern), append(samples, s.sample)
	}
	q := query{Pattern: g.pick("", "", "", "", "", "", "", "", "", "!", "!!", "#", "./", "/") + strings.Join(texts, g.pick("/", "/", "/", "/", "//"))}
	for range 5 {
		var names []string
		for _, s := range samples {
			names = append(names, s())
		}
		q.Paths = append(q.Paths, clean(strings.Join(names, "/")), clean(g.path()))
		q.Paths = append(q.Paths, clean(strings.Join(append(names[:len(names)-1:len(names)-1], g.name()), "/")))
		if i := g.IntN(len(names)); len(names) > 1 {
			q.Paths = append(q.Paths, clean(strings.Join(append(names[:i:i], names[i+1:]...), "/")))
		}
	}
	return q
}

// clean returns a relative path; "a" for an empty one.
func clean(text string) string {
	var names []string
	for _, name := range strings.Split(text, "/") {
		if name != "" && !isDots(name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "a"
	}
	return strings.Join(names, "/")
}

func (g grammar) path() string {
	names := []string{g.name()}
	for g.IntN(2) == 0 {
		names = append(names, g.name())
	}
	return strings.Join(names, "/")
}

func (g grammar) name() string {
	var b strings.Builder
	for range 1 + g.IntN(4) {
		b.WriteString(g.character())
	}
	return b.String()
}

func (g grammar) character() string {
	return g.pick("a", "b", "c", "a", "b", "A", ".", "1", "-", "x", "é", "😀", "(", "[", "!", "\\", "{", ",")
}

func (g grammar) segment(depth int) fragment {
	switch g.IntN(14) {
	case 0, 1, 2:
		return fragment{"**", func() string { return g.pick("", "a", "a/b", "x/.b/c") }}
	case 3:
		return fixed(g.pick("..", ".", "..", "***"), "a")
	}
	return g.fragments(depth)
}

func (g grammar) fragments(depth int) fragment {
	var all []fragment
	for range 1 + g.IntN(4) {
		all = append(all, g.fragment(depth))
	}
	var text strings.Builder
	for _, m := range all {
		text.WriteString(m.pattern)
	}
	return fragment{text.String(), func() string {
		var b strings.Builder
		for _, m := range all {
			b.WriteString(m.sample())
		}
		return b.String()
	}}
}

func (g grammar) fragment(depth int) fragment {
	switch n := g.IntN(20); {
	case n < 7:
		c := g.pick("a", "b", "c", "ab", ".", "1", "x", "-", "é", "😀")
		return fixed(c, c)
	case n < 10:
		return fragment{g.pick("*", "*", "*", "**"), func() string { return g.pick("", "a", ".b", "bc") }}
	case n < 11:
		return fragment{"?", g.character}
	case n < 13:
		return g.class()
	case n < 14:
		c := g.pick("a", "*", "[", "]", "(", "{", "!", "?", "\\", ",", "}", "#", ")", "-")
		return fixed("\\"+c, c)
	case n < 15:
		c := g.pick("(", ")", "|", "[", "]", "{", "}", "!", "+", "@", ",", "$", "+(", "!(", "*(", "#", "\\", "@()", "!()")
		return fixed(c, c)
	case n < 17:
		return g.braces(depth)
	case depth > 0:
		return g.group(depth - 1)
	}
	return g.class()
}

func (g grammar) class() fragment {
	var b strings.Builder
	b.WriteString("[" + g.pick("", "", "", "!", "^") + g.pick("", "", "", "]"))
	for range g.IntN(4) {
		b.WriteString(g.pick("a", "b", "a-c", "A-Z", "-", ".", "[", "\\]", "é", "c-a", "1-", "\\a-c", "^", "😀",
			"[:alpha:]", "[:"+g.pick("alnum", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word", "xdigit", "nope")+":]"))
	}
	return fragment{b.String() + g.pick("]", "]", "]", "]", "]", "]", ""), g.character}
}

func (g grammar) braces(depth int) fragment {
	if g.IntN(3) == 0 {
		s := g.pick("1..3", "a..c", "c..a", "01..9..4", "-1..1", "3..1..2", "1..2..0", "Z..b", "1..", "..2", "a..3")
		return fragment{g.pick("{", "{", "{", "{", "${") + s + "}", func() string { return g.pick("1", "2", "a", "b", "c", "01", "05", "-1") }}
	}
	items := []fragment{fixed("", "")}
	if g.IntN(3) > 0 {
		items = nil
	}
	for range 1 + g.IntN(3) {
		m := g.fragments(max(depth-1, 0))
		if g.IntN(6) == 0 {
			inner := m
			m = fragment{m.pattern + "/b", func() string { return inner.sample() + "/b" }}
		}
		items = append(items, m)
	}
	g.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	return g.list("{", ",", "}", items)
}

func (g grammar) group(depth int) fragment {
	var items []fragment
	for range 1 + g.IntN(3) {
		if g.IntN(8) == 0 {
			items = append(items, fixed("", ""))
		} else {
			items = append(items, g.fragments(depth))
		}
	}
	return g.list(g.pick("!", "!", "@", "*", "+", "?")+"(", "|", ")", items)
}

func (g grammar) list(open, between, end string, items []fragment) fragment {
	texts := make([]string, len(items))
	for i, m := range items {
		texts[i] = m.pattern
	}
	return fragment{open + strings.Join(texts, between) + end, func() string { return items[g.IntN(len(items))].sample() }}
}
