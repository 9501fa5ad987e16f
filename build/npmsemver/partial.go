package npmsemver

import (
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// A partial is a version that may be incomplete: 1, 1.2, 1.x, 1.2.3-beta or *.
type partial struct {
	given     []string // the numbers before the first missing one or x
	pre       string   // prerelease of a complete version
	misplaced bool     // a number follows an x, as in 1.x.3
}

// newPartial returns a partial of major, minor, patch and prerelease, which may be "".
func newPartial(part []string) partial {
	open := func(s string) bool { return strings.Trim(s, "xX*") == "" }
	i := slices.IndexFunc(part[:3], open)
	if i < 0 {
		return partial{given: part[:3], pre: part[3]}
	}
	return partial{given: part[:i:i], misplaced: !open(strings.Join(part[i:3], ""))}
}

func (p partial) isComplete() bool { return len(p.given) == 3 }

// numbers returns 0 for missing numbers. For a number that is too large it returns one that
// checkNumbers refuses.
func (p partial) numbers() (n [3]uint64) {
	for i, digits := range p.given {
		n[i], _ = strconv.ParseUint(digits, 10, 63)
	}
	return n
}

// floor returns the lowest release that matches, or the complete version.
func (p partial) floor() *semver.Version { return newVersion(p.numbers(), p.pre) }

// next returns the first version with a higher number i, with this prerelease.
func (p partial) next(i int, pre string) *semver.Version {
	n := p.numbers()
	n[i]++
	clear(n[i+1:])
	return newVersion(n, pre)
}

// until returns the range from p to the last version with the same numbers up to i.
func (p partial) until(i int) []comparator {
	return []comparator{{">=", p.floor()}, {"<", p.next(i, lowestPre)}}
}

// lowestPre is the lowest prerelease: <2.0.0-0 excludes 2.0.0-beta, too.
const lowestPre = "0"

// nothing is a comparator that is false for all versions. <* and >* are equivalent to it.
var nothing = comparator{"<", newVersion([3]uint64{}, lowestPre)}

// expand returns the comparators that are equivalent to an operator and p, or none for any
// version.
func (p partial) expand(operator string) []comparator {
	last := len(p.given) - 1
	switch {
	case last < 0 && (operator == "<" || operator == ">"):
		return []comparator{nothing}
	case last < 0:
		return nil
	case operator == "^":
		return p.until(p.leading())
	case strings.HasPrefix(operator, "~"):
		return p.until(min(last, 1))
	case operator == ">=":
		return []comparator{{">=", p.floor()}}
	case p.isComplete():
		return []comparator{{operator, p.floor()}}
	case operator == ">":
		return []comparator{{">=", p.next(last, "")}}
	case operator == "<":
		return []comparator{{"<", newVersion(p.numbers(), lowestPre)}}
	case operator == "<=":
		return []comparator{{"<", p.next(last, lowestPre)}}
	}
	return p.until(last)
}

// leading returns the index of the first number that is not 0, or else of the last one.
func (p partial) leading() int {
	i := slices.IndexFunc(p.given, func(s string) bool { return s != "0" })
	if i < 0 {
		return len(p.given) - 1
	}
	return i
}
