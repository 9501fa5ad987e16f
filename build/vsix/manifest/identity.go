package manifest

import (
	"regexp"
	"slices"

	"galbuild/build/catalog"
)

var plainID = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// CheckIdentity refuses a publisher, name and version that cannot be served.
func CheckIdentity(publisher, name, version string) error {
	return catalog.CheckIdentity(publisher, name, version)
}

// OddID tells whether editors skip the extension when they ask for the latest
// version by its address, so that it is updated by queries only.
func OddID(publisher, name string) bool {
	return !plainID.MatchString(publisher) || !plainID.MatchString(name)
}

// KnownPlatform tells whether some current editor asks for the platform.
func KnownPlatform(s string) bool { return slices.Contains(catalog.Platforms(), s) }

// ParsePlatform returns the platform in lower case, "" for a universal package.
func ParsePlatform(s string) (string, error) { return catalog.ParsePlatform(s) }
