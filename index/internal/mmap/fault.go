package mmap

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// A Fault is what reading a mapping panics with, in a goroutine that is guarded, if the
// bytes are not there: the file has been cut short in place, or its disk fails. Elsewhere
// the process would end.
type Fault interface {
	runtime.Error
	Addr() uintptr
}

// Guard has the calling goroutine panic with a Fault from now on, instead of ending the
// process. It returns what the goroutine did before, for Unguard.
func Guard() (before bool) { return debug.SetPanicOnFault(true) }

// Unguard undoes Guard.
func Unguard(before bool) { debug.SetPanicOnFault(before) }

// AsError returns an error for a Fault that a deferred function recovered, and nil for
// anything else.
func AsError(recovered any) error {
	if f, ok := recovered.(Fault); ok {
		return fmt.Errorf("the mapped file has been changed in place or cannot be read: %w", f)
	}
	return nil
}
