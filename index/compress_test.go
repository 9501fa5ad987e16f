package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"galbuild/index/segment"
)

// compressText compresses text that is written in parts of this size.
func compressText(t testing.TB, text []byte, part int) []byte {
	t.Helper()
	var to bytes.Buffer
	c, err := newCompressor(&to)
	if err != nil {
		t.Fatal(err)
	}
	for rest := text; len(rest) > 0 && err == nil; rest = rest[min(part, len(rest)):] {
		_, err = c.Write(rest[:min(part, len(rest))])
	}
	if err := errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
	return to.Bytes()
}

// TestCompress compresses texts of one frame, of several, and of none. The result depends neither
// on the sizes of writes nor on the number of processors.
func TestCompress(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	long := make([]byte, 2*frameSize+5)
	for i := range 4096 { // the rest is zero, which takes little time
		long[i], long[frameSize+i] = byte(r.IntN(8)), byte(r.IntN(8))
	}
	for _, size := range []int{0, 1, 1000, frameSize, frameSize + 1, len(long)} {
		text := long[len(long)-size:]
		want := compressText(t, text, size)
		for _, processors := range []int{1, 8} {
			before := runtime.GOMAXPROCS(processors)
			got := compressText(t, text, 1+size/7)
			runtime.GOMAXPROCS(before)
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes: others with %d processors", size, processors)
			}
		}
		memory, err := decompress(want)
		if err != nil || !bytes.Equal(memory.Bytes, text) {
			t.Fatalf("%d bytes: not the same after decompression: %v", size, err)
		}
		if err := errors.Join(memory.Seal(), memory.Close()); err != nil {
			t.Error(err)
		}
		frames, _, err := splitFrames(want)
		if most := (size + frameSize - 1) / frameSize; err != nil || len(frames) != most {
			t.Errorf("%d bytes: got %d frames, %v, want %d", size, len(frames), err, most)
		}
	}
}

// header returns the beginning of a frame of a single segment that states this size.
func header(size uint32) []byte {
	return binary.LittleEndian.AppendUint32([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0}, size)
}

// TestDecompressRefuses decompresses files that no compressor writes. A file that expands to too
// much is refused by its headers.
func TestDecompressRefuses(t *testing.T) {
	text := []byte(strings.Repeat("hello, world ", 1000))
	good := compressText(t, text, len(text))
	other := func(o ...zstd.EOption) []byte {
		e, err := zstd.NewWriter(nil, append([]zstd.EOption{zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true)}, o...)...)
		if err != nil {
			t.Fatal(err)
		}
		return e.EncodeAll(text, nil)
	}
	if memory, err := decompress(other()); err != nil || memory.Close() != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	e, err := zstd.NewWriter(&stream)
	if err == nil {
		_, err = e.Write(text)
	}
	if err := errors.Join(err, e.Close()); err != nil {
		t.Fatal(err)
	}
	// A block with one byte, which is repeated so often that the block is as long as it may be.
	const block = 128 << 10
	repeated := []byte{byte(block&0x1f<<3 | 1<<1), byte(block >> 5 & 0xff), byte(block >> 13), 'x'}
	expands := header(frameSize)
	for range frameSize / block {
		expands = append(expands, repeated...)
	}
	expands[len(expands)-4] |= 1 // the last block
	for name, tt := range map[string]struct {
		file []byte
		want string
	}{
		"not compressed":    {[]byte(segment.Magic + strings.Repeat("x", 30)), "offset 0: not a frame of Zstandard"},
		"something follows": {append(bytes.Clone(good), "more"...), "not a frame of Zstandard"},
		"checksum":          {other(zstd.WithEncoderCRC(true)), "not a frame of an index"},
		"window":            {other(zstd.WithSingleSegment(false)), "not a frame of an index"},
		"skippable":         {append(bytes.Clone(good), 0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0), "not a frame of an index"},
		"no size":           {stream.Bytes(), "not a frame of an index"},
		"long frame":        {append(header(frameSize+1), 1, 0, 0), "not a frame of an index"},
		"no block":          {header(5), "the frame is truncated"},
		"half a block":      {append(header(5), 5<<3|1, 0, 0, 'h', 'e'), "the frame is truncated"},
		"shorter":           {append(header(6), 5<<3|1, 0, 0, 'h', 'e', 'l', 'l', 'o'), "file is corrupt"},
		"longer":            {append(header(4), 5<<3|1, 0, 0, 'h', 'e', 'l', 'l', 'o'), "file is corrupt"},
		"much longer":       {append(append(header(4), repeated...), 1, 0, 0), "file is corrupt"},
		"bomb":              {bytes.Repeat(expands, 5), "2605 compressed bytes expand to 83886080, more than the limit of 67108864"},
		"half a bomb":       {bytes.Repeat(expands, 4), "file is corrupt"}, // it is decompressed, and is not an index
	} {
		if _, err := OpenBytes(tt.file, nil); !errors.Is(err, segment.ErrCorrupt) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want …%s…", name, err, tt.want)
		}
	}
}

// TestLimits states frames that together are longer than the ratio allows, and one frame more than
// the largest index has.
func TestLimits(t *testing.T) {
	var empty []byte
	for range 4 {
		empty = append(append(empty, header(frameSize)...), 1, 0, 0)
	}
	if _, size, err := splitFrames(empty); err != nil || size != ratioFrom {
		t.Errorf("got %d bytes, %v", size, err)
	}
	padded := append(header(frameSize), make([]byte, 3+frameSize/maxRatio)...)
	length := uint32(frameSize/maxRatio)<<3 | 1
	padded[9], padded[10], padded[11] = byte(length), byte(length>>8), byte(length>>16)
	for n, ok := range map[int]bool{5: true, maxSize / frameSize: true, maxSize/frameSize + 1: false} {
		if _, _, err := splitFrames(bytes.Repeat(padded, n)); (err == nil) != ok {
			t.Errorf("%d frames: got %v", n, err)
		}
	}
	short := append(header(frameSize), padded[9:len(padded)-20]...) // 32 times its size is less than a frame
	length -= 20 << 3
	short[9], short[10], short[11] = byte(length), byte(length>>8), byte(length>>16)
	for n, ok := range map[int]bool{4: true, 5: false, 100: false} {
		if _, _, err := splitFrames(bytes.Repeat(short, n)); (err == nil) != ok {
			t.Errorf("%d short frames: got %v", n, err)
		}
	}
}

// TestDifferences restores numbers from their differences.
func TestDifferences(t *testing.T) {
	numbers := []uint32{3, 3, 7, 0, 1<<32 - 1, 5}
	got := differences(numbers)
	if got[0] != 3 || got[1] != 0 || got[2] != 4 || got[3] != 1<<32-7 {
		t.Errorf("got differences %v", got)
	}
	for i, n := range sums(got) {
		if n != numbers[i] {
			t.Errorf("number %d: got %d, want %d", i, n, numbers[i])
		}
	}
}
