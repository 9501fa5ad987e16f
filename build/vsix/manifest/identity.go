package manifest

import (
	"regexp"
	"slices"

	"galbuild/build/catalog"
)

var ordinaryID = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// CheckIdentity refuses a publisher, name or version that cannot be served, and a version that no
// editor parses. Unlike [catalog.CheckIdentity], it must not be used for catalogues: these may have
// such versions, because earlier versions of galbuild accepted them.
func CheckIdentity(publisher, name, version string) error {
	if err := catalog.CheckIdentity(publisher, name, version); err != nil {
		return err
	}
	return checkVersion(version)
}

// UnusualID reports whether editors find updates of an extension only with queries. For all other
// ids, they request the path of the latest version.
func UnusualID(publisher, name string) bool {
	return !ordinaryID.MatchString(publisher) || !ordinaryID.MatchString(name)
}

// KnownPlatform reports whether a current editor requests the platform.
func KnownPlatform(s string) bool { return slices.Contains(catalog.Platforms(), s) }

// OtherPlatform reports whether only older editors or forks of VS Code request the platform.
//
// Source: TargetPlatform in VS Code 1.80's extensions.ts (win32-ia32), and the patches
// arch-add-*.patch of https://github.com/VSCodium/vscodium (the others).
func OtherPlatform(s string) bool {
	return slices.Contains([]string{
		"win32-ia32", "linux-ppc64le", "linux-riscv64", "linux-loong64", "linux-s390x",
	}, s)
}

// ParsePlatform returns the target platform in lower case, or "" for a universal package.
func ParsePlatform(s string) (string, error) { return catalog.ParsePlatform(s) }
