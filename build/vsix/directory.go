package vsix

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"unicode/utf8"
)

// Signatures and lengths of the records of a zip archive.
// Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
const (
	localSignature      = "PK\x03\x04"
	headerSignature     = "PK\x01\x02"
	endSignature        = "PK\x05\x06"
	end64Signature      = "PK\x06\x06"
	locatorSignature    = "PK\x06\x07"
	descriptorSignature = "PK\x07\x08"

	localBytes   = 30
	headerBytes  = 46
	endBytes     = 22
	end64Bytes   = 56
	locatorBytes = 20

	maxComment   = 1<<16 - 1
	usualComment = 256       // hardly any archive has a longer one
	in64Short    = 1<<16 - 1 // 16-bit number whose value is in the zip64 record
	in64Long     = 1<<32 - 1 // 32-bit number whose value is in the zip64 record

	extraZip64       = 0x0001
	extraUnicodePath = 0x7075
)

// Flags of an entry.
const (
	flagEncrypted  = 1 | 1<<6 | 1<<13 // an encrypted entry, strong encryption, an encrypted directory
	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11
)

// A directoryEnd is the content of the end records of an archive. The directory is within the
// archive and ends at the first end record.
type directoryEnd struct {
	entries      uint64
	offset, size uint64 // position and size of the directory, in bytes
}

// A header is an entry as the directory describes it.
type header struct {
	raw           []byte // the stored name, a slice of the directory
	name          string // the name that editors use, with slashes
	flags, method uint16
	crc           uint32
	compressed    uint64 // size in bytes
	uncompressed  uint64 // size in bytes
	offset        uint64 // position of its local header
	data          uint64 // position of its data, set by checkLocal
}

// le reads little-endian numbers from a record.
type le []byte

func (b le) u16(at int) uint16 { return binary.LittleEndian.Uint16(b[at:]) }
func (b le) u32(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
func (b le) u64(at int) uint64 { return binary.LittleEndian.Uint64(b[at:]) }

// readAt reads exactly n bytes. If the file ends early, the error is a *FormatError. Other errors
// are those of the reader.
func readAt(r io.ReaderAt, at uint64, n int) (le, error) {
	b := make([]byte, n)
	switch got, err := r.ReadAt(b, int64(at)); {
	case got == n:
		return b, nil
	case err == io.EOF:
		return nil, refuse("", "zip archive is cut off or damaged: it ends at byte %d, within a record",
			at+uint64(got))
	default:
		return nil, fmt.Errorf("read the zip archive: %w", err)
	}
}

// readEnd finds the end record as editors do: by its last signature in the file. Only the comment
// of the archive may follow the record.
func readEnd(r io.ReaderAt, size int64) (*directoryEnd, error) {
	var tail le
	var start int64
	at := -1
	for _, comment := range []int64{usualComment, maxComment} {
		var err error
		start = max(size-endBytes-comment-locatorBytes, 0)
		if tail, err = readAt(r, uint64(start), int(size-start)); err != nil {
			return nil, err
		}
		at = bytes.LastIndex(tail[:max(len(tail)-endBytes+len(endSignature), 0)], []byte(endSignature))
		if at >= locatorBytes {
			break
		}
	}
	if at < 0 {
		return nil, refuse("", "zip archive is cut off or damaged: it has no end record")
	}
	end := tail[at:]
	switch comment := int(end.u16(20)); {
	case comment < len(end)-endBytes:
		return nil, refuse("", "other bytes follow the end of the zip archive; editors refuse such a package")
	case comment > len(end)-endBytes:
		return nil, refuse("", "zip archive is cut off or damaged: its comment has %d bytes, its end record gives %d",
			len(end)-endBytes, comment)
	}
	if at >= locatorBytes && bytes.HasPrefix(tail[at-locatorBytes:], []byte(locatorSignature)) {
		return readEnd64(r, uint64(start)+uint64(at)-locatorBytes, tail[at-locatorBytes:at], end)
	}
	e := &directoryEnd{
		entries: uint64(end.u16(10)), size: uint64(end.u32(12)), offset: uint64(end.u32(16)),
	}
	if end.u16(4) != 0 || end.u16(6) != 0 || end.u16(8) != end.u16(10) {
		return nil, errDisks()
	}
	return e, e.check(uint64(start) + uint64(at))
}

func errDisks() error {
	return refuse("", "it is one of several parts of a zip archive; editors refuse such a package")
}

// readEnd64 reads the zip64 end record, to which the locator points. Some programs use it only if
// the end record refers to it, so both records must be equal.
func readEnd64(r io.ReaderAt, locatorAt uint64, locator, end le) (*directoryEnd, error) {
	at := locator.u64(8)
	if at > locatorAt || locatorAt-at < end64Bytes {
		return nil, refuse("", "zip archive is damaged: the zip64 locator points to byte %d, "+
			"outside of the archive", at)
	}
	b, err := readAt(r, at, end64Bytes)
	if err != nil {
		return nil, err
	}
	if string(b[:4]) != end64Signature || b.u64(4) != locatorAt-at-12 {
		return nil, refuse("", "zip archive is damaged: no zip64 end record at byte %d", at)
	}
	if locator.u32(4) != 0 || locator.u32(16) != 1 || b.u32(16) != 0 || b.u32(20) != 0 ||
		b.u64(24) != b.u64(32) {
		return nil, errDisks()
	}
	e := &directoryEnd{entries: b.u64(32), size: b.u64(40), offset: b.u64(48)}
	short := func(got uint16, want uint64) bool { return got == in64Short || uint64(got) == want }
	long := func(got uint32, want uint64) bool { return got == in64Long || uint64(got) == want }
	if !short(end.u16(4), 0) || !short(end.u16(6), 0) ||
		!short(end.u16(8), e.entries) || !short(end.u16(10), e.entries) ||
		!long(end.u32(12), e.size) || !long(end.u32(16), e.offset) {
		return nil, refuse("", "the two end records of the zip archive differ, so it is ambiguous")
	}
	return e, e.check(at)
}

// check refuses a directory that does not end at the first end record. To find the directory, some
// programs use its offset, as editors do, and others its size.
func (e *directoryEnd) check(endsAt uint64) error {
	if e.size > endsAt || e.offset != endsAt-e.size {
		return refuse("", "zip archive is cut off or damaged: its end record gives a directory of %d bytes at byte %d, "+
			"but the directory ends at byte %d",
			e.size, e.offset, endsAt)
	}
	if e.entries > e.size/headerBytes {
		return refuse("", "zip archive is damaged: %d entries in a directory of %d bytes", e.entries, e.size)
	}
	return nil
}

// readDirectory reads the headers of all entries.
func readDirectory(r io.ReaderAt, end *directoryEnd, l Limits) ([]header, error) {
	switch {
	case end.entries > uint64(l.Entries):
		return nil, refuse("", "%d entries, more than the limit of %d", end.entries, l.Entries)
	case end.size > uint64(l.DirectoryBytes):
		return nil, refuse("", "zip directory has %d bytes, more than the limit of %d", end.size, l.DirectoryBytes)
	}
	rest, err := readAt(r, end.offset, int(end.size))
	if err != nil {
		return nil, err
	}
	headers := make([]header, end.entries)
	for i := range headers {
		n, err := headers[i].parse(rest)
		if err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	if len(rest) > 0 {
		return nil, refuse("", "zip archive is damaged: its directory has %d bytes more than its %d entries",
			len(rest), end.entries)
	}
	return headers, nil
}

// parse reads the header at the beginning of b, and returns the length of the header.
func (h *header) parse(b le) (int, error) {
	if len(b) < headerBytes || string(b[:4]) != headerSignature {
		return 0, refuse("", "zip archive is cut off or damaged: its directory cannot be read")
	}
	name, extra := int(b.u16(28)), int(b.u16(30))
	end := headerBytes + name + extra + int(b.u16(32))
	if len(b) < end {
		return 0, refuse("", "zip archive is cut off or damaged: its directory cannot be read")
	}
	h.raw = b[headerBytes : headerBytes+name]
	h.flags, h.method, h.crc = b.u16(8), b.u16(10), b.u32(16)
	h.compressed, h.uncompressed, h.offset = uint64(b.u32(20)), uint64(b.u32(24)), uint64(b.u32(42))
	fields, ok := parseExtra(b[headerBytes+name : headerBytes+name+extra])
	if !ok {
		return 0, refuse(decodeName(string(h.raw), h.flags),
			"its extra fields are damaged; editors refuse such a package")
	}
	if !fields.resolve(&h.uncompressed, &h.compressed, &h.offset) {
		return 0, refuse(decodeName(string(h.raw), h.flags), "its zip64 field lacks a size or offset")
	}
	var err error
	h.name, err = fields.nameOf(string(h.raw), h.flags)
	return end, err
}

// extraFields are the extra fields of an entry that programs use.
type extraFields struct {
	zip64        le
	unicodePaths []le // Info-ZIP Unicode Path fields, see nameOf
}

// parseExtra returns false if a field is longer than the bytes that are left.
func parseExtra(b le) (f extraFields, ok bool) {
	for len(b) >= 4 {
		id, size := b.u16(0), int(b.u16(2))
		if len(b) < 4+size {
			return f, false
		}
		switch data := b[4 : 4+size]; {
		case id == extraZip64 && f.zip64 == nil:
			f.zip64 = data
		case id == extraUnicodePath && size >= 6 && data[0] == 1:
			f.unicodePaths = append(f.unicodePaths, data)
		}
		b = b[4+size:]
	}
	return f, true
}

// resolve replaces the numbers whose values are in the zip64 field. The field has them in the order
// of the arguments. resolve returns false if one is missing.
func (f extraFields) resolve(numbers ...*uint64) bool {
	rest := f.zip64
	for _, n := range numbers {
		if *n != in64Long {
			continue
		}
		if len(rest) < 8 {
			return false
		}
		*n, rest = rest.u64(0), rest[8:]
	}
	return true
}

// nameOf returns the name that editors use. They prefer the Info-ZIP Unicode Path field if its
// checksum matches the stored name. Other programs ignore that field. Therefore it may repeat the
// stored name in UTF-8, but must not give another name.
func (f extraFields) nameOf(raw string, flags uint16) (string, error) {
	name := decodeName(raw, flags)
	for _, field := range f.unicodePaths {
		if field.u32(1) != crc32.ChecksumIEEE([]byte(raw)) {
			continue
		}
		other := string(field[5:])
		if other != name && (other != raw || !utf8.ValidString(raw)) {
			return "", refuse(name, "its Unicode Path field gives the name %q, which editors use "+
				"and other programs do not", clip(other))
		}
		name = other
		break
	}
	return strings.ReplaceAll(name, `\`, "/"), nil
}
