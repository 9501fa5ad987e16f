//go:build !unix

package source

import "io/fs"

// alone reports true: this system does not tell how many names a file has.
func alone(fs.FileInfo) bool { return true }
