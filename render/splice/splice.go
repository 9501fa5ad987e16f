// Package splice joins texts that were compressed in advance into one gzip stream, so that a
// response can be put together from hundreds of thousands of texts without compressing
// anything.
//
//	build:    text, placeholders ─ Deflate ▶ Fragment
//	response: Begin ─ Text, Fragment, Text, Fragment, … ─ End ▶ a gzip stream
//
// # Fragments
//
// A fragment is a text that was compressed by itself (RFC 1951), so it can stand anywhere in
// a stream. It can have placeholders for bytes that are known only when the response is
// written. All placeholders of one kind get the same value, and have the same width as every
// value of their kind. The first placeholder of each kind is left out: the compressed text is
// cut there. The other placeholders are references to bytes before them, as a compressor
// writes them for any repetition, or are cut out too. Because the widths are fixed, the
// distances and lengths of these references do not depend on the values.
//
// Every part between two cuts ends with the first bits of a stored block, padded to a whole
// byte, as a compressor writes them when it is flushed. So what follows a part in the stream
// is two length fields and uncompressed bytes: the value at a cut, or the text after the
// fragment.
//
//	offset  size  field, little-endian
//	     0     4  CRC-32 of the text with zeros in its placeholders
//	     4     4  x^8n, n the length of the text
//	     8     4  length of the text
//	    12     4  number of cuts, c
//	    16  12·c  cuts: kind [4], length of the part before the cut [4], and the sum of
//	              x^8n over this placeholder and those of its kind up to the next cut, n
//	              the number of bytes after each [4]
//	     …     …  the parts, one more than there are cuts
//
// # Checksums
//
// A gzip stream ends with the CRC-32 of its whole text; see package crc. A placeholder's value
// changes the CRC of a text by the remainder of the value, times x^8n for n bytes after the
// placeholder. The fragment contains these powers of x, so each cut costs one multiplication,
// and so does each fragment.
package splice

import (
	"encoding/binary"
	"hash/crc32"

	"galbuild/index/crc"
)

// Fragment is a compressed text in the format of the package comment. It is nil if the text
// could not be compressed; see [Deflater.Deflate].
type Fragment []byte

const (
	sumField    = 0
	shiftField  = 4
	lengthField = 8
	cutsField   = 12
	headerSize  = 16
	cutSize     = 12
)

func (f Fragment) field(offset int) uint32 { return binary.LittleEndian.Uint32(f[offset:]) }

// A Value is the bytes that placeholders of one kind are filled with, in many streams.
type Value struct {
	bytes     []byte
	remainder *crc.Factor
}

// NewValue returns the value for placeholders as wide as b. It retains b.
func NewValue(b []byte) Value {
	remainder := ^crc32.Update(^uint32(0), crc32.IEEETable, b) // without the conditioning that makes it a CRC
	return Value{b, crc.NewFactor(crc32.IEEE, remainder)}
}

// Stream writes a gzip stream.
type Stream struct {
	to      *Buffer
	values  []Value
	sum     uint32
	size    uint32
	open    bool // a stored block has begun, and its length fields come next
	damaged bool
}

// Begin begins a stream that is written to a buffer, which must have room for a few hundred
// bytes. Placeholders get the value of their kind, an index of values. The values must be as
// wide as those that the fragments were compressed for.
func Begin(to *Buffer, values []Value) Stream {
	// The method is deflate; there are no flags and no time, and the system is unknown.
	to.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255})
	return Stream{to: to, values: values}
}

// Text adds a text without compressing it.
func (s *Stream) Text(text []byte) {
	for len(text) > 0 {
		n := min(len(text), maxStored)
		if !s.open {
			s.to.Write(storedBlock)
		}
		s.writeStored(text[:n])
		s.sum = crc32.Update(s.sum, crc32.IEEETable, text[:n])
		s.size += uint32(n)
		text = text[n:]
	}
}

// writeStored writes the rest of a stored block, whose first bits have been written.
func (s *Stream) writeStored(b []byte) {
	s.writeLengths(len(b))
	s.to.Write(b)
	s.open = false
}

// writeLengths writes the length of a stored block and its complement.
func (s *Stream) writeLengths(n int) {
	s.to.Reserve(4)
	s.to.bytes = binary.LittleEndian.AppendUint32(s.to.bytes, uint32(uint16(n))|uint32(^uint16(n))<<16)
}

// Fragment adds a fragment and fills in its placeholders.
func (s *Stream) Fragment(f Fragment) {
	if len(f) < headerSize || uint64(f.field(cutsField)) > uint64(len(f)-headerSize)/cutSize {
		s.damaged = true
		return
	}
	cuts := f[headerSize:][:cutSize*f.field(cutsField)]
	parts := f[headerSize+len(cuts):]
	sum := f.field(sumField)
	for ; len(cuts) > 0; cuts = cuts[cutSize:] {
		kind, size := cuts.field(0), cuts.field(4)
		if uint64(kind) >= uint64(len(s.values)) || uint64(size) > uint64(len(parts)) {
			s.damaged = true
			return
		}
		s.writePart(parts[:size])
		parts = parts[size:]
		value := &s.values[kind]
		s.writeStored(value.bytes)
		sum ^= value.remainder.Times(cuts.field(8))
	}
	s.writePart(parts)
	s.sum = crc.Multiply(crc32.IEEE, f.field(shiftField), s.sum) ^ sum
	s.size += f.field(lengthField)
}

func (s *Stream) writePart(b []byte) {
	if s.open {
		s.writeLengths(0)
	}
	s.to.Write(b)
	s.open = true
}

// End ends the stream. It returns false if a fragment was nil or from a damaged file; then
// the stream must not be used.
func (s *Stream) End() bool {
	if s.open {
		s.writeLengths(0)
	}
	end := binary.LittleEndian.AppendUint32([]byte(lastBlock), s.sum)
	s.to.Write(binary.LittleEndian.AppendUint32(end, s.size))
	return !s.damaged
}

// Parts of RFC 1951.
const (
	maxStored = 1<<16 - 1  // largest number of bytes in a stored block
	lastBlock = "\x03\x00" // an empty block with fixed codes that is marked as the last
)

// storedBlock is the beginning of a stored block, padded to a whole byte.
var storedBlock = []byte{0}
