package mmap

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// A Fault is the panic of a guarded goroutine that reads bytes of a mapping which no longer
// exist: the file was truncated in place, or its disk fails. In other goroutines, the
// process ends.
type Fault interface {
	runtime.Error
	Addr() uintptr
}

// Guard makes the calling goroutine panic with a Fault instead of ending the process. It
// returns the previous setting, for Unguard.
func Guard() (before bool) { return debug.SetPanicOnFault(true) }

// Unguard undoes Guard.
func Unguard(before bool) { debug.SetPanicOnFault(before) }

// AsError returns an error for a recovered Fault, and nil for any other value.
func AsError(recovered any) error {
	if f, ok := recovered.(Fault); ok {
		return fmt.Errorf("the mapped file has been changed in place or cannot be read: %w", f)
	}
	return nil
}
