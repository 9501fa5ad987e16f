package manifest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"galbuild/build/catalog"
)

// maxName is how long publisher, name, version and platform may be each, in
// bytes: they become names of folders.
const maxName = 100

var (
	goodPublisher = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	goodName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	plainID       = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
)

// CheckIdentity refuses a publisher, name and version that cannot be served.
func CheckIdentity(publisher, name, version string) error {
	switch {
	case publisher == "" || publisher == "undefined":
		return errors.New("publisher is missing")
	case len(publisher) > maxName || !goodPublisher.MatchString(publisher):
		return fmt.Errorf("publisher %q: want at most %d letters, digits, '-' and '_', beginning with a letter or digit", publisher, maxName)
	case len(name) > maxName || !goodName.MatchString(name) || strings.Contains(name, ".."):
		return fmt.Errorf("name %q: want at most %d letters, digits, '-', '_' and single '.', beginning with a letter or digit", name, maxName)
	case len(version) > maxName:
		return fmt.Errorf("version has %d characters, at most %d are allowed", len(version), maxName)
	}
	if _, err := semver.StrictNewVersion(version); err != nil {
		return fmt.Errorf("version %q: want major.minor.patch as in semver: %w", version, err)
	}
	return nil
}

// OddID tells whether editors skip the extension when they ask for the latest
// version by its address, so that it is updated by queries only.
func OddID(publisher, name string) bool {
	return !plainID.MatchString(publisher) || !plainID.MatchString(name)
}

// KnownPlatform tells whether some current editor asks for the platform.
func KnownPlatform(s string) bool { return slices.Contains(catalog.Platforms(), s) }

// ParsePlatform returns the platform in lower case, "" for a universal package.
func ParsePlatform(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	switch {
	case s == "" || s == "universal" || s == "undefined":
		return "", nil
	case len(s) > maxName || !plainID.MatchString(s):
		return "", fmt.Errorf("target platform %q: want letters, digits and '-'", s)
	}
	return s, nil
}
