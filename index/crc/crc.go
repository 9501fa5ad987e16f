// Package crc computes cyclic redundancy checks from others: the CRC of two texts, one after
// the other, follows from the CRC of each and the length of the second.
//
// A CRC is the remainder of a polynomial over the field of two elements. Appending n bytes to
// a text multiplies its polynomial by x^8n, and the remainder of a sum is the sum of the
// remainders. All functions take the generator polynomial in the reversed notation of
// hash/crc32, in which the highest bit is the coefficient of x^0.
//
// Source: crc32_combine in zlib, by Mark Adler.
package crc

import "math/bits"

// one is the polynomial 1.
const one = 1 << 31

// Multiply returns a·b.
func Multiply(polynomial, a, b uint32) uint32 {
	product := uint32(0)
	for ; a != 0; a <<= 1 {
		product ^= b & uint32(int32(a)>>31) // b, if the coefficient is 1
		b = b>>1 ^ polynomial&-(b&1)        // b·x
	}
	return product
}

// Shift returns x^8n.
func Shift(polynomial uint32, n int) uint32 {
	power, square := uint32(one), uint32(one>>8)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			power = Multiply(polynomial, power, square)
		}
		square = Multiply(polynomial, square, square)
	}
	return power
}

// Combine returns the CRC of two texts, one after the other, from the CRC of each and the
// length of the second in bytes.
func Combine(polynomial, first, second uint32, length int) uint32 {
	return Multiply(polynomial, Shift(polynomial, length), first) ^ second
}

// A Factor multiplies many polynomials by the same one. It is a table of the products with
// every byte in every position.
type Factor [4][256]uint32

// NewFactor returns the Factor of a.
func NewFactor(polynomial, a uint32) *Factor {
	var powers [32]uint32 // a·x^k, at the bit for x^k
	for bit := 31; bit >= 0; bit-- {
		powers[bit] = a
		a = a>>1 ^ polynomial&-(a&1)
	}
	var f Factor
	for place := range f {
		for b := 1; b < 256; b++ {
			f[place][b] = f[place][b&(b-1)] ^ powers[8*place+bits.TrailingZeros(uint(b))]
		}
	}
	return &f
}

// Times returns f·b.
func (f *Factor) Times(b uint32) uint32 {
	return f[0][byte(b)] ^ f[1][byte(b>>8)] ^ f[2][byte(b>>16)] ^ f[3][b>>24]
}
