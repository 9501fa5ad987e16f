package segment

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// Writer collects sections and writes them as one file. The zero value is ready
// for use. It keeps the slices it is given and copies nothing.
type Writer struct {
	sections []pending
}

type pending struct {
	tag   string
	parts [][]byte
	size  uint64
}

// Add adds a section, the parts one after the other. The tag is 1 to 8 bytes of
// ASCII, used once.
func (w *Writer) Add(tag string, parts ...[]byte) {
	p := pending{tag: tag, parts: parts}
	for _, part := range parts {
		p.size += uint64(len(part))
	}
	w.sections = append(w.sections, p)
}

// WriteTo writes the file. The sections' order of adding does not matter.
func (w *Writer) WriteTo(out io.Writer) (int64, error) {
	slices.SortFunc(w.sections, func(a, b pending) int { return cmp.Compare(a.tag, b.tag) })
	head, err := w.head()
	if err != nil {
		return 0, err
	}
	sum := crc32.Checksum(head[:sumOffset], castagnoli)
	sum = crc32.Update(sum, castagnoli, head[sumOffset+4:])
	for part := range w.body {
		sum = crc32.Update(sum, castagnoli, part)
	}
	binary.LittleEndian.PutUint32(head[sumOffset:], sum)
	n, err := out.Write(head)
	written := int64(n)
	for part := range w.body {
		if err != nil {
			break
		}
		n, err = out.Write(part)
		written += int64(n)
	}
	return written, err
}

// head returns the header and the section table, without the checksum.
func (w *Writer) head() ([]byte, error) {
	b := make([]byte, headerSize, headerSize+entrySize*len(w.sections))
	at := uint64(cap(b))
	for i, s := range w.sections {
		if len(s.tag) == 0 || len(s.tag) > tagSize || i > 0 && s.tag == w.sections[i-1].tag {
			return nil, fmt.Errorf("write segment: section %q is named badly or twice", s.tag)
		}
		b = append(b, (s.tag + "\x00\x00\x00\x00\x00\x00\x00")[:tagSize]...)
		b = binary.LittleEndian.AppendUint64(b, at)
		b = binary.LittleEndian.AppendUint64(b, s.size)
		at += pad(s.size)
	}
	copy(b, Magic)
	binary.LittleEndian.PutUint32(b[versionOffset:], Version)
	binary.LittleEndian.PutUint32(b[countOffset:], uint32(len(w.sections)))
	binary.LittleEndian.PutUint64(b[sizeOffset:], at)
	return b, nil
}

// body yields what follows the table, padding included.
func (w *Writer) body(yield func([]byte) bool) {
	var zeros [align]byte
	for _, s := range w.sections {
		for _, part := range s.parts {
			if !yield(part) {
				return
			}
		}
		if !yield(zeros[:pad(s.size)-s.size]) {
			return
		}
	}
}

// pad rounds up to the alignment of sections.
func pad(size uint64) uint64 { return (size + align - 1) &^ (align - 1) }
