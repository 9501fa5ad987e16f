package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"galbuild/index/query"
	"galbuild/index/segment"
)

// exercise calls all methods of an index that was opened. None may panic.
func exercise(ix *Index) {
	for _, f := range []query.Filter{
		{}, {Sort: query.Title}, {Text: []string{"live server"}}, {Text: []string{"pretier"}}, {Text: []string{`"vue js"`}},
		{Text: []string{"x"}, Sort: query.Updated}, {Categories: []string{"themes"}}, {Exclude: query.Unpublished, Include: query.Public},
		{Platforms: []string{"linux-x64"}, Featured: true}, {Text: []string{"pinned text"}},
	} {
		for _, h := range ix.Search(nil, &f).Hits {
			for v := range numPayloads {
				if p, err := ix.Payload(h, v); err == nil {
					cutAtPlaceholders(p)
				}
			}
		}
	}
	for _, d := range ix.Documents() {
		ix.Find(d.ID)
	}
	for range ix.Files() {
	}
	ix.Pins()
	for _, f := range testFiles(3) {
		ix.File(f.Path)
	}
	ix.ListsMore(ix)
	ix.Stats()
	ix.Close()
}

// cutAtPlaceholders slices the payload at its placeholders, as a response does.
func cutAtPlaceholders(p Payload) {
	at := uint32(0)
	for _, placeholder := range p.Placeholders {
		_ = p.JSON[at:placeholder]
		at = placeholder
	}
	_ = p.JSON[at:]
}

// fixChecksum corrects the checksum in the header, so that the other checks are tested.
func fixChecksum(b []byte) []byte {
	if len(b) >= 32 {
		binary.LittleEndian.PutUint32(b[24:], segment.Checksum(b))
	}
	return b
}

// pinnedContent returns content with pins.
func pinnedContent(t testing.TB, documents, files int) *testContent {
	c := contentOf(t, randomDocuments(rand.New(rand.NewPCG(5, 5)), documents), testFiles(files))
	c.Pins = map[string][]string{"pinned text": {c.Documents[1].ID, c.Documents[0].ID}, "x": {c.Documents[2].ID}}
	return c
}

// changeWord changes eight bytes of b.
func changeWord(b []byte, at uint32, change uint64) {
	if len(b) > 8 {
		at %= uint32(len(b) - 7)
		binary.LittleEndian.PutUint64(b[at:], binary.LittleEndian.Uint64(b[at:])^change)
	}
}

func FuzzOpenBytes(f *testing.F) {
	c := pinnedContent(f, 12, 4)
	f.Add(c.file(f), uint32(40), uint64(1))
	f.Add(write(f, nil, nil), uint32(12), uint64(0xff))
	f.Fuzz(func(t *testing.T, b []byte, at uint32, change uint64) {
		changeWord(b, at, change)
		if ix, err := OpenBytes(b, c.chunks.source); err == nil {
			exercise(ix)
		}
	})
}

// FuzzOpenSegment opens an index that is decompressed and has a correct checksum.
func FuzzOpenSegment(f *testing.F) {
	c := pinnedContent(f, 12, 4)
	f.Add(c.decompressed(f), uint32(40), uint64(1))
	f.Add(contentOf(f, nil, nil).decompressed(f), uint32(12), uint64(0xff))
	f.Fuzz(func(t *testing.T, b []byte, at uint32, change uint64) {
		changeWord(b, at, change)
		if ix, err := openSegment(fixChecksum(bytes.Clone(b)), c.chunks.source); err == nil {
			exercise(ix)
		}
	})
}

// damagedSource returns a source with one chunk, whose bytes are damaged, in the place of all
// chunks.
func damagedSource(b []byte) ChunkSource {
	return func(Chunk) ([]byte, io.Closer, error) { return b, io.NopCloser(nil), nil }
}

// FuzzChunk opens an index whose chunk is damaged. A chunk is refused unless it has the SHA-256
// that the index states. If the index states the SHA-256 of the damaged chunk, nothing panics.
func FuzzChunk(f *testing.F) {
	c := pinnedContent(f, chunkDocuments, 4)
	if len(c.Chunks) != 1 {
		f.Fatalf("got %d chunks, want one", len(c.Chunks))
	}
	whole := c.chunks[c.Chunks[0].SHA256]
	f.Add(bytes.Clone(whole), uint32(40), uint64(1))
	f.Add(bytes.Clone(whole), uint32(len(whole)-100), uint64(0xff))
	file, ix := c.file(f), openWith(f, c)
	f.Fuzz(func(t *testing.T, b []byte, at uint32, change uint64) {
		changeWord(b, at, change)
		ix.chunks.source = damagedSource(fixChecksum(b))
		err := ix.CheckChunk(0)
		if accepted := err == nil; accepted != bytes.Equal(b, whole) {
			t.Fatalf("accepted: %t, the chunk is not damaged: %t", accepted, bytes.Equal(b, whole))
		}
		if e := new(ChunkError); err != nil && (!errors.As(err, &e) || !strings.Contains(err.Error(), c.Chunks[0].Name())) {
			t.Fatalf("the error does not name the chunk: %v", err)
		}
		exercise(openStated(t, file, b))
		ix.Close()
	})
}

// openStated opens an index of one chunk, which states the size and the SHA-256 of b.
func openStated(t *testing.T, file, b []byte) *Index {
	t.Helper()
	ix, err := OpenBytes(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	ix.chunks.all[0].Size, ix.chunks.all[0].SHA256 = int64(len(b)), sha256.Sum256(b)
	ix.chunks.source = damagedSource(b)
	return ix
}

// TestDamagedFile changes every byte of the file of a small index in three ways, and truncates it
// at every size. It is refused, unless the index that it expands to is the same.
func TestDamagedFile(t *testing.T) {
	c := pinnedContent(t, 6, 3)
	file, whole := c.file(t), c.decompressed(t)
	same := 0
	for at := range file {
		for _, change := range []byte{1, 0x80, 0xff} {
			b := bytes.Clone(file)
			b[at] ^= change
			ix, err := OpenBytes(b, nil)
			if err != nil {
				continue
			}
			ix.Close()
			memory, err := decompress(b)
			if err != nil || !bytes.Equal(memory.Bytes, whole) {
				t.Fatalf("offset %d: damage was not detected", at)
			}
			memory.Close()
			same++
		}
	}
	for size := range file {
		if _, err := OpenBytes(file[:size], nil); !errors.Is(err, segment.ErrCorrupt) {
			t.Fatalf("a file truncated to %d bytes: got %v", size, err)
		}
	}
	if same > len(file)/20 {
		t.Errorf("%d of %d changes made no difference", same, 3*len(file))
	}
}

// TestDamage changes every byte of a small index, decompressed, in three ways, and truncates it at
// every size.
func TestDamage(t *testing.T) {
	c := pinnedContent(t, 6, 3)
	whole := c.decompressed(t)
	opened := 0
	for at := range whole {
		for _, change := range []byte{1, 0x80, 0xff} {
			b := bytes.Clone(whole)
			b[at] ^= change
			if _, err := openSegment(bytes.Clone(b), nil); err == nil {
				t.Fatalf("offset %d: damage was not detected", at)
			}
			if ix, err := openSegment(fixChecksum(b), c.chunks.source); err == nil {
				exercise(ix)
				opened++
			}
		}
	}
	for size := range whole {
		if _, err := openSegment(bytes.Clone(whole[:size]), nil); err == nil {
			t.Fatalf("a file truncated to %d bytes was accepted", size)
		}
	}
	if opened == 0 {
		t.Fatal("no damaged index was searched")
	}
}

// TestDamagedChunk changes every byte of a small chunk in three ways, and truncates it at every
// size. Then it does the same with a chunk whose SHA-256 and checksum are corrected.
func TestDamagedChunk(t *testing.T) {
	c := pinnedContent(t, 6, 3)
	whole := c.chunks[c.Chunks[0].SHA256]
	file, ix := c.file(t), openWith(t, c)
	refused := func(b []byte) bool {
		ix.chunks.source = damagedSource(b)
		err := ix.CheckChunk(0)
		e := new(ChunkError)
		return errors.As(err, &e) && e.Chunk == c.Chunks[0] && strings.Contains(err.Error(), c.Chunks[0].Name())
	}
	opened := 0
	for at := range whole {
		for _, change := range []byte{1, 0x80, 0xff} {
			b := bytes.Clone(whole)
			b[at] ^= change
			if !refused(b) || !bytes.Equal(fixChecksum(b), whole) && !refused(b) {
				t.Fatalf("offset %d: damage was not detected", at)
			}
			stated := openStated(t, file, b)
			if stated.CheckChunk(0) == nil {
				opened++
			}
			exercise(stated)
		}
	}
	for size := range whole {
		if !refused(whole[:size]) {
			t.Fatalf("a chunk truncated to %d bytes was accepted", size)
		}
	}
	if opened == 0 {
		t.Fatal("no damaged chunk was read")
	}
}
