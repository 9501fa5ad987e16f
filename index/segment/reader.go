package segment

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Errors of Parse, wrapped with what was found.
var (
	ErrCorrupt = errors.New("index is corrupt")
	ErrVersion = errors.New("index version is unknown")
)

// Section is one entry of the table.
type Section struct {
	Name   string `json:"name"`
	Offset int64  `json:"offset"`
	Size   int64  `json:"size"`
}

// Segment is a file's bytes, checked.
type Segment struct {
	bytes    []byte
	sections []Section
}

// Parse checks the header, the table and the checksum. It keeps b and copies
// nothing; b must not change as long as the Segment is used. Summed, unless nil, is
// told of stretches of b that the checksum has gone over, by several goroutines.
func Parse(b []byte, summed func(from, to int)) (*Segment, error) {
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
		return nil, corrupt(sizeOffset, "the header says %d bytes, the file has %d", size, len(b))
	}
	if got, want := checksum(b, summed), binary.LittleEndian.Uint32(b[sumOffset:]); got != want {
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
			return corrupt(at, "section %q begins at %d, within another or unaligned", name, offset)
		case offset > uint64(len(s.bytes)) || size > uint64(len(s.bytes))-offset:
			return corrupt(at, "section %q reaches beyond the file", name)
		}
		end = offset + size
		s.sections = append(s.sections, Section{name, int64(offset), int64(size)})
	}
	return nil
}

// Sections returns the table, sorted by name.
func (s *Segment) Sections() []Section { return s.sections }

// Has reports whether there is a section of this name.
func (s *Segment) Has(name string) bool {
	return slices.ContainsFunc(s.sections, func(e Section) bool { return e.Name == name })
}

// Section returns the bytes of a section, which are those of the file. A missing
// section is corruption.
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
