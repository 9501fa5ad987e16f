package index

import "galbuild/index/internal/mmap"

// PanicOnFault makes the calling goroutine panic, instead of ending the process, when it
// reads an index whose file was truncated in place or whose disk fails. Every goroutine
// that reads an index which other programs may damage must call it. [FaultError] recognizes
// the panic.
func PanicOnFault() { mmap.PanicOnFault() }

// FaultError returns an error if the recovered value is the panic of a goroutine that
// called [PanicOnFault] and read an index that can no longer be read, and nil otherwise.
func FaultError(recovered any) error { return mmap.AsError(recovered) }

// openMapped opens a mapped index. Its file may be truncated while it is being checked.
func openMapped(f *mmap.File) (ix *Index, err error) {
	defer mmap.RestorePanicOnFault(mmap.PanicOnFault())
	defer func() {
		if p := recover(); p != nil {
			if err = mmap.AsError(p); err == nil {
				panic(p)
			}
		}
	}()
	return openBytes(f.Bytes, f.Release)
}
