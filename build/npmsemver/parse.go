package npmsemver

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"galbuild/build/ecmascript"
)

// A grammar is the strict or the loose one of npm. Its expressions expect single spaces, see
// collapse.
type grammar struct {
	skips   bool           // skips anything that is not a comparator
	version *regexp.Regexp // groups: major, minor, patch, prerelease
	partial *regexp.Regexp // the same groups, which may be empty
	hyphen  *regexp.Regexp // groups: a partial and its four groups, another and its four
}

var (
	strict = newGrammar(`(?:0|[1-9][0-9]*)`, `-`, `v?`, false)
	loose  = newGrammar(`[0-9]+`, `-?`, before, true)
)

// Expressions for the text before a partial version, and after a complete one.
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

// Expressions of both grammars. spaced and caretSpace match the spaces after an operator, which
// npm removes before it splits a range at spaces.
var (
	build      = regexp.MustCompile(after)
	operator   = regexp.MustCompile(`^(?:\^|~>?|[<>]?=?)`)
	spaced     = regexp.MustCompile(`( ?)([<>]?=?) ?(` + before + `[0-9xX*])`)
	caretSpace = regexp.MustCompile(`(~)>? +|(\^) +`)
	star       = regexp.MustCompile(`[<>]?=?\*`)
)

// ParseRange parses a range in the strict grammar. White space is that of JavaScript.
func ParseRange(text string) (Range, error) { return strict.parse(text) }

// ParseLooseRange parses a range in the loose grammar. It returns an error if text has no
// comparator, as in the name of a tag, or if a number is too large.
func ParseLooseRange(text string) (Range, error) { return loose.parse(text) }

func (g *grammar) parse(text string) (Range, error) {
	r := Range{grammar: g}
	for part := range strings.SplitSeq(collapse(text), "||") {
		all, found, err := g.alternative(strings.Trim(part, " "))
		if err != nil {
			return Range{}, fmt.Errorf("range %.300q: %w", text, err)
		}
		if found {
			r.alternatives = append(r.alternatives, all)
		}
	}
	if len(r.alternatives) == 0 {
		return Range{}, fmt.Errorf("range %.300q has no version", text)
	}
	// If one alternative is any version, npm drops the others, though they may contain
	// prereleases.
	if slices.ContainsFunc(r.alternatives, func(all []comparator) bool { return len(all) == 0 }) {
		r.alternatives = [][]comparator{nil}
	}
	return r, nil
}

// collapse replaces each run of JavaScript's white space by one space.
func collapse(s string) string {
	return strings.Join(strings.FieldsFunc(s, ecmascript.IsSpace), " ")
}

// alternative parses the comparators between two ||, all of which must be true. It returns none for
// any version. found is false if everything was skipped.
func (g *grammar) alternative(text string) (all []comparator, found bool, err error) {
	for _, word := range g.words(text) {
		comparators, ok := g.expand(word)
		if !ok && !g.skips {
			return nil, false, fmt.Errorf("%.300q is not a version", word)
		}
		all, found = append(all, comparators...), found || ok
	}
	for _, c := range all {
		if err := checkNumbers(c.bound); err != nil {
			return nil, false, err
		}
	}
	return slices.DeleteFunc(all, comparator.isAny), found, nil
}

// isAny reports whether a comparator is >=0.0.0, which npm treats as *: it allows prereleases.
func (c comparator) isAny() bool {
	return c.operator == ">=" && numbers(c.bound) == [3]uint64{} && c.bound.Prerelease() == ""
}

// words splits text into comparators. It removes builds, which follow a +.
func (g *grammar) words(text string) []string {
	text = build.ReplaceAllString(text, "")
	if m := g.hyphen.FindStringSubmatch(text); m != nil {
		return []string{">=" + hyphenEnd(m[1], m[2:6]), "<=" + hyphenEnd(m[6], m[7:11])}
	}
	text = spaced.ReplaceAllString(text, "$1$2$3")
	return strings.Split(caretSpace.ReplaceAllString(text, "$1$2"), " ")
}

// hyphenEnd removes the text after an x of a partial in a hyphen range, where 1.x.3 is valid.
func hyphenEnd(text string, part []string) string {
	if p := newPartial(part); !p.isComplete() {
		return strings.Join(append(p.given, "x"), ".")
	}
	return text
}

// expand returns the comparators that are equivalent to a word, or none for any version. ok is
// false if the word is not a comparator.
func (g *grammar) expand(word string) (all []comparator, ok bool) {
	if word == "" {
		return nil, true
	}
	op := operator.FindString(word)
	p, ok := match(g.partial, word[len(op):])
	if ok && (isCaret(op) || !p.isComplete() && !p.misplaced) {
		return p.expand(op), true
	}
	// npm removes a star at any position: 1.2.3* is 1.2.3.
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

// match returns the groups of an expression: major, minor, patch, prerelease.
func match(expression *regexp.Regexp, text string) (partial, bool) {
	m := expression.FindStringSubmatch(text)
	if m == nil || len(text) > maxLength {
		return partial{}, false
	}
	return newPartial(m[1:]), true
}
