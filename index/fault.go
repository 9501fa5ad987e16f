package index

import "galbuild/index/internal/mmap"

// Guard has the calling goroutine panic from now on, instead of ending the process, if it
// reads an index whose file has been cut short in place or whose disk fails. Every
// goroutine that reads an index which others may damage calls it; what it recovers is
// told apart by [Damage].
func Guard() { mmap.Guard() }

// Damage returns an error if what a guarded goroutine has recovered comes from an index
// that can no longer be read, and nil otherwise.
func Damage(recovered any) error { return mmap.AsError(recovered) }

// openMapped opens the index of a file that may be cut short while it is checked.
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
