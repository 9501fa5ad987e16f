//go:build !unix

package download

import "io/fs"

// hasSingleLink reports true: Go does not read the number of hard links on this system.
func hasSingleLink(fs.FileInfo) bool { return true }
