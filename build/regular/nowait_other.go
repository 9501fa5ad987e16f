//go:build !unix

package regular

// NoWait is 0 on systems where a path cannot lead to a named pipe.
const NoWait = 0
