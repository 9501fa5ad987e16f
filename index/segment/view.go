package segment

import (
	"encoding/binary"
	"unsafe"
)

// Uint32s returns the little-endian numbers of a section. If the machine is little-endian
// and b is aligned, as sections are in a file, the slice shares the memory of b;
// otherwise it is a copy. Bytes after the last whole number are ignored.
func Uint32s(b []byte) []uint32 {
	n := len(b) / 4
	if n == 0 {
		return nil
	}
	if p := unsafe.Pointer(unsafe.SliceData(b)); nativeLittle() && uintptr(p)%4 == 0 {
		return unsafe.Slice((*uint32)(p), n)
	}
	numbers := make([]uint32, n)
	for i := range numbers {
		numbers[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return numbers
}

// Uint64s is like [Uint32s] for 64-bit numbers.
func Uint64s(b []byte) []uint64 {
	n := len(b) / 8
	if n == 0 {
		return nil
	}
	if p := unsafe.Pointer(unsafe.SliceData(b)); nativeLittle() && uintptr(p)%8 == 0 {
		return unsafe.Slice((*uint64)(p), n)
	}
	numbers := make([]uint64, n)
	for i := range numbers {
		numbers[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return numbers
}

func nativeLittle() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

// Bytes32 returns numbers as little-endian bytes.
func Bytes32(numbers []uint32) []byte {
	b := make([]byte, 0, 4*len(numbers))
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

// Bytes64 returns numbers as little-endian bytes.
func Bytes64(numbers []uint64) []byte {
	b := make([]byte, 0, 8*len(numbers))
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}
