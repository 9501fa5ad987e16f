package npm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

var (
	steps = []string{"major", "minor", "patch"}
	// unsupported are words of npm version that vsce refuses.
	unsupported = []string{"premajor", "preminor", "prepatch", "prerelease", "from-git"}
)

// ErrUnsupported is a word that npm knows as a version and vsce does not.
var ErrUnsupported = errors.New("not supported")

// IsVersion tells whether an argument is a version, or stands for one, and not a
// folder. NextVersion may refuse it still.
func IsVersion(word string) bool {
	return slices.Contains(steps, word) || slices.Contains(unsupported, word) || strict(word) != nil
}

// NextVersion returns the version that a word stands for, after the current one: a
// version, or one of major, minor and patch, which count as npm version does.
func NextVersion(current, word string) (string, error) {
	switch {
	case slices.Contains(unsupported, word):
		return "", fmt.Errorf("version %q: %w", word, ErrUnsupported)
	case !slices.Contains(steps, word):
		v := strict(word)
		if v == nil {
			return "", fmt.Errorf("version %q: want major.minor.patch as in semver, or one of major, minor and patch", word)
		}
		return v.String(), nil
	}
	v := strict(current)
	if v == nil {
		return "", fmt.Errorf("version %q of package.json is not as in semver, so it has no next %s version", current, word)
	}
	return step(v, word), nil
}

// strict returns nil for what is no version. A leading v is not part of one.
func strict(word string) *semver.Version {
	v, err := semver.StrictNewVersion(strings.TrimPrefix(word, "v"))
	if err != nil {
		return nil
	}
	return v
}

// step counts on. A prerelease leads to the release it precedes, if that has the
// zeros the step would give it.
// Source: inc in https://github.com/npm/node-semver.
func step(v *semver.Version, word string) string {
	major, minor, patch := v.Major(), v.Minor(), v.Patch()
	released := v.Prerelease() == ""
	switch word {
	case "major":
		if released || minor != 0 || patch != 0 {
			major++
		}
		minor, patch = 0, 0
	case "minor":
		if released || patch != 0 {
			minor++
		}
		patch = 0
	default:
		if released {
			patch++
		}
	}
	return semver.New(major, minor, patch, "", "").String()
}
