package splice

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"

	"galbuild/index/crc"
)

// level is the lowest level at which the compressor looks for repetitions everywhere, and so
// finds all placeholders. Higher levels make fragments 1 % smaller in twice the time.
const level = 7

// A Placeholder is a range of a text whose bytes are filled in when a response is written.
type Placeholder struct {
	Kind int
	End  int // offset of the byte after it
}

// A Deflater compresses texts, one at a time.
type Deflater struct {
	widths     []int
	text       []byte
	deflated   bytes.Buffer
	compressor *flate.Writer

	// These are for verify.
	values   []Value // other than those with which texts are compressed
	stream   *Buffer
	gzipped  bytes.Buffer
	expander gzip.Reader
	expanded bytes.Buffer
}

// NewDeflater returns a Deflater for placeholders of these widths in bytes, by kind, at most
// 128 each. It uses about 1 MB of memory.
func NewDeflater(widths ...int) *Deflater {
	compressor, err := flate.NewWriter(nil, level)
	if err != nil {
		panic(err) // the level is known
	}
	d := &Deflater{widths: widths, compressor: compressor, values: make([]Value, len(widths)), stream: NewBuffer(make([]byte, 0, 4<<10), nil)}
	for kind, width := range widths {
		b := make([]byte, width)
		mark(b, kind)
		change(b, kind)
		d.values[kind] = NewValue(b)
	}
	return d
}

// Deflate compresses text, whose placeholders are in ascending order. The bytes in them do not
// matter. It returns nil if the placeholders overlap or exceed the text, or if the compressor
// refers to placeholders from other parts of the text.
func (d *Deflater) Deflate(text []byte, placeholders []Placeholder) Fragment {
	if !d.disjoint(placeholders, len(text)) {
		return nil
	}
	// The compressor may find a repetition one byte late, and write the first byte itself.
	// If that byte belongs to a placeholder, the text is cut at all placeholders.
	for _, every := range []bool{false, true} {
		f := d.deflate(text, placeholders, cutsOf(placeholders, len(text), every))
		if d.verify(f, placeholders) {
			return f
		}
	}
	return nil
}

func (d *Deflater) deflate(text []byte, placeholders []Placeholder, cuts []cut) Fragment {
	d.text = append(d.text[:0], text...)
	for _, p := range placeholders {
		clear(d.bytesOf(p))
	}
	f := make(Fragment, headerSize, headerSize+len(cuts)*cutSize+len(text)/2)
	binary.LittleEndian.PutUint32(f[sumField:], crc32.ChecksumIEEE(d.text))
	binary.LittleEndian.PutUint32(f[shiftField:], crc.Shift(crc32.IEEE, len(text)))
	binary.LittleEndian.PutUint32(f[lengthField:], uint32(len(text)))
	binary.LittleEndian.PutUint32(f[cutsField:], uint32(len(cuts)))
	for _, p := range placeholders {
		mark(d.bytesOf(p), p.Kind)
	}
	return d.appendParts(f, cuts)
}

// disjoint reports whether the placeholders are within the text and do not overlap.
func (d *Deflater) disjoint(placeholders []Placeholder, length int) bool {
	free := 0
	for _, p := range placeholders {
		if p.Kind < 0 || p.Kind >= len(d.widths) || p.End-d.widths[p.Kind] < free || p.End > length {
			return false
		}
		free = p.End
	}
	return true
}

func (d *Deflater) bytesOf(p Placeholder) []byte { return d.text[p.End-d.widths[p.Kind] : p.End] }

// A cut is a placeholder that is left out of the compressed text. Shifts is the factor for the
// remainder of its value in the checksum: the sum of x^8n for this placeholder and for those
// that refer to it, n being the number of bytes after each.
type cut struct {
	Placeholder
	shifts uint32
}

// cutsOf returns a cut for the first placeholder of each kind, or for every placeholder.
func cutsOf(placeholders []Placeholder, length int, every bool) []cut {
	var cuts []cut
	last := make(map[int]int) // by kind
	for _, p := range placeholders {
		i, ok := last[p.Kind]
		if !ok || every {
			i = len(cuts)
			last[p.Kind] = i
			cuts = append(cuts, cut{Placeholder: p})
		}
		cuts[i].shifts ^= crc.Shift(crc32.IEEE, length-p.End)
	}
	return cuts
}

// appendParts compresses the parts of the text between the cuts, and appends cuts and parts to
// f. The bytes at a cut are compressed too, because later parts refer to them, but the result
// is dropped.
func (d *Deflater) appendParts(f Fragment, cuts []cut) Fragment {
	d.deflated.Reset()
	d.compressor.Reset(&d.deflated)
	var parts []byte
	from := 0
	for _, c := range cuts {
		begin, size := c.End-d.widths[c.Kind], len(parts)
		parts = append(parts, d.compress(from, begin)...)
		d.compress(begin, c.End)
		from = c.End
		f = binary.LittleEndian.AppendUint32(f, uint32(c.Kind))
		f = binary.LittleEndian.AppendUint32(f, uint32(len(parts)-size))
		f = binary.LittleEndian.AppendUint32(f, c.shifts)
	}
	parts = append(parts, d.compress(from, len(d.text))...)
	return append(f, parts...)
}

// compress adds a part of the text to the compressed stream, and returns what was added,
// without the length fields of the empty stored block that every flush ends with.
func (d *Deflater) compress(from, to int) []byte {
	begin := d.deflated.Len()
	d.compressor.Write(d.text[from:to]) // to memory, so it cannot fail
	d.compressor.Flush()
	flushed := d.deflated.Bytes()[begin:]
	return flushed[:len(flushed)-len("\x00\x00\xff\xff")]
}

// verify expands f with other values than those it was compressed with, and reports whether
// the result is the text with these values. It is not if the compressor has used a byte of a
// placeholder as a byte of the text, or of a placeholder of another kind, or of another position.
func (d *Deflater) verify(f Fragment, placeholders []Placeholder) bool {
	for _, p := range placeholders {
		change(d.bytesOf(p), p.Kind)
	}
	d.gzipped.Reset()
	d.stream.Reset(&d.gzipped)
	stream := Begin(d.stream, d.values)
	stream.Fragment(f)
	stream.End()
	d.stream.Flush() // to memory, so it cannot fail
	if err := d.expander.Reset(&d.gzipped); err != nil {
		return false
	}
	d.expanded.Reset()
	d.expanded.Grow(len(d.text) + bytes.MinRead)
	_, err := d.expanded.ReadFrom(&d.expander)
	return err == nil && bytes.Equal(d.expanded.Bytes(), d.text)
}

// mark fills a placeholder for compressing. Its bytes all differ, and their order, first and
// last byte depend on the kind. No four of them in a row occur in UTF-8. So a compressor finds
// the same bytes only in placeholders of the same kind.
func mark(b []byte, kind int) {
	for i := range b {
		b[i] = 0x80 | byte(43*kind+i*(2*kind+1))
	}
}

// change changes every byte of a marked placeholder. Bytes that were equal in placeholders of
// two kinds become different.
func change(b []byte, kind int) {
	for i := range b {
		b[i] ^= 0x40 + byte(kind)
	}
}
