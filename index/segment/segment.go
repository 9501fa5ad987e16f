// Package segment reads and writes the container format of an index and of its chunks: a header, a
// table of sections, and the sections. Package index defines the content of the sections, and how
// the file of an index is compressed.
//
// # Layout, version 2
//
// Numbers are little-endian and unsigned.
//
//	offset  size  field
//	     0     8  magic "GALIDX\r\n"
//	     8     4  version, 2
//	    12     4  number of sections, n
//	    16     8  size of the file in bytes
//	    24     4  CRC-32C (Castagnoli) of all other bytes of the file
//	    28     4  zero
//	    32  24·n  section table: tag [8], offset [8], size [8]
//
// The table is sorted by tag. A tag is ASCII, padded with zero bytes. The sections follow in
// the order of the table. Each section starts at a multiple of 8, with zero bytes between
// sections. The \r\n in the magic detects a transfer in text mode.
//
// A reader refuses a file with another magic, an unknown version, a size that differs from the
// header, a wrong checksum, a table that is not sorted, or sections that overlap or exceed the
// file. It ignores unknown sections, so that a section can be added without a new version. To
// change a section, the version must be raised. Bytes between sections are covered by the
// checksum and otherwise ignored.
//
// This is the beginning of a file with 31 sections and 3,576 bytes, index/testdata/v2.idx.zst
// decompressed: the header, the entry of section chk.ends, which has 8 bytes at offset 776, and the
// tag of the next entry.
//
//	00000000: 4741 4c49 4458 0d0a 0200 0000 1f00 0000  GALIDX..........
//	00000010: f80d 0000 0000 0000 fa6d e25d 0000 0000  .........m.]....
//	00000020: 6368 6b2e 656e 6473 0803 0000 0000 0000  chk.ends........
//	00000030: 0800 0000 0000 0000 6368 6b2e 7265 6300  ........chk.rec.
//
// # Versions
//
//	1  2026-11-21  payloads and files are in the same file as everything else
//	2  2026-11-29  payloads and files are in chunks, ascending numbers are stored as differences
package segment

import "hash/crc32"

// Magic is the beginning of every file.
const Magic = "GALIDX\r\n"

// Version is the version that this package writes, and the only one that it reads.
const Version = 2

const (
	versionOffset = 8
	countOffset   = 12
	sizeOffset    = 16
	sumOffset     = 24
	headerSize    = 32
	entrySize     = 24
	tagSize       = 8
	align         = 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
