//go:build unix

package regular

import "syscall"

// NoWait keeps the opening of a named pipe from waiting. It has no effect on regular files.
const NoWait = syscall.O_NONBLOCK
