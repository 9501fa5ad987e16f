package index

import "math/bits"

// bitmap is a set of documents with one bit for each document.
type bitmap []uint64

func newBitmap(documents int) bitmap { return make(bitmap, (documents+63)/64) }

func (b bitmap) set(d uint32) { b[d/64] |= 1 << (d % 64) }

func (b bitmap) add(list []uint32) {
	for _, d := range list {
		b.set(d)
	}
}

func (b bitmap) remove(list []uint32) {
	for _, d := range list {
		b[d/64] &^= 1 << (d % 64)
	}
}

func (b bitmap) has(d uint32) bool { return b[d/64]&(1<<(d%64)) != 0 }

// fill adds the first n documents.
func (b bitmap) fill(n int) {
	for i := range b {
		b[i] = ^uint64(0)
	}
	if n%64 != 0 {
		b[len(b)-1] = 1<<(n%64) - 1
	}
}

func (b bitmap) intersect(other bitmap) {
	for i := range b {
		b[i] &= other[i]
	}
}

func (b bitmap) count() int {
	n := 0
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}

// each yields the documents in ascending order.
func (b bitmap) each(yield func(uint32) bool) {
	for i, word := range b {
		for ; word != 0; word &= word - 1 {
			if !yield(uint32(64*i + bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}
