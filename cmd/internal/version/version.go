// Package version has the version of the running program.
package version

import "runtime/debug"

// String returns what the go command stamped into the program: the version of the
// module, else the commit, else "development".
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "development"
	}
	return Of(info)
}

// Of returns the version of a program.
func Of(info *debug.BuildInfo) string {
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
