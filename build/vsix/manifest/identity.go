package manifest

import (
	"regexp"
	"slices"

	"galbuild/build/catalog"
)

var ordinaryID = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// CheckIdentity refuses a publisher, name and version that cannot be served, and versions
// that no editor parses. The second is not a rule of catalogues: a site keeps versions that
// an earlier galbuild accepted.
func CheckIdentity(publisher, name, version string) error {
	if err := catalog.CheckIdentity(publisher, name, version); err != nil {
		return err
	}
	return checkVersion(version)
}

// UnusualID tells whether editors skip the extension when they ask for the latest
// version by its address, so that it is updated by queries only.
func UnusualID(publisher, name string) bool {
	return !ordinaryID.MatchString(publisher) || !ordinaryID.MatchString(name)
}

// KnownPlatform tells whether some current editor asks for the platform.
func KnownPlatform(s string) bool { return slices.Contains(catalog.Platforms(), s) }

// OtherPlatform tells whether the platform is one of older editors, or of forks of VS Code.
//
// Source: TargetPlatform in VS Code 1.80's extensions.ts (win32-ia32), and the patches
// arch-add-*.patch of https://github.com/VSCodium/vscodium, which add the others to it.
func OtherPlatform(s string) bool {
	return slices.Contains([]string{"win32-ia32", "linux-ppc64le", "linux-riscv64", "linux-loong64", "linux-s390x"}, s)
}

// ParsePlatform returns the platform in lower case, "" for a universal package.
func ParsePlatform(s string) (string, error) { return catalog.ParsePlatform(s) }
