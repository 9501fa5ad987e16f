// Package splice joins texts that were compressed beforehand into one gzip stream:
// an answer is put together from hundreds of thousands of pieces without
// compressing anything.
//
//	building:  text, holes ─ Pack ▶ Piece
//	answering: Begin ─ Text, Piece, Text, Piece, … ─ End ▶ a gzip stream
//
// # Pieces
//
// A piece is a text compressed on its own (RFC 1951), so that it may stand
// anywhere. It can have holes: places for bytes that are known only when the answer
// is given. Holes of one kind are filled with the same bytes, and are equally wide
// whatever these will be. The first hole of each kind is left out, as a gap between
// two parts; the others are, like any repetition, references to bytes before them,
// or gaps too. That widths are fixed is what makes distances and lengths known
// beforehand.
//
// Every part ends in the first bits of a stored block, filled up to a whole byte,
// as a compressor leaves them when it is flushed. What comes next in a stream is
// thus two lengths and plain bytes: those of the hole behind a gap, those of the text
// that follows behind the piece.
//
//	offset  size  field, little-endian
//	     0     4  CRC-32 of the text with zeros in its holes
//	     4     4  x^8n, n the length of the text
//	     8     4  length of the text
//	    12     4  number of gaps, g
//	    16  12·g  gaps: kind [4], length of the part before it [4], and sum of x^8n
//	              over this hole and those of the kind up to the next gap, n the
//	              bytes behind each [4]
//	     …     …  the parts, one more than there are gaps
//
// # Checksums
//
// gzip wants the CRC-32 of all: see package crc. What a hole adds to that of a text is
// the remainder of its bytes, times x^8n for n bytes behind it. With the powers of x
// kept in the piece, each hole left out costs a multiplication, and each piece one.
package splice

import (
	"encoding/binary"
	"hash/crc32"

	"galbuild/index/crc"
)

// Piece is a compressed text, or nil.
type Piece []byte

const (
	sumField    = 0
	shiftField  = 4
	lengthField = 8
	gapsField   = 12
	headerSize  = 16
	gapSize     = 12
)

func (p Piece) field(offset int) uint32 { return binary.LittleEndian.Uint32(p[offset:]) }

// A Filling is what holes of one kind are filled with, in many streams.
type Filling struct {
	bytes     []byte
	remainder *crc.Factor
}

// NewFilling returns the filling for holes as wide as b, which it keeps.
func NewFilling(b []byte) Filling {
	remainder := ^crc32.Update(^uint32(0), crc32.IEEETable, b) // without the conditioning that makes it a CRC
	return Filling{b, crc.NewFactor(crc32.IEEE, remainder)}
}

// Stream is a gzip stream in the making.
type Stream struct {
	to       *Buffer
	fillings []Filling
	sum      uint32
	size     uint32
	open     bool // the last bits began a stored block
	damaged  bool
}

// Begin begins a stream that is written to a buffer, which must have room for a few hundred
// bytes. The placeholders of its fragments are filled by kind. The values are as wide as
// those that the fragments were compressed for.
func Begin(to *Buffer, fillings []Filling) Stream {
	// Deflate, no flags, no time, nothing about the compressor, system unknown.
	to.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255})
	return Stream{to: to, fillings: fillings}
}

// Text adds text as it is.
func (s *Stream) Text(text []byte) {
	for len(text) > 0 {
		n := min(len(text), maxStored)
		if !s.open {
			s.to.Write(storedBlock)
		}
		s.stored(text[:n])
		s.sum = crc32.Update(s.sum, crc32.IEEETable, text[:n])
		s.size += uint32(n)
		text = text[n:]
	}
}

// stored writes the rest of a stored block, whose first bits are written.
func (s *Stream) stored(b []byte) {
	s.lengths(len(b))
	s.to.Write(b)
	s.open = false
}

// lengths writes the length of a stored block and its complement.
func (s *Stream) lengths(n int) {
	s.to.Reserve(4)
	s.to.bytes = binary.LittleEndian.AppendUint32(s.to.bytes, uint32(uint16(n))|uint32(^uint16(n))<<16)
}

// Piece adds a piece, its holes filled.
func (s *Stream) Piece(p Piece) {
	if len(p) < headerSize || uint64(p.field(gapsField)) > uint64(len(p)-headerSize)/gapSize {
		s.damaged = true
		return
	}
	gaps := p[headerSize:][:gapSize*p.field(gapsField)]
	parts := p[headerSize+len(gaps):]
	sum := p.field(sumField)
	for ; len(gaps) > 0; gaps = gaps[gapSize:] {
		kind, size := gaps.field(0), gaps.field(4)
		if uint64(kind) >= uint64(len(s.fillings)) || uint64(size) > uint64(len(parts)) {
			s.damaged = true
			return
		}
		s.part(parts[:size])
		parts = parts[size:]
		with := &s.fillings[kind]
		s.stored(with.bytes)
		sum ^= with.remainder.Times(gaps.field(8))
	}
	s.part(parts)
	s.sum = crc.Multiply(crc32.IEEE, p.field(shiftField), s.sum) ^ sum
	s.size += p.field(lengthField)
}

func (s *Stream) part(b []byte) {
	if s.open {
		s.lengths(0)
	}
	s.to.Write(b)
	s.open = true
}

// End ends the stream. It returns false if a fragment was nil or from a damaged file; then
// the stream must not be used.
func (s *Stream) End() bool {
	if s.open {
		s.lengths(0)
	}
	end := binary.LittleEndian.AppendUint32([]byte(lastBlock), s.sum)
	s.to.Write(binary.LittleEndian.AppendUint32(end, s.size))
	return !s.damaged
}

// Parts of RFC 1951.
const (
	maxStored = 1<<16 - 1  // bytes of one
	lastBlock = "\x03\x00" // an empty block with fixed codes, marked as the last
)

// storedBlock begins a stored block, and fills the current byte.
var storedBlock = []byte{0}
