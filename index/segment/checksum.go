package segment

import (
	"hash/crc32"
	"slices"
	"sync"
	"sync/atomic"

	"galbuild/index/crc"
	"galbuild/index/internal/mmap"
)

// Checksum returns the CRC-32C of b without the four bytes of the checksum itself. b must
// not be shorter than a header.
func Checksum(b []byte) uint32 { return checksum(b, nil) }

// checksum is [Checksum], which calls done with each range of b that it has read. It uses
// all processors, because most of the time to open a large file is spent here.
func checksum(b []byte, done func(from, to int)) uint32 {
	head, body := b[:sumOffset], b[sumOffset+4:]
	return crc.Combine(crc32.Castagnoli, crc32.Checksum(head, castagnoli), checksumChunks(body, 8<<20, done), len(body))
}

// checksumChunks returns the CRC-32C of b, computed in chunks of size bytes by several
// goroutines. It calls done, unless it is nil, with the range of each chunk within b.
func checksumChunks(b []byte, size int, done func(from, to int)) uint32 {
	chunks := slices.Collect(slices.Chunk(b, size))
	sums := make([]uint32, len(chunks))
	var work sync.WaitGroup
	var failed atomic.Pointer[any]
	for i, s := range chunks {
		work.Go(func() {
			mmap.PanicOnFault()
			defer func() {
				if p := recover(); p != nil {
					failed.Store(&p)
				}
			}()
			sums[i] = crc32.Checksum(s, castagnoli)
			if done != nil {
				done(i*size, i*size+len(s))
			}
		})
	}
	work.Wait()
	if p := failed.Load(); p != nil {
		panic(*p) // an mmap.Fault, which the caller recovers
	}
	sum := uint32(0)
	for i, s := range chunks {
		sum = crc.Combine(crc32.Castagnoli, sum, sums[i], len(s))
	}
	return sum
}
