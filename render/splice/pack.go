package splice

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"

	"galbuild/index/crc"
)

// level is the first at which the compressor looks everywhere for repetitions, and so
// finds holes. Those above make pieces a hundredth smaller, in twice the time.
const level = 7

// A Hole is a place in a text that is filled in later.
type Hole struct {
	Kind int
	End  int // offset of the byte behind it
}

// Packer compresses texts, one at a time.
type Packer struct {
	widths     []int
	text       []byte
	packed     bytes.Buffer
	compressor *flate.Writer
	expander   gzip.Reader
}

// NewPacker returns a Packer for holes of these widths, by kind: at most 128 bytes
// each. It holds about a megabyte.
func NewPacker(widths ...int) *Packer {
	compressor, err := flate.NewWriter(nil, level)
	if err != nil {
		panic(err) // the level is known
	}
	return &Packer{widths: widths, compressor: compressor}
}

// Pack compresses text with its holes, in the order in which they come. What stands
// in them does not matter. It returns nil if the text cannot be a piece: if holes
// overlap, or the text holds what only holes should.
func (k *Packer) Pack(text []byte, holes []Hole) Piece {
	if !k.apart(holes, len(text)) {
		return nil
	}
	// The compressor may find a repetition that begins a byte further on, and spell that
	// byte out. Where it was one of a hole, all holes become gaps.
	for _, every := range []bool{false, true} {
		if p := k.pack(text, holes, gapsOf(holes, len(text), every)); k.proves(p, holes) {
			return p
		}
	}
	return nil
}

func (k *Packer) pack(text []byte, holes []Hole, gaps []gap) Piece {
	k.text = append(k.text[:0], text...)
	for _, h := range holes {
		clear(k.hole(h))
	}
	p := make(Piece, headerSize, headerSize+len(gaps)*gapSize+len(text)/2)
	binary.LittleEndian.PutUint32(p[sumField:], crc32.ChecksumIEEE(k.text))
	binary.LittleEndian.PutUint32(p[shiftField:], crc.Shift(crc32.IEEE, len(text)))
	binary.LittleEndian.PutUint32(p[lengthField:], uint32(len(text)))
	binary.LittleEndian.PutUint32(p[gapsField:], uint32(len(gaps)))
	for _, h := range holes {
		mark(k.hole(h), h.Kind)
	}
	return k.appendParts(p, gaps)
}

// apart reports whether the holes lie within the text, one behind the other.
func (k *Packer) apart(holes []Hole, length int) bool {
	free := 0
	for _, h := range holes {
		if h.Kind < 0 || h.Kind >= len(k.widths) || h.End-k.widths[h.Kind] < free || h.End > length {
			return false
		}
		free = h.End
	}
	return true
}

func (k *Packer) hole(h Hole) []byte { return k.text[h.End-k.widths[h.Kind] : h.End] }

// A gap is a hole that is left out. Shifts is what the remainder of its bytes is
// multiplied by to be that of all the holes that refer back to it, and its own.
type gap struct {
	Hole
	shifts uint32
}

// gapsOf returns the first hole of each kind, or every hole.
func gapsOf(holes []Hole, length int, every bool) []gap {
	var gaps []gap
	last := make(map[int]int) // by kind
	for _, h := range holes {
		i, ok := last[h.Kind]
		if !ok || every {
			i = len(gaps)
			last[h.Kind] = i
			gaps = append(gaps, gap{Hole: h})
		}
		gaps[i].shifts ^= crc.Shift(crc32.IEEE, length-h.End)
	}
	return gaps
}

// appendParts compresses the text from gap to gap. What fills a gap is compressed
// too, to be referred back to, and left out.
func (k *Packer) appendParts(p Piece, gaps []gap) Piece {
	k.packed.Reset()
	k.compressor.Reset(&k.packed)
	var parts []byte
	from := 0
	for _, g := range gaps {
		begin, size := g.End-k.widths[g.Kind], len(parts)
		parts = append(parts, k.compress(from, begin)...)
		k.compress(begin, g.End)
		from = g.End
		p = binary.LittleEndian.AppendUint32(p, uint32(g.Kind))
		p = binary.LittleEndian.AppendUint32(p, uint32(len(parts)-size))
		p = binary.LittleEndian.AppendUint32(p, g.shifts)
	}
	parts = append(parts, k.compress(from, len(k.text))...)
	return append(p, parts...)
}

// compress adds a stretch of the text to the stream and returns what came of it, but
// for the lengths of the empty stored block that a flush ends in.
func (k *Packer) compress(from, to int) []byte {
	begin := k.packed.Len()
	k.compressor.Write(k.text[from:to]) // to memory: it cannot fail
	k.compressor.Flush()
	flushed := k.packed.Bytes()[begin:]
	return flushed[:len(flushed)-len("\x00\x00\xff\xff")]
}

// proves expands p as any reader would, with holes filled otherwise than when it was
// compressed. A byte of a hole that was taken for one of the text, of another kind or
// another place is another now: in the result, too.
func (k *Packer) proves(p Piece, holes []Hole) bool {
	fillings := make([]Filling, len(k.widths))
	for kind, width := range k.widths {
		b := make([]byte, width)
		mark(b, kind)
		remark(b, kind)
		fillings[kind] = NewFilling(b)
	}
	for _, h := range holes {
		remark(k.hole(h), h.Kind)
	}
	var packed bytes.Buffer
	out := NewBuffer(make([]byte, 0, 4<<10), &packed)
	stream := Begin(out, fillings)
	stream.Piece(p)
	stream.End()
	out.Flush() // to memory: it cannot fail
	if err := k.expander.Reset(&packed); err != nil {
		return false
	}
	var text bytes.Buffer
	text.Grow(len(k.text) + bytes.MinRead)
	_, err := text.ReadFrom(&k.expander)
	return err == nil && bytes.Equal(text.Bytes(), k.text)
}

// mark fills a hole for compressing: with bytes that all differ, in an order of the
// kind's own that also begins and ends with other bytes than the others'. Four of them
// in a row are no UTF-8. So a compressor finds them nowhere but in a hole of the kind.
func mark(hole []byte, kind int) {
	for i := range hole {
		hole[i] = 0x80 | byte(43*kind+i*(2*kind+1))
	}
}

// remark changes each byte, and bytes that were equal in two kinds to different
// ones.
func remark(hole []byte, kind int) {
	for i := range hole {
		hole[i] ^= 0x40 + byte(kind)
	}
}
