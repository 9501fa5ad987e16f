package index

import (
	"errors"
	"unsafe"

	"galbuild/index/internal/mmap"
)

// PanicOnFault makes the calling goroutine panic, instead of ending the process, when it
// reads a chunk whose file was truncated in place or whose disk fails. Every goroutine
// that reads chunks which other programs may damage must call it. [FaultError] recognizes
// the panic.
func PanicOnFault() { mmap.PanicOnFault() }

// FaultError returns an error if the recovered value is the panic of a goroutine that
// called [PanicOnFault] and read a chunk that can no longer be read, and nil otherwise.
func FaultError(recovered any) error { return mmap.AsError(recovered) }

// InChunk returns err as a [*ChunkError] if it is an error of [FaultError] about a chunk of the
// index that is open, and err itself otherwise.
func (ix *Index) InChunk(err error) error {
	fault, ok := errors.AsType[mmap.Fault](err)
	if !ok {
		return err
	}
	for i := range ix.chunks.slots {
		chunk := ix.chunks.slots[i].open.Load()
		if chunk == nil {
			continue
		}
		begin := uintptr(unsafe.Pointer(unsafe.SliceData(chunk.bytes)))
		if at := fault.Addr(); begin <= at && at-begin < uintptr(len(chunk.bytes)) {
			return &ChunkError{ix.chunks.all[i], err}
		}
	}
	return err
}

// withoutFault calls a function that reads a mapped file, which may be truncated meanwhile. Then
// the error is that of [FaultError].
func withoutFault(read func() error) (err error) {
	defer mmap.RestorePanicOnFault(mmap.PanicOnFault())
	defer func() {
		if p := recover(); p != nil {
			if err = mmap.AsError(p); err == nil {
				panic(p)
			}
		}
	}()
	return read()
}
