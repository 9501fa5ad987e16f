package segment

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"sync"

	"galbuild/index/crc"
)

// Writer collects sections and writes them as one file. Until then they are in a temporary file:
// the header and the table precede them and are known only when all sections are complete. Several
// goroutines may add sections.
type Writer struct {
	dir      string
	mutex    sync.Mutex
	sections []section
	file     *os.File // with the sections; nil before the first one
	buf      *bufio.Writer
	size     int64 // of the temporary file
	err      error // the first error of the temporary file
}

// A section is a range of the temporary file.
type section struct {
	tag    string
	offset int64
	size   int64
	sum    uint32 // CRC-32C
}

// NewWriter returns a Writer with a temporary file in dir. Close removes it.
func NewWriter(dir string) *Writer { return &Writer{dir: dir} }

// Add adds a section that consists of the parts, one after the other. It does not retain them. The
// tag has 1 to 8 bytes of ASCII and must be unique. Errors are returned by [Writer.WriteTo].
func (w *Writer) Add(tag string, parts ...[]byte) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.open(); w.err != nil {
		return
	}
	s := section{tag: tag, offset: w.size}
	for _, part := range parts {
		if _, err := w.buf.Write(part); err != nil {
			w.err = err
			return
		}
		s.sum = crc32.Update(s.sum, castagnoli, part)
		s.size += int64(len(part))
	}
	w.size += s.size
	w.sections = append(w.sections, s)
}

// open creates the temporary file, unless it exists.
func (w *Writer) open() {
	if w.file != nil || w.err != nil {
		return
	}
	if w.file, w.err = os.CreateTemp(w.dir, "sections-"); w.err == nil {
		w.buf = bufio.NewWriterSize(w.file, 1<<18)
	}
}

// Close removes the temporary file.
func (w *Writer) Close() error {
	if w.file == nil {
		return nil
	}
	return errors.Join(w.file.Close(), os.Remove(w.file.Name()))
}

// WriteTo writes the file. The order in which sections were added does not matter.
func (w *Writer) WriteTo(out io.Writer) (int64, error) {
	if w.err == nil && w.buf != nil {
		w.err = w.buf.Flush()
	}
	if w.err != nil {
		return 0, w.err
	}
	slices.SortFunc(w.sections, func(a, b section) int { return cmp.Compare(a.tag, b.tag) })
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
		n, err = io.Copy(out, io.MultiReader(io.NewSectionReader(w.file, s.offset, s.size), bytes.NewReader(padding(s.size))))
		written += n
	}
	return written, err
}

// header returns the header and the section table.
func (w *Writer) header() ([]byte, error) {
	entries := make([]entry, len(w.sections))
	for i, s := range w.sections {
		entries[i] = entry{s.tag, s.size}
	}
	b, err := encodeHeader(entries)
	if err == nil {
		binary.LittleEndian.PutUint32(b[sumOffset:], w.sum(b))
	}
	return b, err
}

// sum returns the checksum of the file, combined from those of the header and the sections.
func (w *Writer) sum(header []byte) uint32 {
	sum := headerSum(header)
	for _, s := range w.sections {
		sum = crc.Combine(crc32.Castagnoli, sum, s.sum, int(s.size))
		sum = crc32.Update(sum, castagnoli, padding(s.size))
	}
	return sum
}
