package npm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

var (
	increments = []string{"major", "minor", "patch"}
	// unsupported are arguments of npm version that vsce refuses.
	unsupported = []string{"premajor", "preminor", "prepatch", "prerelease", "from-git"}
)

// ErrUnsupported is the error of an argument that npm version accepts and vsce does not.
var ErrUnsupported = errors.New("not supported")

// IsVersion reports whether an argument is a version or an increment, rather than a folder.
// NextVersion may return an error for it nevertheless.
func IsVersion(word string) bool {
	return slices.Contains(increments, word) || slices.Contains(unsupported, word) || parseVersion(word) != nil
}

// NextVersion returns the version after current. word is that version, or one of major, minor
// and patch, which increment current as npm version does.
func NextVersion(current, word string) (string, error) {
	switch {
	case slices.Contains(unsupported, word):
		return "", fmt.Errorf("version %q: %w", word, ErrUnsupported)
	case !slices.Contains(increments, word):
		v := parseVersion(word)
		if v == nil {
			return "", fmt.Errorf("version %q: want a semantic version such as 1.2.3, or one of major, minor and patch", word)
		}
		return v.String(), nil
	}
	v := parseVersion(current)
	if v == nil {
		return "", fmt.Errorf("version %q of package.json is not a semantic version, so it has no next %s version", current, word)
	}
	return increment(v, word), nil
}

// parseVersion parses a version, which may have a leading v. It returns nil for anything else.
func parseVersion(word string) *semver.Version {
	v, err := semver.StrictNewVersion(strings.TrimPrefix(word, "v"))
	if err != nil {
		return nil
	}
	return v
}

// increment returns the next major, minor or patch version. For a prerelease this is its
// release, if that has zeros where the increment sets them.
// Source: inc in https://github.com/npm/node-semver.
func increment(v *semver.Version, word string) string {
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
