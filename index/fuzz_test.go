package index

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
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
			cutAtPlaceholders(ix.Payload(h, Latest))
			cutAtPlaceholders(ix.Payload(h, All))
		}
	}
	for _, d := range ix.Documents() {
		ix.Find(d.ID)
	}
	for range ix.Files() {
	}
	ix.Pins()
	ix.File("assets/a/1.png")
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

// writePinned writes an index with pins.
func writePinned(t testing.TB, documents, files int) []byte {
	c := contentOf(t, randomDocuments(rand.New(rand.NewPCG(5, 5)), documents), testFiles(files))
	c.Pins = map[string][]string{"pinned text": {c.Documents[1].ID, c.Documents[0].ID}, "x": {c.Documents[2].ID}}
	var b bytes.Buffer
	if err := Write(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzOpenBytes(f *testing.F) {
	f.Add(writePinned(f, 12, 4), uint32(40), uint64(1))
	f.Add(write(f, nil, nil), uint32(12), uint64(0xff))
	f.Fuzz(func(t *testing.T, b []byte, at uint32, change uint64) {
		if len(b) > 8 {
			at %= uint32(len(b) - 7)
			binary.LittleEndian.PutUint64(b[at:], binary.LittleEndian.Uint64(b[at:])^change)
		}
		if ix, err := OpenBytes(fixChecksum(b)); err == nil {
			exercise(ix)
		}
	})
}

// TestDamage changes every byte of a small index in three ways, and truncates it at every
// size.
func TestDamage(t *testing.T) {
	whole := writePinned(t, 6, 3)
	opened := 0
	for at := range whole {
		for _, change := range []byte{1, 0x80, 0xff} {
			b := append([]byte(nil), whole...)
			b[at] ^= change
			if _, err := OpenBytes(b); err == nil {
				t.Fatalf("offset %d: damage was not detected", at)
			}
			if ix, err := OpenBytes(fixChecksum(b)); err == nil {
				exercise(ix)
				opened++
			}
		}
	}
	for size := range whole {
		if _, err := OpenBytes(whole[:size]); err == nil {
			t.Fatalf("a file truncated to %d bytes was accepted", size)
		}
	}
	if opened == 0 {
		t.Fatal("no damaged index was searched")
	}
}
