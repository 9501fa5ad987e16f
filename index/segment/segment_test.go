package segment

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func sample(t testing.TB) []byte {
	t.Helper()
	w := NewWriter(t.TempDir())
	w.Add("b", []byte("hello, "), []byte("world"))
	w.Add("a", Bytes32([]uint32{1, 2, 1 << 31}))
	w.Add("c")
	var b bytes.Buffer
	n, err := w.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("wrote %d of %d bytes: %v", n, b.Len(), err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(w.dir); err != nil || len(left) > 0 {
		t.Fatalf("left %v, %v", left, err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	s, err := Parse(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x80", "b": "hello, world", "c": ""} {
		if got, err := s.Section(name); err != nil || string(got) != want {
			t.Errorf("section %s: got %q, %v, want %q", name, got, err, want)
		}
	}
	if _, err := s.Section("d"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("missing section: got %v, want ErrCorrupt", err)
	}
	for _, e := range s.Sections() {
		if e.Offset%align != 0 {
			t.Errorf("section %s begins at %d", e.Name, e.Offset)
		}
	}
}

// TestEncode compares Encode with a Writer.
func TestEncode(t *testing.T) {
	got, err := Encode(Part{"c", nil}, Part{"b", []byte("hello, world")}, Part{"a", Bytes32([]uint32{1, 2, 1 << 31})})
	if want := sample(t); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	for _, tags := range [][]string{{""}, {"ninebytes"}, {"a", "a"}} {
		var parts []Part
		for _, tag := range tags {
			parts = append(parts, Part{Tag: tag})
		}
		if _, err := Encode(parts...); err == nil {
			t.Errorf("%q: accepted", tags)
		}
	}
}

// TestExample compares the example of the package comment with the file that it is the beginning
// of.
func TestExample(t *testing.T) {
	comment, err := os.ReadFile("segment.go")
	if err != nil {
		t.Fatal(err)
	}
	compressed, err := os.ReadFile("../testdata/v2.idx.zst")
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	file, err := decoder.DecodeAll(compressed, nil)
	if err != nil {
		t.Fatal(err)
	}
	var example []byte
	for _, line := range regexp.MustCompile(`(?m)^//\t[0-9a-f]{8}: ((?:[0-9a-f]{4} ){8}) `).FindAllSubmatch(comment, -1) {
		b, err := hex.DecodeString(strings.ReplaceAll(string(line[1]), " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		example = append(example, b...)
	}
	if len(example) != 64 || !bytes.HasPrefix(file, example) {
		t.Errorf("got an example of %d bytes, %x, want %x", len(example), example, file[:64])
	}
	s, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Sections(); len(got) != 31 || len(file) != 3576 || got[0] != (Section{"chk.ends", 776, 8}) {
		t.Errorf("got %d sections in %d bytes, the first is %v", len(got), len(file), got[0])
	}
}

func TestParseRefuses(t *testing.T) {
	put32 := binary.LittleEndian.PutUint32
	put64 := binary.LittleEndian.PutUint64
	for name, c := range map[string]struct {
		damage func(b []byte)
		want   error
		text   string
	}{
		"magic":     {func(b []byte) { b[6] = '\n' }, ErrCorrupt, "begins with"},
		"version":   {func(b []byte) { put32(b[8:], 7) }, ErrVersion, "got 7, want 2"},
		"count":     {func(b []byte) { put32(b[12:], 1<<30) }, ErrCorrupt, "does not fit"},
		"size":      {func(b []byte) { put64(b[16:], 3) }, ErrCorrupt, "the header specifies 3 bytes"},
		"order":     {func(b []byte) { b[32+24] = 'a' }, ErrCorrupt, "out of order"},
		"overlap":   {func(b []byte) { put64(b[32+24+8:], 104) }, ErrCorrupt, "overlaps another"},
		"unaligned": {func(b []byte) { put64(b[32+24+8:], 121) }, ErrCorrupt, "not a multiple of 8"},
		"beyond":    {func(b []byte) { put64(b[32+16:], 1<<62) }, ErrCorrupt, "beyond the end"},
		"overflow":  {func(b []byte) { put64(b[32+48+16:], ^uint64(0)) }, ErrCorrupt, "beyond the end"},
	} {
		b := sample(t)
		c.damage(b)
		put32(b[sumOffset:], Checksum(b))
		if _, err := Parse(b); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v, want …%s…", name, err, c.text)
		}
	}
	b := sample(t)
	b[len(b)-1] ^= 1
	if _, err := Parse(b); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("got %v, want a checksum error", err)
	}
}

func TestWriterRefusesTags(t *testing.T) {
	for _, tags := range [][]string{{""}, {"ninebytes"}, {"a", "a"}} {
		w := NewWriter(t.TempDir())
		defer w.Close()
		for _, tag := range tags {
			w.Add(tag)
		}
		if _, err := w.WriteTo(&bytes.Buffer{}); err == nil {
			t.Errorf("%q: accepted", tags)
		}
	}
}

// TestWriterFails writes sections to a missing directory. WriteTo returns the error.
func TestWriterFails(t *testing.T) {
	w := NewWriter(filepath.Join(t.TempDir(), "missing"))
	defer w.Close()
	w.Add("a", []byte("text"))
	w.Add("b", []byte("more"))
	if _, err := w.WriteTo(&bytes.Buffer{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestViews reads numbers from aligned and unaligned slices.
func TestViews(t *testing.T) {
	want32, want64 := []uint32{1, 1 << 31, 7}, []uint64{1 << 63, 5}
	for shift := range 8 {
		b32 := append(make([]byte, shift, 64), Bytes32(want32)...)[shift:]
		b64 := append(make([]byte, shift, 64), Bytes64(want64)...)[shift:]
		if got := Uint32s(b32); !slices.Equal(got, want32) {
			t.Errorf("shift %d: got %v, want %v", shift, got, want32)
		}
		if got := Uint64s(b64); !slices.Equal(got, want64) {
			t.Errorf("shift %d: got %v, want %v", shift, got, want64)
		}
	}
}

// TestChecksumBlocks computes the checksum in blocks of several sizes.
func TestChecksumBlocks(t *testing.T) {
	b := make([]byte, 1000)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	for _, size := range []int{0, 1, 63, 64, 65, 999, 1000} {
		want := crc32.Checksum(b[:size], castagnoli)
		for _, block := range []int{1, 3, 64, 999, 5000} {
			if got := checksumBlocks(b[:size], block); got != want {
				t.Errorf("%d bytes in blocks of %d: got %08x, want %08x", size, block, got, want)
			}
		}
	}
}
