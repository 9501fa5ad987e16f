package npmrange

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"galbuild/build/ecmascript"
)

// A grammar is npm's strict or loose one. White space is single spaces, see collapse.
type grammar struct {
	skips   bool           // what is no comparator
	version *regexp.Regexp // its groups: major, minor, patch, prerelease
	partial *regexp.Regexp // the same, "" for what is missing
	hyphen  *regexp.Regexp // partial, its four, partial, its four
}

var (
	strict = newGrammar(`(?:0|[1-9][0-9]*)`, `-`, `v?`, false)
	loose  = newGrammar(`[0-9]+`, `-?`, before, true)
)

// What may stand before a partial version, and after a whole one.
const (
	before = `[v= ]*`
	after  = `\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*`
)

func newGrammar(number, dash, prefix string, skips bool) *grammar {
	id := `(?:[0-9]*[A-Za-z-][0-9A-Za-z-]*|` + number + `)`
	pre := `(?:` + dash + `(` + id + `(?:\.` + id + `)*))?`
	x, n := `(`+number+`|[xX*])`, `(`+number+`)`
	partial := before + x + `(?:\.` + x + `(?:\.` + x + pre + `)?)?`
	return &grammar{
		skips:   skips,
		version: regexp.MustCompile(`^` + prefix + n + `\.` + n + `\.` + n + pre + `(?:` + after + `)?$`),
		partial: regexp.MustCompile(`^` + partial + `$`),
		hyphen:  regexp.MustCompile(`^(` + partial + `) - (` + partial + `) ?$`),
	}
}

// Expressions of both grammars. spaced and caretSpace find the spaces after an
// operator, which npm takes out before it looks for words.
var (
	build      = regexp.MustCompile(after)
	operator   = regexp.MustCompile(`^(?:\^|~>?|[<>]?=?)`)
	spaced     = regexp.MustCompile(`( ?)([<>]?=?) ?(` + before + `[0-9xX*])`)
	caretSpace = regexp.MustCompile(`(~)>? +|(\^) +`)
	star       = regexp.MustCompile(`[<>]?=?\*`)
)

// Parse reads a range by the strict grammar. White space is any that JavaScript
// knows.
func Parse(text string) (Range, error) { return strict.parse(text) }

// ParseLoose reads a range by the loose grammar. An error means that nothing in text
// is a comparator, as in the name of a tag, or that a number is too large.
func ParseLoose(text string) (Range, error) { return loose.parse(text) }

func (g *grammar) parse(text string) (Range, error) {
	r := Range{grammar: g}
	for part := range strings.SplitSeq(collapse(text), "||") {
		all, some, err := g.alternative(strings.Trim(part, " "))
		if err != nil {
			return Range{}, fmt.Errorf("range %.300q: %w", text, err)
		}
		if some {
			r.alternatives = append(r.alternatives, all)
		}
	}
	if len(r.alternatives) == 0 {
		return Range{}, fmt.Errorf("range %.300q has no version to compare with", text)
	}
	// Beside "any release" npm drops the other alternatives, which might have had
	// prereleases in them.
	if slices.ContainsFunc(r.alternatives, func(all []comparator) bool { return len(all) == 0 }) {
		r.alternatives = [][]comparator{nil}
	}
	return r, nil
}

// collapse makes one space of white space, JavaScript's.
func collapse(s string) string {
	return strings.Join(strings.FieldsFunc(s, ecmascript.IsSpace), " ")
}

// alternative reads what stands between two ||: comparators that hold together, none
// for any version. some is false if all was skipped.
func (g *grammar) alternative(text string) (all []comparator, some bool, err error) {
	for _, word := range g.words(text) {
		comparators, ok := g.expand(word)
		if !ok && !g.skips {
			return nil, false, fmt.Errorf("%.300q is no version to compare with", word)
		}
		all, some = append(all, comparators...), some || ok
	}
	for _, c := range all {
		if err := checkNumbers(c.bound); err != nil {
			return nil, false, err
		}
	}
	return slices.DeleteFunc(all, comparator.isAny), some, nil
}

// isAny is for >=0.0.0, which npm takes for *: it lets prereleases pass too.
func (c comparator) isAny() bool {
	return c.operator == ">=" && numbers(c.bound) == [3]uint64{} && c.bound.Prerelease() == ""
}

// words are operators with their versions. What follows a + never counts.
func (g *grammar) words(text string) []string {
	text = build.ReplaceAllString(text, "")
	if m := g.hyphen.FindStringSubmatch(text); m != nil {
		return []string{">=" + hyphenEnd(m[1], m[2:6]), "<=" + hyphenEnd(m[6], m[7:11])}
	}
	text = spaced.ReplaceAllString(text, "$1$2$3")
	return strings.Split(caretSpace.ReplaceAllString(text, "$1$2"), " ")
}

// hyphenEnd drops what follows an x: 1.x.3 is fine here.
func hyphenEnd(text string, part []string) string {
	if p := newPartial(part); !p.whole() {
		return strings.Join(append(p.given, "x"), ".")
	}
	return text
}

// expand makes comparators of a word, none for any version. ok is false for what is
// no comparator.
func (g *grammar) expand(word string) (all []comparator, ok bool) {
	if word == "" {
		return nil, true
	}
	op := operator.FindString(word)
	p, ok := match(g.partial, word[len(op):])
	if ok && (isCaret(op) || !p.whole() && !p.misplaced) {
		return p.expand(op), true
	}
	// npm takes out a star wherever it stands: 1.2.3* is 1.2.3.
	if at := star.FindStringIndex(word); at != nil {
		word = word[:at[0]] + word[at[1]:]
	}
	op = operator.FindString(word)
	p, ok = match(g.version, word[len(op):])
	if !ok || isCaret(op) {
		return nil, false
	}
	return p.expand(op), true
}

func isCaret(op string) bool { return strings.HasPrefix(op, "^") || strings.HasPrefix(op, "~") }

// match reads what the expression has groups for: major, minor, patch, prerelease.
func match(expression *regexp.Regexp, text string) (partial, bool) {
	m := expression.FindStringSubmatch(text)
	if m == nil || len(text) > maxLength {
		return partial{}, false
	}
	return newPartial(m[1:]), true
}
