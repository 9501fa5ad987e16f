package semver

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// What node-semver takes at most: characters of a version, and the largest integer
// that JavaScript holds exactly.
const (
	maxLength = 256
	maxNumber = 1<<53 - 1
)

// ParseVersion reads a version by the strict grammar: three numbers, and as semver
// says -prerelease and +build, which is dropped. npm allows a v before it, and white
// space around.
func ParseVersion(text string) (*semver.Version, error) { return strict.parseVersion(text) }

func (g *grammar) parseVersion(text string) (*semver.Version, error) {
	p, ok := match(g.version, collapse(text))
	if !ok {
		return nil, fmt.Errorf("%.300q is no version", text)
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

// newVersion drops zeros before the numbers in pre.
func newVersion(n [3]uint64, pre string) *semver.Version {
	ids := strings.Split(pre, ".")
	for i, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 64); err == nil {
			ids[i] = fmt.Sprint(n)
		}
	}
	return semver.New(n[0], n[1], n[2], strings.Join(ids, "."), "")
}
