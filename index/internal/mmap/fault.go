package mmap

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// A Fault is the panic of a goroutine that called [PanicOnFault] and reads bytes of a
// mapping that no longer exist, because the file was truncated in place or its disk fails.
// Without PanicOnFault, the process ends.
type Fault interface {
	runtime.Error
	Addr() uintptr
}

// PanicOnFault makes the calling goroutine panic with a [Fault] instead of ending the
// process. It returns the previous setting, for [RestorePanicOnFault].
func PanicOnFault() (previous bool) { return debug.SetPanicOnFault(true) }

// RestorePanicOnFault restores the setting from before [PanicOnFault].
func RestorePanicOnFault(previous bool) { debug.SetPanicOnFault(previous) }

// AsError returns an error for a recovered [Fault], and nil for any other value.
func AsError(recovered any) error {
	if f, ok := recovered.(Fault); ok {
		return fmt.Errorf("the mapped file was changed in place or cannot be read: %w", f)
	}
	return nil
}
