//go:build !unix

package regular

// NoWait is nothing where a path cannot lead to a pipe that waits.
const NoWait = 0
