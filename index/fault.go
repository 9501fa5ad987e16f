package index

import "galbuild/index/internal/mmap"

// Guard makes the calling goroutine panic, instead of ending the process, when it reads an
// index whose file was truncated in place or whose disk fails. Every goroutine that reads
// an index which others may damage must call it. [Damage] recognizes the panic.
func Guard() { mmap.Guard() }

// Damage returns an error if the value that a guarded goroutine recovered comes from an
// index that can no longer be read, and nil otherwise.
func Damage(recovered any) error { return mmap.AsError(recovered) }

// openMapped opens an index whose file may be truncated while it is checked.
func openMapped(f *mmap.File) (ix *Index, err error) {
	defer mmap.Unguard(mmap.Guard())
	defer func() {
		if p := recover(); p != nil {
			if err = mmap.AsError(p); err == nil {
				panic(p)
			}
		}
	}()
	return openBytes(f.Bytes, f.Rest)
}
