// Package glob matches paths against the patterns of .vscodeignore and of "files" in
// package.json. These are the patterns of minimatch 10 with its option dot, which vsce uses.
// They are case-sensitive on every system.
//
// The syntax, in the order in which a pattern is parsed:
//
//	#…            a comment, which matches nothing
//	!…            matches what … does not match; a second ! negates it again
//	{a,b} {1..9}  expanded to several patterns as in a shell, see brace.go
//	a/b           segments; // is the same as /, and x/.. is removed; a pattern that begins
//	              with / or ./ matches no relative path
//	**            as a whole segment: any number of segments; at the end of a pattern, at
//	              least one
//	* ? [a-z]     within a segment; classes such as [[:alpha:]] are those of Unicode
//	?( *( +( @( !(  groups of alternatives a|b), see group.go
//	\             the next character is literal
//
// A character is a UTF-16 code unit, as in JavaScript: ? matches half of an emoji, unless the
// segment has a Unicode class such as [[:alpha:]].
//
// minimatch converts each segment to a regular expression. This package matches a tree of
// nodes against a name, from its end, with the set of positions at which the rest may begin.
// The time for this is bounded for hostile patterns, and !(…) needs no lookahead.
// Package github.com/bmatcuk/doublestar does not support groups and named classes, counts
// runes, and refuses patterns that minimatch takes literally.
//
// This package reproduces peculiarities of minimatch that decide about files: in a segment
// such as *.md or ?.md the text after the stars or question marks is literal, including
// backslashes; [\^a] is the same as [^a]; and !(a|), whose last alternative is empty, matches
// everything. It differs where minimatch is inconsistent:
//
//   - \| is a literal bar and does not separate alternatives.
//   - An empty group, such as @(), is literal text everywhere.
//   - A segment with [[:alpha:]] may also contain - , # ! and spaces, for which minimatch
//     fails with a syntax error.
//
// Source: https://github.com/isaacs/minimatch at 10.2.6 and
// https://github.com/juliangruber/brace-expansion at 5.0.13.
package glob

import (
	"slices"
	"strings"

	"galbuild/build/ecmascript"
)

// maxPattern is the maximum length of a pattern in UTF-16 code units. minimatch refuses longer
// ones; here they match nothing.
const maxPattern = 64 << 10

// A Pattern is a compiled pattern. The zero value matches nothing.
type Pattern struct {
	paths   []pathPattern // alternatives
	negated bool
}

// Compile parses a pattern. There are no errors: as in minimatch, malformed syntax is literal
// text.
func Compile(pattern string) Pattern {
	if strings.HasPrefix(pattern, "#") || ecmascript.Length(pattern) > maxPattern {
		return Pattern{}
	}
	rest := strings.TrimLeft(pattern, "!")
	p := Pattern{negated: (len(pattern)-len(rest))%2 == 1}
	for _, expanded := range expandBraces(rest) {
		p.paths = append(p.paths, newPathPattern(expanded))
	}
	return p
}

// Match reports whether the pattern matches the whole path, which is slashed and clean.
func (p Pattern) Match(path string) bool { return p.match(split(nil, path)) }

func (p Pattern) match(names []string) bool {
	for _, alternative := range p.paths {
		if alternative.match(names) {
			return !p.negated
		}
	}
	return p.negated
}

// Any reports whether one of the patterns matches path. It splits the path once, and is four
// times as fast as a Match of each pattern.
func Any(patterns []Pattern, path string) bool {
	names := split(make([]string, 0, 16), path)
	return slices.ContainsFunc(patterns, func(p Pattern) bool { return p.match(names) })
}

// MatchesAllBelow returns true only if the pattern matches every path below the folder dir; "" is
// the folder that paths are relative to. It may return false for such a pattern too.
func (p Pattern) MatchesAllBelow(dir string) bool {
	names := splitDir(dir)
	return !p.negated && slices.ContainsFunc(p.paths, func(a pathPattern) bool { return a.matchesAllBelow(names) })
}

// MayMatchBelow returns false only if the pattern matches no path below the folder dir; "" is
// the folder that paths are relative to.
func (p Pattern) MayMatchBelow(dir string) bool {
	names := splitDir(dir)
	return p.negated || slices.ContainsFunc(p.paths, func(a pathPattern) bool { return a.mayMatchBelow(names) })
}

func splitDir(dir string) []string {
	if dir == "" {
		return nil
	}
	return split(nil, dir)
}

// split appends the segments of a path to names. Several slashes in a row are one separator.
func split(names []string, path string) []string {
	for {
		name, rest, more := strings.Cut(path, "/")
		names = append(names, name)
		if !more {
			return names
		}
		path = strings.TrimLeft(rest, "/")
	}
}
