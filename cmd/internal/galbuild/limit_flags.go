package galbuild

import (
	"errors"
	"fmt"
	"slices"

	"galbuild/build/units"
	"galbuild/build/vsix"
)

// limitFlags are the flags for the limits of packages.
type limitFlags struct {
	Limit []string `placeholder:"NAME=VALUE" group:"Limits for one package:" help:"Set a limit, such as entries=1000 or package-bytes=4GiB. May be repeated. The limits are ${limits}."`

	// Older names of limits.
	MaxPackageSize  units.Size `hidden:""`
	MaxFiles        int64      `hidden:""`
	MaxFileSize     units.Size `hidden:""`
	MaxUnpackedSize units.Size `hidden:""`
	MaxRatio        int64      `hidden:""`
}

// limits returns the limits that the flags set.
func (f limitFlags) limits() (l vsix.Limits, err error) {
	assignments := slices.Clone(f.Limit)
	for _, old := range []struct {
		name  string
		value int64
	}{
		{"package-bytes", int64(f.MaxPackageSize)}, {"entries", f.MaxFiles}, {"entry-bytes", int64(f.MaxFileSize)},
		{"unpacked-bytes", int64(f.MaxUnpackedSize)}, {"ratio", f.MaxRatio},
	} {
		if old.value != 0 {
			assignments = append(assignments, fmt.Sprintf("%s=%d", old.name, old.value))
		}
	}
	for _, assignment := range assignments {
		err = errors.Join(err, l.Set(assignment))
	}
	return l, err
}
