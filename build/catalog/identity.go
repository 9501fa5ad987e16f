package catalog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// maxName is the largest length of a publisher, name, version or platform in bytes. They
// become names of folders.
const maxName = 100

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
	case len(publisher) > maxName || !isToken(publisher, "_-"):
		return fmt.Errorf("publisher %.200q: want at most %d letters, digits, '-' and '_', beginning with a letter or digit", publisher, maxName)
	case len(name) > maxName || !isToken(name, "._-") || strings.Contains(name, ".."):
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
	case len(s) > maxName || !consistsOf(s, "-"):
		return "", fmt.Errorf("target platform %.200q: want letters, digits and '-'", s)
	}
	return s, nil
}

// IsAssetType reports whether s can be the type of an asset. It must be a valid file name,
// since assets are served under their types.
func IsAssetType(s string) bool { return len(s) <= 128 && isToken(s, "._-") }

// isMediaType reports whether s is TYPE/SUBTYPE, possibly with one parameter that needs no quotes.
func isMediaType(s string) bool {
	const others = "!#$&^_.+-"
	s, parameter, hasParameter := strings.Cut(s, ";")
	kind, subtype, _ := strings.Cut(s, "/")
	if max(len(kind), len(subtype)) > 127 || !isToken(kind, others) || !isToken(subtype, others) {
		return false
	}
	key, value, _ := strings.Cut(strings.TrimPrefix(parameter, " "), "=")
	return !hasParameter || len(key) <= 32 && consistsOf(key, "-") && len(value) <= 64 && consistsOf(value, "_.+-")
}

// isToken is consistsOf for a text that begins with a letter or digit. These functions are used for
// every file of a catalogue, and take a tenth of the time of regular expressions.
func isToken(s, others string) bool {
	return consistsOf(s, others) && !strings.Contains(others, s[:1])
}

// consistsOf reports whether s consists of letters and digits of ASCII and other characters, at
// least one.
func consistsOf(s, others string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte(others, c) < 0:
			return false
		}
	}
	return s != ""
}
