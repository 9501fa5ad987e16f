package catalog

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// maxName is the largest length of a publisher, name, version or platform in bytes. They
// become names of folders.
const maxName = 100

var (
	goodPublisher = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	goodName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	goodPlatform  = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	goodAsset     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
)

// CheckIdentity refuses a publisher, name and version that cannot be served.
func CheckIdentity(publisher, name, version string) error {
	if err := CheckID(publisher, name); err != nil {
		return err
	}
	if len(version) > maxName {
		return fmt.Errorf("version has %d characters, at most %d are allowed", len(version), maxName)
	}
	if _, err := semver.StrictNewVersion(version); err != nil {
		return fmt.Errorf("version %q: want major.minor.patch as in semver, without leading zeros, "+
			"such as 1.2.3 or 1.2.3-beta.1", version)
	}
	return nil
}

// CheckID refuses a publisher and name that cannot be served.
func CheckID(publisher, name string) error {
	switch {
	case publisher == "" || publisher == "undefined":
		return errors.New("publisher is missing")
	case len(publisher) > maxName || !goodPublisher.MatchString(publisher):
		return fmt.Errorf("publisher %.200q: want at most %d letters, digits, '-' and '_', beginning with a letter or digit", publisher, maxName)
	case len(name) > maxName || !goodName.MatchString(name) || strings.Contains(name, ".."):
		return fmt.Errorf("name %.200q: want at most %d letters, digits, '-', '_' and single '.', beginning with a letter or digit", name, maxName)
	}
	return nil
}

// ParsePlatform returns a target platform in lower case, "" for a universal package.
func ParsePlatform(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	switch {
	case s == "" || s == "universal" || s == "undefined":
		return "", nil
	case len(s) > maxName || !goodPlatform.MatchString(s):
		return "", fmt.Errorf("target platform %.200q: want letters, digits and '-'", s)
	}
	return s, nil
}

// IsAssetType reports whether s can be the type of an asset. It must be a valid file name,
// since assets are served under their types.
func IsAssetType(s string) bool { return goodAsset.MatchString(s) }
