// Package glob matches paths against the patterns of .vscodeignore and of
// package.json's "files": those of minimatch 10 with its option dot, which is
// what vsce matches with. Case counts on every system.
//
// A pattern is read in this order:
//
//	#…            a comment, matches nothing
//	!…            everything but …; each further ! turns that round
//	{a,b} {1..9}  as in a shell: one pattern for each, see brace.go
//	a/b           split at slashes; // is /, x/.. is nothing; a leading / or ./ stays, and fits no relative path
//	**            as a whole segment: any number of segments, but at least one at the end of the pattern
//	* ? [a-z]     within a segment; [[:alpha:]] and its like are of Unicode
//	?( *( +( @( !(  groups of alternatives a|b); see group.go
//	\             makes the next character stand for itself
//
// Characters are UTF-16's, as in JavaScript: ? fits half of an emoji, unless the
// segment has a class such as [[:alpha:]].
//
// minimatch makes a regular expression of each segment. This package walks a
// tree, and from the name's end, with the set of places where the rest may
// start: that takes no longer for hostile patterns, and !(…) needs no look
// ahead. github.com/bmatcuk/doublestar, which finds packages elsewhere in this
// program, knows no groups and no classes by name, counts runes, and refuses
// what minimatch reads as plain text, so that most of what follows would have to
// stand before it.
//
// minimatch's oddities are kept where they decide about a file: a segment such
// as *.md or ?.md takes what follows the stars or marks as it is, backslashes
// too; [\^a] is [^a]; the last alternative of !(a|) makes it fit everything. Where minimatch
// contradicts itself, this package reads what the pattern says:
//
//   - \| is a bar, not an alternative,
//   - a group of nothing, such as @(), is its own text wherever it stands,
//   - a segment with [[:alpha:]] may also hold - , # ! and spaces, which end
//     minimatch with a syntax error.
//
// Source: https://github.com/isaacs/minimatch at 10.2.6 and
// https://github.com/juliangruber/brace-expansion at 5.0.13.
package glob

import (
	"slices"
	"strings"
)

// longest is the length of the longest pattern in UTF-16 units. minimatch refuses
// longer ones; here they match nothing.
const longest = 64 << 10

// A Pattern is ready to match. The zero value matches nothing.
type Pattern struct {
	routes  []route // one must match
	negated bool    // none may
}

// Compile reads a pattern. There is no bad one: what is not well formed stands for
// itself, as in minimatch.
func Compile(pattern string) Pattern {
	if strings.HasPrefix(pattern, "#") || width(pattern) > longest {
		return Pattern{}
	}
	rest := strings.TrimLeft(pattern, "!")
	p := Pattern{negated: (len(pattern)-len(rest))%2 == 1}
	for _, expanded := range expandBraces(rest) {
		p.routes = append(p.routes, newRoute(expanded))
	}
	return p
}

// Match tells whether the pattern fits all of path, which is slashed and clean.
func (p Pattern) Match(path string) bool { return p.match(split(nil, path)) }

func (p Pattern) match(names []string) bool {
	for _, r := range p.routes {
		if r.match(names) {
			return !p.negated
		}
	}
	return p.negated
}

// Any tells whether one of the patterns fits path. That is four times as fast as
// asking each, which would split the path each time.
func Any(patterns []Pattern, path string) bool {
	names := split(make([]string, 0, 16), path)
	return slices.ContainsFunc(patterns, func(p Pattern) bool { return p.match(names) })
}

// Covers tells that the pattern fits each path below the folder dir; "" is the
// folder that paths start from. False says nothing.
func (p Pattern) Covers(dir string) bool {
	names := folder(dir)
	return !p.negated && slices.ContainsFunc(p.routes, func(r route) bool { return r.covers(names) })
}

// Reaches is false only if the pattern fits no path below the folder dir; "" is
// the folder that paths start from.
func (p Pattern) Reaches(dir string) bool {
	names := folder(dir)
	return p.negated || slices.ContainsFunc(p.routes, func(r route) bool { return r.reaches(names) })
}

func folder(dir string) []string {
	if dir == "" {
		return nil
	}
	return split(nil, dir)
}

// split appends the segments of a path to names. Slashes in a row are one.
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
