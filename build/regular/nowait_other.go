//go:build !unix

package regular

// NoWait is 0 on systems whose paths cannot be named pipes.
const NoWait = 0
