//go:build !unix

package site

// Sync does nothing, because the system has no such call. A power failure may damage the newest
// generation. A killed process does not.
func Sync(string) error { return nil }
