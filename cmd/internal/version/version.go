// Package version tells which build of the program this is.
package version

import "runtime/debug"

// String returns the version of the module, or the commit it was built from, or
// "development".
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "development"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "development"
}
