package segment

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
)

// A Part is a section in memory.
type Part struct {
	Tag   string
	Bytes []byte
}

// Encode returns the file with these sections, like a [Writer], but in memory. The order of the
// sections does not matter.
func Encode(parts ...Part) ([]byte, error) {
	parts = slices.SortedFunc(slices.Values(parts), func(a, b Part) int { return cmp.Compare(a.Tag, b.Tag) })
	entries := make([]entry, len(parts))
	for i, p := range parts {
		entries[i] = entry{p.Tag, int64(len(p.Bytes))}
	}
	header, err := encodeHeader(entries)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, binary.LittleEndian.Uint64(header[sizeOffset:]))
	b = append(b, header...)
	for _, p := range parts {
		b = append(b, p.Bytes...)
		b = append(b, padding(int64(len(p.Bytes)))...)
	}
	binary.LittleEndian.PutUint32(b[sumOffset:], headerSum(b))
	return b, nil
}

// An entry is an entry of the section table without its offset.
type entry struct {
	tag  string
	size int64
}

// encodeHeader returns the header, without its checksum, and the section table. The entries are
// sorted by tag.
func encodeHeader(entries []entry) ([]byte, error) {
	b := make([]byte, headerSize, headerSize+entrySize*len(entries))
	offset := int64(cap(b))
	for i, e := range entries {
		if len(e.tag) == 0 || len(e.tag) > tagSize || i > 0 && e.tag == entries[i-1].tag {
			return nil, fmt.Errorf("write segment: invalid or duplicate tag %q", e.tag)
		}
		b = append(b, (e.tag + "\x00\x00\x00\x00\x00\x00\x00")[:tagSize]...)
		b = binary.LittleEndian.AppendUint64(b, uint64(offset))
		b = binary.LittleEndian.AppendUint64(b, uint64(e.size))
		offset += pad(e.size)
	}
	copy(b, Magic)
	binary.LittleEndian.PutUint32(b[versionOffset:], Version)
	binary.LittleEndian.PutUint32(b[countOffset:], uint32(len(entries)))
	binary.LittleEndian.PutUint64(b[sizeOffset:], uint64(offset))
	return b, nil
}

// headerSum returns the CRC-32C of b, which begins with a header, without the four bytes of the
// checksum itself.
func headerSum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:sumOffset], castagnoli), castagnoli, b[sumOffset+4:])
}

// padding returns the zero bytes after a section of this size.
func padding(size int64) []byte { return make([]byte, pad(size)-size) }

// pad rounds up to the alignment of sections.
func pad(size int64) int64 { return (size + align - 1) &^ (align - 1) }
