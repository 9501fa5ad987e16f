//go:build unix

package regularfile

import "syscall"

// NoWait is a flag of os.OpenFile. With it, opening a named pipe does not wait. It has no effect on
// regular files.
const NoWait = syscall.O_NONBLOCK
