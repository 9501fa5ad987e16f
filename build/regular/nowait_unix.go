//go:build unix

package regular

import "syscall"

// NoWait keeps the opening of a named pipe from waiting. Regular files disregard it.
const NoWait = syscall.O_NONBLOCK
