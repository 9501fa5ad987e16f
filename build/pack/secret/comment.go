package secret

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"galbuild/build/ecmascript"
)

// idPrefix and a rule make the name that comments call the rule by.
const idPrefix = "@secretlint/secretlint-rule-"

// comment is how secretlint is told, in any language; the rest of its line names rules.
var comment = regexp.MustCompile(`secretlint-(disable-next-line|disable-line|disable|enable)([^\n\r\x{2028}\x{2029}]*)`)

// A stretch is text in which findings of a rule do not count.
type stretch struct {
	rule     string // with idPrefix; "*" is all
	from, to int
	open     bool // to is not known yet
}

// disabled returns the stretches that comments make:
//
//	secretlint-disable [rule, …] [-- reason]            from here to the end, or to
//	secretlint-enable [rule, …]                         the next of these
//	secretlint-disable-line [rule, …] [-- reason]       the comment's line
//	secretlint-disable-next-line [rule, …] [-- reason]  the line below
//
// Rules have their long names, such as @secretlint/secretlint-rule-npm; none means
// all. What follows a name belongs to it, so the end of a /* comment */ makes a
// name that is none. As in secretlint, a line counts only if it has an end: the last
// one needs a line break.
//
// Source: @secretlint/secretlint-rule-filter-comments 10.2.2.
func disabled(text []byte, lines []int) []stretch {
	if !bytes.Contains(text, []byte("secretlint-")) {
		return nil
	}
	var all []stretch
	for _, loc := range comment.FindAllSubmatchIndex(text, -1) {
		at, rules := loc[0], ruleNames(string(text[loc[4]:loc[5]]))
		switch string(text[loc[2]:loc[3]]) {
		case "disable":
			all = disable(all, rules, stretch{from: at, to: len(text), open: true})
		case "enable":
			enable(all, rules, at)
		case "disable-line":
			all = disable(all, rules, lineStretch(lines, lineOf(lines, at)))
		case "disable-next-line":
			all = disable(all, rules, lineStretch(lines, lineOf(lines, at)+1))
		}
	}
	return all
}

// ruleNames returns the names in the rest of a comment, none for all rules.
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

// lineStretch is the line of that number, from 1. It holds nothing if the line has
// no end.
func lineStretch(lines []int, line int) stretch {
	switch {
	case line > len(lines):
		return stretch{from: -1, to: -1, open: true}
	case line == len(lines):
		return stretch{from: lines[line-1], to: -1, open: true}
	}
	return stretch{from: lines[line-1], to: lines[line] - 1}
}

func disable(all []stretch, rules []string, s stretch) []stretch {
	if len(rules) == 0 {
		rules = []string{"*"}
	}
	for _, rule := range rules {
		s.rule = rule
		all = append(all, s)
	}
	return all
}

// enable ends the last open stretch of each rule; without rules, those of the last
// comment that has an open one.
func enable(all []stretch, rules []string, at int) {
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

func enableLast(all []stretch, at int) {
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

// covered tells whether the match is within a stretch of its rule.
func covered(m match, stretches []stretch) bool {
	return slices.ContainsFunc(stretches, func(s stretch) bool {
		within := s.from <= m.from && m.to <= s.to && s.from >= 0
		return within && (s.rule == "*" || s.rule == idPrefix+m.rule)
	})
}
