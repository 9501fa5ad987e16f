//go:build !unix

package source

import "io/fs"

// alone tells whether a file has no other name, as far as can be told.
func alone(fs.FileInfo) bool { return true }
