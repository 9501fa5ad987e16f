//go:build !unix

package beneath

import "io/fs"

// halfMade tells whether a folder lacks permissions because a process was killed; without a
// umask none does.
func halfMade(fs.FileInfo) bool { return false }
