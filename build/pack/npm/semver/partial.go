package semver

import (
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// A partial is a version with the rest open: 1, 1.2, 1.x, 1.2.3-beta or *.
type partial struct {
	given     []string // its numbers before what is open
	pre       string   // of a whole version
	misplaced bool     // a number follows an x, as in 1.x.3
}

// newPartial takes major, minor, patch and prerelease, "" for what is missing.
func newPartial(part []string) partial {
	open := func(s string) bool { return strings.Trim(s, "xX*") == "" }
	i := slices.IndexFunc(part[:3], open)
	if i < 0 {
		return partial{given: part[:3], pre: part[3]}
	}
	return partial{given: part[:i:i], misplaced: !open(strings.Join(part[i:3], ""))}
}

func (p partial) whole() bool { return len(p.given) == 3 }

// numbers has 0 for what is open, and for what is too large a number that
// checkNumbers refuses.
func (p partial) numbers() (n [3]uint64) {
	for i, digits := range p.given {
		n[i], _ = strconv.ParseUint(digits, 10, 63)
	}
	return n
}

// floor is the lowest release that fits, or the whole version.
func (p partial) floor() *semver.Version { return newVersion(p.numbers(), p.pre) }

// next is the first version with a higher number i, and with this prerelease.
func (p partial) next(i int, pre string) *semver.Version {
	n := p.numbers()
	n[i]++
	clear(n[i+1:])
	return newVersion(n, pre)
}

// until is p and all that follows with the same numbers up to i.
func (p partial) until(i int) []comparator {
	return []comparator{{">=", p.floor()}, {"<", p.next(i, lowestPre)}}
}

// lowestPre is the lowest prerelease: what is less than 2.0.0-0 is no 2.0.0-beta.
const lowestPre = "0"

// nothing holds for no version, and is what <* and the like are short for.
var nothing = comparator{"<", newVersion([3]uint64{}, lowestPre)}

// expand makes comparators of an operator and p, none for any version.
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
	case p.whole():
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

// leading is the position of the first number that is not 0, or of the last given.
func (p partial) leading() int {
	i := slices.IndexFunc(p.given, func(s string) bool { return s != "0" })
	if i < 0 {
		return len(p.given) - 1
	}
	return i
}
