// Package segment reads and writes the container format of an index file: a header, a table
// of sections, and the sections. The content of the sections is defined by package index.
//
// # Layout, version 1
//
// Numbers are little-endian and unsigned.
//
//	offset  size  field
//	     0     8  magic "GALIDX\r\n"
//	     8     4  version, 1
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
// This is the beginning of a file with 24 sections and 15,240 bytes: the header, and the entry
// of section doc.ends, which has 80 bytes at offset 608.
//
//	00000000: 4741 4c49 4458 0d0a 0100 0000 1800 0000  GALIDX..........
//	00000010: 883b 0000 0000 0000 8145 a3ea 0000 0000  .;.......E......
//	00000020: 646f 632e 656e 6473 6002 0000 0000 0000  doc.ends`.......
//	00000030: 5000 0000 0000 0000 646f 632e 6e75 6d73  P.......doc.nums
//
// # Versions
//
//	1  2026-11-21  first version; pay.pack, pay.part, trm.near, nam.near and those of pin were
//	               added later
package segment

import "hash/crc32"

// Magic is the beginning of every file.
const Magic = "GALIDX\r\n"

// Version is the version that this package writes, and the only one that it reads.
const Version = 1

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
