//go:build !unix

package source

import "io/fs"

// hasSingleLink reports true: Go does not read the number of hard links on this system.
func hasSingleLink(fs.FileInfo) bool { return true }
