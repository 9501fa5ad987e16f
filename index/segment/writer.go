package segment

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"sync"

	"galbuild/index/crc"
)

// Writer collects sections and writes them as one file. Until then they are in
// temporary files, not in memory: a file begins with what is known only when all of
// its sections are. Sections may be added by several goroutines.
type Writer struct {
	folder   string
	mutex    sync.Mutex
	sections []*Stream
	shared   *Stream // holds the sections that were added whole
}

// NewWriter returns a Writer that keeps its temporary files in folder. Close removes
// them.
func NewWriter(folder string) *Writer { return &Writer{folder: folder} }

// A Stream is a section being written, by one goroutine at a time.
type Stream struct {
	tag    string
	file   *os.File
	buf    *bufio.Writer
	offset int64 // in the file
	size   int64
	sum    uint32 // CRC-32C so far
	err    error
}

// Write implements [io.Writer].
func (s *Stream) Write(b []byte) (int, error) {
	if s.err == nil {
		_, s.err = s.buf.Write(b)
	}
	s.sum = crc32.Update(s.sum, castagnoli, b)
	s.size += int64(len(b))
	return len(b), s.err
}

// Size returns how many bytes the section has so far.
func (s *Stream) Size() uint64 { return uint64(s.size) }

// Stream begins a section that grows. The tag is 1 to 8 bytes of ASCII, used once. An
// error shows when the file is written.
func (w *Writer) Stream(tag string) *Stream {
	s := w.newStream(tag)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.sections = append(w.sections, s)
	return s
}

func (w *Writer) newStream(tag string) *Stream {
	s := &Stream{tag: tag}
	if s.file, s.err = os.CreateTemp(w.folder, "section-"); s.err == nil {
		s.buf = bufio.NewWriterSize(s.file, 1<<18)
	}
	return s
}

// Add adds a section, the parts one after the other, and keeps nothing of them.
func (w *Writer) Add(tag string, parts ...[]byte) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.shared == nil {
		w.shared = w.newStream("")
	}
	before := w.shared.size
	w.shared.sum = 0
	for _, part := range parts {
		_, _ = w.shared.Write(part) // what fails is seen in the end
	}
	w.sections = append(w.sections, &Stream{tag: tag, file: w.shared.file, offset: before, size: w.shared.size - before, sum: w.shared.sum})
}

// Close removes the temporary files.
func (w *Writer) Close() error {
	var errs []error
	for _, s := range append(w.sections, w.shared) {
		if s != nil && s.buf != nil {
			errs = append(errs, s.file.Close(), os.Remove(s.file.Name()))
		}
	}
	return errors.Join(errs...)
}

// WriteTo writes the file. The sections' order of adding does not matter.
func (w *Writer) WriteTo(out io.Writer) (int64, error) {
	if err := w.flush(); err != nil {
		return 0, err
	}
	slices.SortFunc(w.sections, func(a, b *Stream) int { return cmp.Compare(a.tag, b.tag) })
	head, err := w.head()
	if err != nil {
		return 0, err
	}
	n, err := out.Write(head)
	written := int64(n)
	for _, s := range w.sections {
		if err != nil {
			break
		}
		var n int64
		n, err = io.Copy(out, s.padded())
		written += n
	}
	return written, err
}

func (w *Writer) flush() error {
	for _, s := range append([]*Stream{w.shared}, w.sections...) {
		if s == nil || s.buf == nil && s.err == nil {
			continue
		}
		if s.err != nil {
			return s.err
		}
		if err := s.buf.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// head returns the header and the section table.
func (w *Writer) head() ([]byte, error) {
	b := make([]byte, headerSize, headerSize+entrySize*len(w.sections))
	at := uint64(cap(b))
	for i, s := range w.sections {
		if len(s.tag) == 0 || len(s.tag) > tagSize || i > 0 && s.tag == w.sections[i-1].tag {
			return nil, fmt.Errorf("write segment: section %q is named badly or twice", s.tag)
		}
		b = append(b, (s.tag + "\x00\x00\x00\x00\x00\x00\x00")[:tagSize]...)
		b = binary.LittleEndian.AppendUint64(b, at)
		b = binary.LittleEndian.AppendUint64(b, uint64(s.size))
		at += pad(uint64(s.size))
	}
	copy(b, Magic)
	binary.LittleEndian.PutUint32(b[versionOffset:], Version)
	binary.LittleEndian.PutUint32(b[countOffset:], uint32(len(w.sections)))
	binary.LittleEndian.PutUint64(b[sizeOffset:], at)
	binary.LittleEndian.PutUint32(b[sumOffset:], w.sum(b))
	return b, nil
}

// sum returns the file's checksum, from those of the head and of the sections.
func (w *Writer) sum(head []byte) uint32 {
	sum := crc32.Update(crc32.Checksum(head[:sumOffset], castagnoli), castagnoli, head[sumOffset+4:])
	for _, s := range w.sections {
		sum = crc.Join(crc32.Castagnoli, sum, s.sum, int(s.size))
		sum = crc32.Update(sum, castagnoli, s.padding())
	}
	return sum
}

// padded returns the section's bytes and the padding behind them.
func (s *Stream) padded() io.Reader {
	return io.MultiReader(io.NewSectionReader(s.file, s.offset, s.size), bytes.NewReader(s.padding()))
}

func (s *Stream) padding() []byte { return make([]byte, pad(uint64(s.size))-uint64(s.size)) }

// pad rounds up to the alignment of sections.
func pad(size uint64) uint64 { return (size + align - 1) &^ (align - 1) }
