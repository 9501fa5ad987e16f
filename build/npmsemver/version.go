package npmsemver

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Limits of node-semver.
const (
	maxLength = 256       // bytes of a version
	maxNumber = 1<<53 - 1 // the largest integer that is exact in JavaScript
)

// ParseVersion parses a version in the strict grammar: three numbers, -prerelease and +build,
// which it drops. As for npm, it may have a leading v and surrounding white space.
func ParseVersion(text string) (*semver.Version, error) { return strict.parseVersion(text) }

func (g *grammar) parseVersion(text string) (*semver.Version, error) {
	p, ok := match(g.version, collapse(text))
	if !ok {
		return nil, fmt.Errorf("%.300q is not a version", text)
	}
	v := p.floor()
	return v, checkNumbers(v)
}

func checkNumbers(v *semver.Version) error {
	if n := max(v.Major(), v.Minor(), v.Patch()); n > maxNumber {
		return fmt.Errorf("a number is too large, at most %d is allowed", maxNumber)
	}
	return nil
}

func numbers(v *semver.Version) [3]uint64 { return [3]uint64{v.Major(), v.Minor(), v.Patch()} }

// newVersion returns a version. It removes leading zeros from numbers in pre.
func newVersion(n [3]uint64, pre string) *semver.Version {
	ids := strings.Split(pre, ".")
	for i, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 64); err == nil {
			ids[i] = fmt.Sprint(n)
		}
	}
	return semver.New(n[0], n[1], n[2], strings.Join(ids, "."), "")
}
