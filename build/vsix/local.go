package vsix

import (
	"bytes"
	"cmp"
	"io"
	"slices"
)

// A span is the part of an archive with the local header, the data and the data descriptor of an
// entry.
type span struct {
	from, to uint64
	entry    int
}

// checkLocals compares the local header of each entry with the directory, and refuses entries that
// overlap. Editors use the directory, and programs that read the archive as a stream use the local
// headers. If the two differed, the checks would be valid only for one kind of programs.
// checkLocals returns the number of bytes before the directory that belong to no entry.
func checkLocals(r io.ReaderAt, headers []header, directory uint64) (unused uint64, err error) {
	spans := make([]span, len(headers))
	for i := range headers {
		to, err := headers[i].checkLocal(r, directory)
		if err != nil {
			return 0, err
		}
		spans[i] = span{headers[i].offset, to, i}
	}
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.entry, b.entry))
	})
	at := uint64(0)
	for i, s := range spans {
		if s.from < at {
			return 0, refuse(headers[s.entry].name, "overlaps entry %q in the archive",
				clip(headers[spans[i-1].entry].name))
		}
		unused += s.from - at
		at = s.to
	}
	return unused + directory - at, nil
}

// checkLocal checks the local header and returns the position at which the entry ends.
func (h *header) checkLocal(r io.ReaderAt, directory uint64) (uint64, error) {
	if h.offset > directory || directory-h.offset < localBytes {
		return 0, refuse(h.name, "is at byte %d in the directory, where the archive has no entries",
			h.offset)
	}
	// This is enough for the whole header in most archives, so that one read is sufficient.
	const usualExtra = 36
	n := min(directory-h.offset, uint64(localBytes+len(h.raw)+usualExtra))
	b, err := readAt(r, h.offset, int(n))
	if err != nil {
		return 0, err
	}
	if string(b[:4]) != localSignature {
		return 0, refuse(h.name, "is not at its position in the directory: the archive is damaged")
	}
	name, extra := int(b.u16(26)), int(b.u16(28))
	data := h.offset + localBytes + uint64(name) + uint64(extra)
	if data > directory || h.compressed > directory-data {
		return 0, refuse(h.name, "the package has fewer than its %d compressed bytes at byte %d: "+
			"the archive is cut off or damaged", h.compressed, data)
	}
	if n := localBytes + name + extra; n > len(b) {
		if b, err = readAt(r, h.offset, n); err != nil {
			return 0, err
		}
	}
	fields := b[localBytes+name : localBytes+name+extra]
	if err := h.compare(b, b[localBytes:localBytes+name], fields); err != nil {
		return 0, err
	}
	h.data = data
	end := data + h.compressed
	if b.u16(6)&flagDescriptor == 0 {
		return end, nil
	}
	length, err := h.checkDescriptor(r, end, directory)
	return end + length, err
}

const localNameDiffers = "its local header has the name %q, which programs that read the archive " +
	"as a stream use"

// compare compares the fields of the local header with those of the directory.
func (h *header) compare(local, name, extra le) error {
	flags, crc := local.u16(6), local.u32(14)
	compressed, uncompressed := uint64(local.u32(18)), uint64(local.u32(22))
	fields, _ := parseExtra(extra)
	fields.resolve(&uncompressed, &compressed)
	localName, err := fields.nameOf(string(name), flags)
	// If there is a data descriptor, the numbers may be missing in the local header.
	same := func(equal bool, n uint64) bool {
		return equal || flags&flagDescriptor != 0 && (n == 0 || n == in64Long)
	}
	switch {
	case !bytes.Equal(name, h.raw):
		return refuse(h.name, localNameDiffers, clip(decodeName(string(name), flags)))
	case err != nil:
		return err
	case len(fields.unicodePaths) > 0 && localName != h.name:
		return refuse(h.name, localNameDiffers, clip(localName))
	case (flags^h.flags)&flagEncrypted != 0, (flags^h.flags)&flagUTF8 != 0 && !isASCII(string(name)),
		local.u16(8) != h.method:
		return refuse(h.name, "its local header has flags %#x and method %d, the directory flags %#x and method %d",
			flags, local.u16(8), h.flags, h.method)
	case !same(crc == h.crc, uint64(crc)) || !same(compressed == h.compressed, compressed) ||
		!same(uncompressed == h.uncompressed, uncompressed):
		return refuse(h.name, "its local header has %d compressed bytes, %d uncompressed and CRC-32 %08x; "+
			"the directory has %d, %d and %08x",
			compressed, uncompressed, crc, h.compressed, h.uncompressed, h.crc)
	}
	return nil
}

// checkDescriptor returns the length of the data descriptor at a position: a checksum, and sizes of
// 32 or 64 bits, with or without a signature. It refuses one that differs from the directory. In
// some archives it is missing.
func (h *header) checkDescriptor(r io.ReaderAt, at, directory uint64) (uint64, error) {
	const longest = 24
	b, err := readAt(r, at, int(min(directory-at, longest)))
	if err != nil {
		return 0, err
	}
	signed := bytes.HasPrefix(b, []byte(descriptorSignature))
	for _, start := range []int{4, 0} {
		if start == 4 && !signed {
			continue
		}
		switch d := b[start:]; {
		case len(d) >= 20 && d.u32(0) == h.crc && d.u64(4) == h.compressed && d.u64(12) == h.uncompressed:
			return uint64(start) + 20, nil
		case len(d) >= 12 && d.u32(0) == h.crc && uint64(d.u32(4)) == h.compressed && uint64(d.u32(8)) == h.uncompressed:
			return uint64(start) + 12, nil
		}
	}
	if len(b) == 0 || bytes.HasPrefix(b, []byte(localSignature)) {
		return 0, nil
	}
	return 0, refuse(h.name, "its data descriptor differs from the directory")
}
