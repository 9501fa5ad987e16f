// Package npmsemver parses ranges of versions as npm does. Other libraries differ: here ^0.10.x
// ends before 0.11.0, >=1.2 has no upper bound, and 1.2.3 - 2.3 includes all of 2.3.
//
//	range       = alternative { "||" alternative }
//	alternative = partial " - " partial | { comparator }
//	comparator  = [ "<" | "<=" | ">" | ">=" | "=" | "^" | "~" | "~>" ] partial
//	partial     = x-or-number [ "." x-or-number [ "." x-or-number [ "-" pre ] [ "+" build ] ] ]
//
// All comparators of an alternative must be true; without any, it contains all versions. All
// forms are equivalent to comparators of complete versions:
//
//	^1.2.3         >=1.2.3 <2.0.0-0   ^0.2.3 is >=0.2.3 <0.3.0-0, ^0.0.3 is >=0.0.3 <0.0.4-0
//	~1.2.3         >=1.2.3 <1.3.0-0   also ~>1.2.3
//	1.2, 1.2.x     >=1.2.0 <1.3.0-0   also 1.2.X and 1.2.*
//	>1.2           >=1.3.0
//	<=1.2          <1.3.0-0
//	1.2 - 2.3      >=1.2.0 <2.4.0-0
//	*, x, "", >=*  anything
//	<*, >*         nothing
//
// npm has two grammars. In the strict one, which [ParseRange] uses, anything that is not a
// comparator is an error (1.x.3, 01.2.3). In the loose one, which [ParseLooseRange] uses,
// numbers may have leading zeros, prereleases need no hyphen (1.2.3beta), complete versions may
// begin with v, = and spaces, and anything that is not a comparator is skipped if there is at
// least one comparator: "1.x foo" is a range, and "latest" is not.
//
// Source: https://github.com/npm/node-semver at 7.8, range.bnf, README.md, classes/range.js and
// internal/re.js. The differences concern only meaningless text: numbers in prereleases are
// exact up to 2^64, not 2^53; a number of 22 digits or more is too large, where JavaScript may
// skip it as 1e+21; "foo x bar" is any version, like "x foo"; and in the strict grammar, =
// before the last version of "1 - =2.0.0-a" is an error.
package npmsemver

import (
	"slices"

	"github.com/Masterminds/semver/v3"
)

// A Range is a set of versions. The zero value is empty.
type Range struct {
	grammar      *grammar
	alternatives [][]comparator
}

// A comparator is true for the versions on one side of a bound.
type comparator struct {
	operator string // <, <=, >, >=; = and "" are the bound itself
	bound    *semver.Version
}

// Contains reports whether text is a version, in the grammar of the range, that is in r. A
// prerelease is in r only if a comparator has a prerelease with the same three numbers:
// ^1.2.3-a contains 1.2.3-b, but not 1.2.4-b.
func (r Range) Contains(text string) bool {
	if r.grammar == nil {
		return false
	}
	v, err := r.grammar.parseVersion(text)
	return err == nil && r.contains(v)
}

func (r Range) contains(v *semver.Version) bool {
	return slices.ContainsFunc(r.alternatives, func(all []comparator) bool {
		allowed := v.Prerelease() == ""
		for _, c := range all {
			if !c.matches(v) {
				return false
			}
			allowed = allowed || c.bound.Prerelease() != "" && numbers(c.bound) == numbers(v)
		}
		return allowed
	})
}

func (c comparator) matches(v *semver.Version) bool {
	order := v.Compare(c.bound)
	switch c.operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return order == 0
}

// Lowest returns the lowest version in the range, or false if there is none. It prefers 0.0.0 to
// prereleases of it. Unlike npm's minVersion it returns 3.0.0 for "2 <1 || 3".
func (r Range) Lowest() (*semver.Version, bool) {
	candidates := []*semver.Version{newVersion([3]uint64{}, ""), nothing.bound}
	for _, c := range slices.Concat(r.alternatives...) {
		candidates = append(candidates, c.candidate())
	}
	slices.SortFunc(candidates[2:], (*semver.Version).Compare)
	if i := slices.IndexFunc(candidates, r.contains); i >= 0 {
		return candidates[i], true
	}
	return nil, false
}

// candidate returns the lowest version for which the comparator is true; for < and <= it
// returns the bound.
func (c comparator) candidate() *semver.Version {
	n, pre := numbers(c.bound), c.bound.Prerelease()
	switch {
	case c.operator != ">":
		return c.bound
	case pre != "":
		return newVersion(n, pre+".0")
	}
	n[2]++
	return newVersion(n, "")
}
