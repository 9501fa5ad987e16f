//go:build !unix

package regularfile

// NoWait is 0 on systems whose paths cannot be named pipes.
const NoWait = 0
