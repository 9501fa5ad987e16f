// Package semver reads ranges of versions as npm does, which is not as other
// libraries do: ^0.10.x ends before 0.11.0, >=1.2 has no hidden upper end, and
// 1.2.3 - 2.3 includes all of 2.3.
//
//	range       = alternative { "||" alternative }
//	alternative = partial " - " partial | { comparator }     all comparators hold; none is any version
//	comparator  = [ "<" | "<=" | ">" | ">=" | "=" | "^" | "~" | "~>" ] partial
//	partial     = number-or-x [ "." number-or-x [ "." number-or-x [ "-" prerelease ] [ "+" build ] ] ]
//
// All forms are short for comparators of whole versions:
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
// npm has two grammars. By the strict one, that of [ParseRange], what is no comparator is
// an error even where something sensible could be meant (1.x.3, 01.2.3). By the
// loose one, that of [ParseLooseRange], numbers may begin with zeros, prereleases need no
// hyphen (1.2.3beta), whole versions may begin with any of v, = and space, and what
// is no comparator is skipped as long as one is left: "1.x foo" is a range and
// "latest" is none.
//
// Source: https://github.com/npm/node-semver at 7.8, range.bnf, README.md,
// classes/range.js and internal/re.js. Differences, all in texts that make no sense:
// numbers in prereleases are exact up to 2^64, not 2^53; a number of 22 digits or more
// is too large even where JavaScript's 1e+21 would be skipped; "foo x bar" is any
// version like "x foo"; and in the strict grammar = may not stand before the last
// version of "1 - =2.0.0-a" either.
package semver

import (
	"slices"

	"github.com/Masterminds/semver/v3"
)

// A Range is a set of versions. The zero value is empty.
type Range struct {
	grammar      *grammar
	alternatives [][]comparator
}

// A comparator holds for the versions on one side of a bound.
type comparator struct {
	operator string // <, <=, >, >=, or = or none for the bound itself
	bound    *semver.Version
}

// Contains tells whether text is a version, by the grammar of the range, that is in
// r. A prerelease is only if a comparator names one of the same three numbers:
// ^1.2.3-a has 1.2.3-b, but not 1.2.4-b.
func (r Range) Contains(text string) bool {
	if r.grammar == nil {
		return false
	}
	v, err := r.grammar.parseVersion(text)
	return err == nil && r.has(v)
}

func (r Range) has(v *semver.Version) bool {
	return slices.ContainsFunc(r.alternatives, func(all []comparator) bool {
		named := v.Prerelease() == ""
		for _, c := range all {
			if !c.holds(v) {
				return false
			}
			named = named || c.bound.Prerelease() != "" && numbers(c.bound) == numbers(v)
		}
		return named
	})
}

func (c comparator) holds(v *semver.Version) bool {
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

// Lowest returns the lowest version in the range, 0.0.0 rather than a prerelease of
// it; false if there is none. Unlike npm's minVersion it finds the 3.0.0 of
// "2 <1 || 3".
func (r Range) Lowest() (*semver.Version, bool) {
	ends := []*semver.Version{newVersion([3]uint64{}, ""), nothing.bound}
	for _, c := range slices.Concat(r.alternatives...) {
		ends = append(ends, c.end())
	}
	slices.SortFunc(ends[2:], (*semver.Version).Compare)
	if i := slices.IndexFunc(ends, r.has); i >= 0 {
		return ends[i], true
	}
	return nil, false
}

// end is the lowest version on the comparator's side; its bound for an upper one.
func (c comparator) end() *semver.Version {
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
