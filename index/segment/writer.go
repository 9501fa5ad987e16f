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

// Writer collects sections and writes them as one file. Until then the sections are in
// temporary files: the header and the table precede them in the file and are known only
// when all sections are complete. Several goroutines may add sections.
type Writer struct {
	dir      string
	mutex    sync.Mutex
	sections []*Stream
	shared   *Stream // contains the sections of Add
}

// NewWriter returns a Writer with temporary files in dir. Close removes them.
func NewWriter(dir string) *Writer { return &Writer{dir: dir} }

// A Stream is a section that is written step by step. It must not be used by several
// goroutines at a time.
type Stream struct {
	tag    string
	file   *os.File
	buf    *bufio.Writer
	offset int64 // in the temporary file
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

// Size returns the number of bytes written so far.
func (s *Stream) Size() uint64 { return uint64(s.size) }

// Stream begins a section. The tag has 1 to 8 bytes of ASCII and must be unique. Errors are
// returned by [Stream.Write] and [Writer.WriteTo].
func (w *Writer) Stream(tag string) *Stream {
	s := w.newStream(tag)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.sections = append(w.sections, s)
	return s
}

func (w *Writer) newStream(tag string) *Stream {
	s := &Stream{tag: tag}
	if s.file, s.err = os.CreateTemp(w.dir, "section-"); s.err == nil {
		s.buf = bufio.NewWriterSize(s.file, 1<<18)
	}
	return s
}

// Add adds a section that consists of the parts, one after the other. It does not retain
// them. Errors are returned by [Writer.WriteTo].
func (w *Writer) Add(tag string, parts ...[]byte) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.shared == nil {
		w.shared = w.newStream("")
	}
	offset := w.shared.size
	w.shared.sum = 0
	for _, part := range parts {
		_, _ = w.shared.Write(part) // WriteTo returns the error
	}
	w.sections = append(w.sections, &Stream{tag: tag, file: w.shared.file, offset: offset, size: w.shared.size - offset, sum: w.shared.sum})
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

// WriteTo writes the file. The order in which sections were added does not matter.
func (w *Writer) WriteTo(out io.Writer) (int64, error) {
	if err := w.flush(); err != nil {
		return 0, err
	}
	slices.SortFunc(w.sections, func(a, b *Stream) int { return cmp.Compare(a.tag, b.tag) })
	header, err := w.header()
	if err != nil {
		return 0, err
	}
	n, err := out.Write(header)
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

// header returns the header and the section table.
func (w *Writer) header() ([]byte, error) {
	b := make([]byte, headerSize, headerSize+entrySize*len(w.sections))
	at := uint64(cap(b))
	for i, s := range w.sections {
		if len(s.tag) == 0 || len(s.tag) > tagSize || i > 0 && s.tag == w.sections[i-1].tag {
			return nil, fmt.Errorf("write segment: invalid or duplicate tag %q", s.tag)
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

// sum returns the checksum of the file, combined from those of the header and the sections.
func (w *Writer) sum(header []byte) uint32 {
	sum := crc32.Update(crc32.Checksum(header[:sumOffset], castagnoli), castagnoli, header[sumOffset+4:])
	for _, s := range w.sections {
		sum = crc.Combine(crc32.Castagnoli, sum, s.sum, int(s.size))
		sum = crc32.Update(sum, castagnoli, s.padding())
	}
	return sum
}

// padded returns the bytes of the section and the padding after them.
func (s *Stream) padded() io.Reader {
	return io.MultiReader(io.NewSectionReader(s.file, s.offset, s.size), bytes.NewReader(s.padding()))
}

func (s *Stream) padding() []byte { return make([]byte, pad(uint64(s.size))-uint64(s.size)) }

// pad rounds up to the alignment of sections.
func pad(size uint64) uint64 { return (size + align - 1) &^ (align - 1) }
