package segment

import (
	"hash/crc32"
	"slices"
	"sync"
)

// Checksum returns the CRC-32C of b without the four bytes that hold it. b is at
// least as long as a header. All processors work on it: a large file takes most
// of the time of opening it.
func Checksum(b []byte) uint32 {
	head, body := b[:sumOffset], b[sumOffset+4:]
	return join(crc32.Checksum(head, castagnoli), sumStretches(body, 8<<20), len(body))
}

// sumStretches returns the CRC-32C of b from those of its stretches.
func sumStretches(b []byte, stretch int) uint32 {
	stretches := slices.Collect(slices.Chunk(b, stretch))
	sums := make([]uint32, len(stretches))
	var work sync.WaitGroup
	for i, s := range stretches {
		work.Go(func() { sums[i] = crc32.Checksum(s, castagnoli) })
	}
	work.Wait()
	sum := uint32(0)
	for i, s := range stretches {
		sum = join(sum, sums[i], len(s))
	}
	return sum
}

// join returns the CRC of two texts, one behind the other, from that of each and
// the length of the second. A CRC is a remainder, of polynomials over the field
// of two elements: n bytes behind a text multiply it by x to the power of 8n.
//
// Source: crc32_combine of zlib (Mark Adler).
func join(first, second uint32, length int) uint32 {
	power, square := one, uint32(1<<(31-8)) // x to the power of 0, and of 8
	for n := length; n > 0; n >>= 1 {
		if n&1 != 0 {
			power = multiply(power, square)
		}
		square = multiply(square, square)
	}
	return multiply(first, power) ^ second
}

// one is the polynomial 1: the highest bit is the coefficient of x to the power
// of 0, as in the reversed notation of crc32.Castagnoli.
const one = uint32(1 << 31)

// multiply returns a times b, modulo the Castagnoli polynomial.
func multiply(a, b uint32) uint32 {
	product := uint32(0)
	for ; a != 0; a <<= 1 {
		if a&one != 0 {
			product ^= b
		}
		carry := b & 1
		b = b>>1 ^ carry*crc32.Castagnoli
	}
	return product
}
