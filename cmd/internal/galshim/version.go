package galshim

import "runtime/debug"

// version returns what the go command stamped into the binary: a tag, or a
// pseudo-version with the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
