// Package segment is the file that holds an index: a header, a table of
// sections, the sections. It knows bytes; package index knows what they mean.
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
// The table is sorted by tag; a tag is ASCII, filled up with zero bytes. The
// sections follow in the table's order, each at a multiple of 8, with zero bytes
// between them. \r\n in the magic makes a transfer in text mode show at once.
//
// A reader refuses another magic, an unknown version (by its number), a size
// that is not the file's, a wrong checksum, a table that is out of order, and
// sections that overlap or leave the file. It skips sections it does not know,
// so a section can be added without a new version; a change to one cannot.
// Zero bytes between sections are covered by the checksum and otherwise not
// looked at.
//
// The beginning of a file with 24 sections, of 15,240 bytes: the header, then
// the entry of section doc.ends, 80 bytes at 608.
//
//	00000000: 4741 4c49 4458 0d0a 0100 0000 1800 0000  GALIDX..........
//	00000010: 883b 0000 0000 0000 8145 a3ea 0000 0000  .;.......E......
//	00000020: 646f 632e 656e 6473 6002 0000 0000 0000  doc.ends`.......
//	00000030: 5000 0000 0000 0000 646f 632e 6e75 6d73  P.......doc.nums
//
// # Versions
//
//	1  2026-11-21  first; pay.pack, pay.part, trm.near and nam.near were added to it
package segment

import "hash/crc32"

// Magic begins every file.
const Magic = "GALIDX\r\n"

// Version is the one this package writes and reads.
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
