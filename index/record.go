package index

import (
	"encoding/binary"
	"math"
)

// recordWords is how many 64-bit numbers a document's record has: installs,
// rating (IEEE 754), ratings, updated, released, flags and featured (bit 32).
const recordWords = 6

const featuredBit = 1 << 32

func (d *Document) appendNumbers(dst []uint64) []uint64 {
	flags := uint64(d.Flags)
	if d.Featured {
		flags |= featuredBit
	}
	return append(dst, uint64(d.Installs), math.Float64bits(d.Rating), uint64(d.Ratings),
		uint64(d.Updated), uint64(d.Released), flags)
}

func (d *Document) setNumbers(n []uint64) {
	d.Installs, d.Rating, d.Ratings = int64(n[0]), math.Float64frombits(n[1]), int64(n[2])
	d.Updated, d.Released = int64(n[3]), int64(n[4])
	d.Flags, d.Featured = uint32(n[5]), n[5]&featuredBit != 0
}

// appendText appends the strings: each behind its length, each list behind the
// number of its elements, lengths and numbers as varints.
func (d *Document) appendText(dst []byte) []byte {
	for _, s := range d.strings() {
		dst = appendString(dst, *s)
	}
	for _, list := range d.lists() {
		dst = binary.AppendUvarint(dst, uint64(len(*list)))
		for _, s := range *list {
			dst = appendString(dst, s)
		}
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// setText reads what appendText wrote. Of bytes that are cut off or lie about
// their lengths it reads the beginning.
func (d *Document) setText(b []byte) {
	r := textReader(b)
	for _, s := range d.strings() {
		*s = string(r.bytes())
	}
	for _, list := range d.lists() {
		for n := r.number(); n > 0 && len(r) > 0; n-- {
			*list = append(*list, string(r.bytes()))
		}
	}
}

func (d *Document) strings() []*string {
	return []*string{&d.ID, &d.UUID, &d.Name, &d.Publisher, &d.PublisherTitle, &d.Title, &d.Description}
}

func (d *Document) lists() []*[]string {
	return []*[]string{&d.Categories, &d.Tags, &d.Platforms, &d.Contributed}
}

// textReader is what is left to read.
type textReader []byte

func (r *textReader) number() uint64 {
	n, size := binary.Uvarint(*r)
	if size <= 0 {
		*r = nil
		return 0
	}
	*r = (*r)[size:]
	return n
}

func (r *textReader) bytes() []byte {
	n := min(r.number(), uint64(len(*r)))
	b := (*r)[:n]
	*r = (*r)[n:]
	return b
}
