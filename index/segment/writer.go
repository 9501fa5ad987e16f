package segment

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"sync"
)

// Writer collects sections and writes them as one file. The zero value is ready
// for use. It keeps the slices it is given and copies nothing. Sections may be
// added by several goroutines.
type Writer struct {
	mutex    sync.Mutex
	sections []pending
}

type pending struct {
	tag   string
	parts [][]byte
	from  io.ReaderAt // instead of parts
	size  uint64
}

// Add adds a section, the parts one after the other. The tag is 1 to 8 bytes of
// ASCII, used once.
func (w *Writer) Add(tag string, parts ...[]byte) {
	p := pending{tag: tag, parts: parts}
	for _, part := range parts {
		p.size += uint64(len(part))
	}
	w.add(p)
}

// AddFrom adds a section of size bytes that are read when they are written, twice.
func (w *Writer) AddFrom(tag string, from io.ReaderAt, size int64) {
	w.add(pending{tag: tag, from: from, size: uint64(size)})
}

func (w *Writer) add(p pending) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.sections = append(w.sections, p)
}

// WriteTo writes the file. The sections' order of adding does not matter.
func (w *Writer) WriteTo(out io.Writer) (int64, error) {
	slices.SortFunc(w.sections, func(a, b pending) int { return cmp.Compare(a.tag, b.tag) })
	head, err := w.head()
	if err != nil {
		return 0, err
	}
	sum := &checksum{crc32.Checksum(head[:sumOffset], castagnoli)}
	_, _ = sum.Write(head[sumOffset+4:]) // never fails
	if err := w.writeBody(sum); err != nil {
		return 0, err
	}
	binary.LittleEndian.PutUint32(head[sumOffset:], sum.sum)
	counted := &counter{to: out}
	if _, err := counted.Write(head); err != nil {
		return counted.n, err
	}
	return counted.n, w.writeBody(counted)
}

// A checksum is that of what is written to it.
type checksum struct{ sum uint32 }

func (c *checksum) Write(b []byte) (int, error) {
	c.sum = crc32.Update(c.sum, castagnoli, b)
	return len(b), nil
}

// A counter counts what it passes on.
type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.n += int64(n)
	return n, err
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

// writeBody writes what follows the table, padding included.
func (w *Writer) writeBody(out io.Writer) error {
	var zeros [align]byte
	for _, s := range w.sections {
		if err := s.write(out); err != nil {
			return err
		}
		if _, err := out.Write(zeros[:pad(s.size)-s.size]); err != nil {
			return err
		}
	}
	return nil
}

func (p *pending) write(out io.Writer) error {
	if p.from != nil {
		n, err := io.Copy(out, io.NewSectionReader(p.from, 0, int64(p.size)))
		if err == nil && uint64(n) != p.size {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	for _, part := range p.parts {
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// pad rounds up to the alignment of sections.
func pad(size uint64) uint64 { return (size + align - 1) &^ (align - 1) }
