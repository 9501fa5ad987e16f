// Package imagetest makes files that look like programs, for tests of images.
package imagetest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// Program is the head of a program for Linux without any code.
type Program struct {
	Machine elf.Machine
	Package string // from which the go command has built it
	Version string // of its module
	Dynamic bool   // whether it needs libraries
}

// Addresses in the file, which is mapped at base.
const (
	base    = 0x400000
	header  = 64
	segment = 56
	data    = header + 2*segment
)

// Bytes returns the file: the header, the table of segments, and what the go command writes about a
// program into its data.
func (p Program) Bytes() []byte {
	info := p.info()
	writable := elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Off: data, Vaddr: base + data, Filesz: uint64(len(info)), Memsz: uint64(len(info)), Align: 16}
	other := elf.Prog64{Type: uint32(elf.PT_NOTE)}
	if p.Dynamic {
		other.Type = uint32(elf.PT_INTERP)
	}
	h := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(p.Machine), Version: 1, Phoff: header, Ehsize: header, Phentsize: segment, Phnum: 2, Shentsize: 64,
	}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	var b bytes.Buffer
	for _, part := range []any{h, writable, other} {
		binary.Write(&b, binary.LittleEndian, part) // to memory, in fixed sizes
	}
	return append(b.Bytes(), info...)
}

// info returns the data that package debug/buildinfo reads.
func (p Program) info() []byte {
	text := fmt.Sprintf("path\t%s\nmod\tgalbuild\t%s\t\n", p.Package, p.Version)
	begin, _ := hex.DecodeString("3077af0c9274080241e1c107e6d618e6")
	end, _ := hex.DecodeString("f932433186182072008242104116d8f2")
	b := make([]byte, 32, 256)
	copy(b, "\xff Go buildinf:\x08\x02")
	for _, part := range []string{"go1.26", string(begin) + text + string(end)} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return append(b, make([]byte, 16)...)
}
