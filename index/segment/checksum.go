package segment

import (
	"hash/crc32"
	"slices"
	"sync"
	"sync/atomic"

	"galbuild/index/crc"
	"galbuild/index/internal/mmap"
)

// Checksum returns the CRC-32C of b without the four bytes of the checksum itself. b must not be
// shorter than a header. Checksum uses all processors, because most of the time to open a large
// file is spent here.
func Checksum(b []byte) uint32 {
	head, body := b[:sumOffset], b[sumOffset+4:]
	return crc.Combine(crc32.Castagnoli, crc32.Checksum(head, castagnoli), checksumBlocks(body, 8<<20), len(body))
}

// checksumBlocks returns the CRC-32C of b, computed in blocks of size bytes by several goroutines.
func checksumBlocks(b []byte, size int) uint32 {
	blocks := slices.Collect(slices.Chunk(b, size))
	sums := make([]uint32, len(blocks))
	var work sync.WaitGroup
	var failed atomic.Pointer[any]
	for i, block := range blocks {
		work.Go(func() {
			mmap.PanicOnFault()
			defer func() {
				if p := recover(); p != nil {
					failed.Store(&p)
				}
			}()
			sums[i] = crc32.Checksum(block, castagnoli)
		})
	}
	work.Wait()
	if p := failed.Load(); p != nil {
		panic(*p) // an mmap.Fault, which the caller recovers
	}
	sum := uint32(0)
	for i, block := range blocks {
		sum = crc.Combine(crc32.Castagnoli, sum, sums[i], len(block))
	}
	return sum
}
