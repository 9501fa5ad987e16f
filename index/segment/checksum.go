package segment

import (
	"hash/crc32"
	"slices"
	"sync"
	"sync/atomic"

	"galbuild/index/crc"
	"galbuild/index/internal/mmap"
)

// Checksum returns the CRC-32C of b without the four bytes that hold it. b is at
// least as long as a header.
func Checksum(b []byte) uint32 { return checksum(b, nil) }

// checksum has all processors work on it: it is most of what opening a large file
// takes.
func checksum(b []byte, summed func(from, to int)) uint32 {
	head, body := b[:sumOffset], b[sumOffset+4:]
	return crc.Join(crc32.Castagnoli, crc32.Checksum(head, castagnoli), sumStretches(body, 8<<20, summed), len(body))
}

// sumStretches returns the CRC-32C of b from those of its stretches. Summed is told
// of each, as if b began at 0.
func sumStretches(b []byte, stretch int, summed func(from, to int)) uint32 {
	stretches := slices.Collect(slices.Chunk(b, stretch))
	sums := make([]uint32, len(stretches))
	var work sync.WaitGroup
	var failed atomic.Pointer[any]
	for i, s := range stretches {
		work.Go(func() {
			mmap.Guard()
			defer func() {
				if p := recover(); p != nil {
					failed.Store(&p)
				}
			}()
			sums[i] = crc32.Checksum(s, castagnoli)
			if summed != nil {
				summed(i*stretch, i*stretch+len(s))
			}
		})
	}
	work.Wait()
	if p := failed.Load(); p != nil {
		panic(*p) // a fault, which the caller recovers
	}
	sum := uint32(0)
	for i, s := range stretches {
		sum = crc.Join(crc32.Castagnoli, sum, sums[i], len(s))
	}
	return sum
}
