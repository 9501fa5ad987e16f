package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Errors of [Parse]. They are wrapped with the details.
var (
	ErrCorrupt = errors.New("file is corrupt")
	ErrVersion = errors.New("index version is unknown")
)

// Section is an entry of the section table.
type Section struct {
	Name   string `json:"name"`
	Offset int64  `json:"offset"`
	Size   int64  `json:"size"`
}

// Segment is a file whose checksum and section table are valid.
type Segment struct {
	bytes    []byte
	sections []Section
}

// Parse checks the header, the checksum and the section table. It does not copy b, which must not
// change while the Segment is in use.
func Parse(b []byte) (*Segment, error) {
	if len(b) < headerSize {
		return nil, corrupt(len(b), "the file ends within the header")
	}
	if string(b[:len(Magic)]) != Magic {
		return nil, corrupt(0, "the file begins with %q, not with %q", b[:len(Magic)], Magic)
	}
	if v := binary.LittleEndian.Uint32(b[versionOffset:]); v != Version {
		return nil, fmt.Errorf("%w: got %d, want %d", ErrVersion, v, Version)
	}
	if size := binary.LittleEndian.Uint64(b[sizeOffset:]); size != uint64(len(b)) {
		return nil, corrupt(sizeOffset, "the header specifies %d bytes, the file has %d", size, len(b))
	}
	if got, want := Checksum(b), binary.LittleEndian.Uint32(b[sumOffset:]); got != want {
		return nil, corrupt(sumOffset, "got checksum %08x, want %08x", got, want)
	}
	s := &Segment{bytes: b}
	return s, s.readTable()
}

func (s *Segment) readTable() error {
	count := binary.LittleEndian.Uint32(s.bytes[countOffset:])
	if uint64(count) > uint64(len(s.bytes)-headerSize)/entrySize {
		return corrupt(countOffset, "a table of %d sections does not fit the file", count)
	}
	end := uint64(headerSize + entrySize*int(count))
	for i := range int(count) {
		at := headerSize + entrySize*i
		entry := s.bytes[at : at+entrySize]
		name := string(bytes.TrimRight(entry[:tagSize], "\x00"))
		offset, size := binary.LittleEndian.Uint64(entry[8:]), binary.LittleEndian.Uint64(entry[16:])
		switch {
		case i > 0 && name <= s.sections[i-1].Name:
			return corrupt(at, "section %q is out of order", name)
		case offset < end || offset%align != 0:
			return corrupt(at, "section %q has offset %d, which overlaps another section or is not a multiple of %d", name, offset, align)
		case offset > uint64(len(s.bytes)) || size > uint64(len(s.bytes))-offset:
			return corrupt(at, "section %q extends beyond the end of the file", name)
		}
		end = offset + size
		s.sections = append(s.sections, Section{name, int64(offset), int64(size)})
	}
	return nil
}

// Sections returns the section table, sorted by name.
func (s *Segment) Sections() []Section { return s.sections }

// Section returns the bytes of a section, which share the memory of the file. The error for
// a missing section wraps [ErrCorrupt].
func (s *Segment) Section(name string) ([]byte, error) {
	for _, e := range s.sections {
		if e.Name == name {
			return s.bytes[e.Offset : e.Offset+e.Size : e.Offset+e.Size], nil
		}
	}
	return nil, corrupt(headerSize, "section %q is missing", name)
}

func corrupt(offset int, format string, args ...any) error {
	return fmt.Errorf("%w: offset %d: %s", ErrCorrupt, offset, fmt.Sprintf(format, args...))
}
