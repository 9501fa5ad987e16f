package vsix

import "cmp"

// Limits bound what a package may cost. A zero field is its default.
type Limits struct {
	PackageBytes  int64 // the .vsix
	EntryBytes    int64 // one entry, unpacked
	UnpackedBytes int64 // all entries, unpacked
	Entries       int   // files and directory entries
	Ratio         int   // unpacked to packed size of an entry above 1 MiB
}

// Defaults of Limits.
const (
	DefaultPackageBytes  = 2 << 30
	DefaultEntryBytes    = 1 << 30
	DefaultUnpackedBytes = 4 << 30
	DefaultEntries       = 100_000
	DefaultRatio         = 200
)

const (
	ratioFrom      = 1 << 20  // below it, any ratio is harmless
	manifestBytes  = 8 << 20  // the largest package.json known has a tenth of it
	directoryBytes = 64 << 20 // names, extra fields and comments of all entries
	nameBytes      = 1024
	elementBytes   = 255     // what file systems allow
	iconBytes      = 5 << 20 // editors show icons inline
)

// WithDefaults returns l with every zero field filled in.
func (l Limits) WithDefaults() Limits {
	return Limits{
		PackageBytes:  cmp.Or(l.PackageBytes, DefaultPackageBytes),
		EntryBytes:    cmp.Or(l.EntryBytes, DefaultEntryBytes),
		UnpackedBytes: cmp.Or(l.UnpackedBytes, DefaultUnpackedBytes),
		Entries:       cmp.Or(l.Entries, DefaultEntries),
		Ratio:         cmp.Or(l.Ratio, DefaultRatio),
	}
}
