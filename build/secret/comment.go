package secret

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"galbuild/build/ecmascript"
)

// idPrefix is put before the name of a rule in comments.
const idPrefix = "@secretlint/secretlint-rule-"

// directive matches a directive of secretlint in a comment of any language. The rest of
// its line lists rules.
var directive = regexp.MustCompile(`secretlint-(disable-next-line|disable-line|disable|enable)([^\n\r\x{2028}\x{2029}]*)`)

// A suppression is a range of the text in which a rule does not report anything.
type suppression struct {
	rule     string // with idPrefix; "*" is all rules
	from, to int    // offsets
	open     bool   // no directive has ended it yet
}

// suppressions returns the ranges that the directives in a text make:
//
//	secretlint-disable [rule, …] [-- reason]            from here to the end, or to
//	secretlint-enable [rule, …]                         the next of these
//	secretlint-disable-line [rule, …] [-- reason]       the line of the comment
//	secretlint-disable-next-line [rule, …] [-- reason]  the line below
//
// Rules have their long names, such as @secretlint/secretlint-rule-npm. Without rules, a directive
// is for all. The rest of the line belongs to the last name, so a rule that is followed by the */
// of a comment is unknown. As in secretlint, the directives for one line have no effect on a last
// line without a line break.
//
// Source: @secretlint/secretlint-rule-filter-comments 10.2.2.
func suppressions(text []byte, lines []int) []suppression {
	if !bytes.Contains(text, []byte("secretlint-")) {
		return nil
	}
	var all []suppression
	for _, loc := range directive.FindAllSubmatchIndex(text, -1) {
		at, rules := loc[0], ruleNames(string(text[loc[4]:loc[5]]))
		switch string(text[loc[2]:loc[3]]) {
		case "disable":
			all = disable(all, rules, suppression{from: at, to: len(text), open: true})
		case "enable":
			enable(all, rules, at)
		case "disable-line":
			all = disable(all, rules, lineSuppression(lines, lineOf(lines, at)))
		case "disable-next-line":
			all = disable(all, rules, lineSuppression(lines, lineOf(lines, at)+1))
		}
	}
	return all
}

// ruleNames returns the names in the rest of a directive; none means all rules.
func ruleNames(rest string) []string {
	rest, _, _ = strings.Cut(rest, "--")
	var names []string
	for name := range strings.SplitSeq(rest, ",") {
		if name = strings.TrimFunc(name, ecmascript.IsSpace); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// lineSuppression covers the line with this number, from 1. It covers nothing if the line
// has no line break.
func lineSuppression(lines []int, line int) suppression {
	switch {
	case line > len(lines):
		return suppression{from: -1, to: -1, open: true}
	case line == len(lines):
		return suppression{from: lines[line-1], to: -1, open: true}
	}
	return suppression{from: lines[line-1], to: lines[line] - 1}
}

func disable(all []suppression, rules []string, s suppression) []suppression {
	if len(rules) == 0 {
		rules = []string{"*"}
	}
	for _, rule := range rules {
		s.rule = rule
		all = append(all, s)
	}
	return all
}

// enable ends the last open suppression of each rule. Without rules it ends the open
// suppressions of the last directive that has any.
func enable(all []suppression, rules []string, at int) {
	for _, rule := range rules {
		for i := range slices.Backward(all) {
			if s := &all[i]; s.open && s.rule == rule {
				s.to, s.open = at, false
				break
			}
		}
	}
	if len(rules) == 0 {
		enableLast(all, at)
	}
}

func enableLast(all []suppression, at int) {
	last := -1
	for i := range slices.Backward(all) {
		s := &all[i]
		if last > 0 && s.from != last {
			return
		}
		if s.open {
			s.to, s.open, last = at, false, s.from
		}
	}
}

// isSuppressed reports whether a match is within a suppression of its rule.
func isSuppressed(m match, all []suppression) bool {
	return slices.ContainsFunc(all, func(s suppression) bool {
		within := s.from <= m.from && m.to <= s.to && s.from >= 0
		return within && (s.rule == "*" || s.rule == idPrefix+m.rule)
	})
}
