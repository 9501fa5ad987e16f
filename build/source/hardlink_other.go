//go:build !unix

package source

import "io/fs"

// hasSingleLink reports true: this system does not tell how many names a file has.
func hasSingleLink(fs.FileInfo) bool { return true }
