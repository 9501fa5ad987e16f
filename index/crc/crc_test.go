package crc

import (
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

// TestCombine compares combined checksums with those of the whole text, and products of a Factor
// with those of Multiply.
func TestCombine(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := rand.NewChaCha8([32]byte{})
	for _, polynomial := range []uint32{crc32.IEEE, crc32.Castagnoli} {
		table := crc32.MakeTable(polynomial)
		for range 100 {
			text := make([]byte, r.IntN(1000))
			noise.Read(text)
			n := r.IntN(len(text) + 1)
			got := Combine(polynomial, crc32.Checksum(text[:n], table), crc32.Checksum(text[n:], table), len(text)-n)
			if want := crc32.Checksum(text, table); got != want {
				t.Fatalf("%#x: %d and %d bytes: got %08x, want %08x", polynomial, n, len(text)-n, got, want)
			}
		}
		for range 100 {
			a, b := r.Uint32(), r.Uint32()
			if got, want := NewFactor(polynomial, a).Times(b), Multiply(polynomial, a, b); got != want {
				t.Fatalf("%#x: %#x·%#x: got %#x, want %#x", polynomial, a, b, got, want)
			}
		}
		if Multiply(polynomial, one, 0x1234) != 0x1234 || Multiply(polynomial, 0x1234, one) != 0x1234 || Multiply(polynomial, 0, 7) != 0 {
			t.Errorf("%#x: 1·a is not a", polynomial)
		}
	}
}
