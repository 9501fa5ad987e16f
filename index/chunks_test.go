package index

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"galbuild/index/query"
	"galbuild/index/segment"
)

func TestChunkName(t *testing.T) {
	c := Chunk{SHA256: [32]byte{0xa0, 0x01, 31: 0xff}}
	want := "a0/a001" + strings.Repeat("00", 29) + "ff.idx"
	if got := c.Name(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEncodeChunkErrors(t *testing.T) {
	text := func(placeholders ...uint32) Payloads {
		return Payloads{All: {JSON: []byte("xy"), Placeholders: placeholders}}
	}
	for name, tt := range map[string]struct {
		content ChunkContent
		want    string
	}{
		"placeholder outside":       {ChunkContent{Payloads: []Payloads{{}, text(3)}}, "payload 1: placeholders are out of order or outside the JSON"},
		"placeholders out of order": {ChunkContent{Payloads: []Payloads{text(2, 1)}}, "payload 0: placeholders are out of order"},
		"two contents":              {ChunkContent{Files: []File{{Path: "a/b/c/d"}, {Path: "a/b/c/d", Size: 1}}}, `path "a/b/c/d" has two different contents`},
		"not of an extension":       {ChunkContent{Files: []File{{Path: "item/index.html"}}}, `path "item/index.html": files of extensions must be in chunks, and others must not`},
	} {
		if _, _, err := EncodeChunk(tt.content); err == nil || !strings.HasPrefix(err.Error(), "write chunk: "+tt.want) {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
	if _, c, err := EncodeChunk(ChunkContent{Payloads: []Payloads{text(0, 1, 1, 2)}}); err != nil || c.Documents != 1 || c.Files != 0 {
		t.Errorf("got %+v, %v, want one document", c, err)
	}
}

// TestEncodeChunkIgnoresOrder gives the files of a chunk in two orders, and one of them twice.
func TestEncodeChunkIgnoresOrder(t *testing.T) {
	files := []File{{Path: "a/b/c/1", Type: "b"}, {Path: "a/b/c/2", Type: "a"}, {Path: "a/b/c/3", Type: "b"}}
	one, first, err := EncodeChunk(ChunkContent{Files: files})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(files)
	two, second, err := EncodeChunk(ChunkContent{Files: append(files, files[1])})
	if err != nil || !bytes.Equal(one, two) || first != second || first.Files != 3 {
		t.Errorf("got %+v and %+v, %v, want the same chunk with three files", first, second, err)
	}
}

func TestChunkOfPath(t *testing.T) {
	c := chunks{all: []Chunk{{}, {First: "b.b"}, {First: "b.c"}, {First: "x.y"}}}
	for path, want := range map[string]int{
		"assets/a/z/1.0.0/x": 0, "files/b/a/1": 0, "assets/b/b/1.0.0": 1, "assets/b/bb/1.0.0/x/y/z": 1, "x/b/c/": 2,
		"assets/x/x/1": 2, "assets/x/y/1": 3, "assets/x/y/1/../..": 3, "assets/z/z/1": 3, "///": 0, "assets/ü/ü/1": 3,
		"assets/" + strings.Repeat("x", 300) + "/y/1": 3,
		"": -1, "a": -1, "a/b": -1, "index.html": -1, "item/index.html": -1, "assets/b/b": -1, "//": -1,
	} {
		if got, ok := c.of(path); ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: got %d, %t, want %d", path, got, ok, want)
		}
	}
	if _, ok := new(chunks).of("assets/b/b/1"); ok {
		t.Error("an index without chunks has a chunk for a path")
	}
}

func TestFiles(t *testing.T) {
	files := testFiles(50)
	ix := open(t, randomDocuments(rand.New(rand.NewPCG(1, 2)), 40), append(files, files[7]))
	withFiles := 0
	for _, c := range ix.Chunks() {
		if c.Files > 0 {
			withFiles++
		}
	}
	if outside := ix.files.len(); withFiles < 2 || outside == 0 {
		t.Fatalf("%d chunks have files, and %d are outside, which tests too little", withFiles, outside)
	}
	for _, want := range files {
		if got, ok, err := ix.File(want.Path); err != nil || !ok || got != want {
			t.Errorf("%s: got %+v, %t, %v, want %+v", want.Path, got, ok, err, want)
		}
		if _, ok, err := ix.File(strings.ToUpper(want.Path)); err != nil || ok {
			t.Errorf("%s: found in upper case, %v", want.Path, err)
		}
	}
	for _, path := range []string{"pages/50.png", "assets/acme/a/1.0.0/50.png", "assets/acme/a", ""} {
		if _, ok, err := ix.File(path); err != nil || ok {
			t.Errorf("%q: found %t, %v", path, ok, err)
		}
	}
	var got []int64
	for f, err := range ix.Files() {
		if err != nil {
			t.Error(err)
		}
		got = append(got, f.Size)
	}
	slices.Sort(got)
	for i, size := range got {
		if size != files[i].Size {
			t.Errorf("file %d has %d bytes, want %d", i, size, files[i].Size)
		}
	}
	if len(got) != len(files) || ix.Stats().Files != len(files) {
		t.Errorf("got %d files, %d by Stats, want %d", len(got), ix.Stats().Files, len(files))
	}
}

// A countingSource is a source of chunks that counts how often each chunk is opened and closed. It
// fails for chunks that are lost.
type countingSource struct {
	chunks         testChunks
	lost           map[[32]byte]bool
	mutex          sync.Mutex
	opened, closed map[[32]byte]int
}

func newCountingSource(c *testContent) *countingSource {
	return &countingSource{chunks: c.chunks, lost: make(map[[32]byte]bool), opened: make(map[[32]byte]int), closed: make(map[[32]byte]int)}
}

var errLost = errors.New("the chunk is lost")

func (s *countingSource) open(c Chunk) ([]byte, io.Closer, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.lost[c.SHA256] {
		return nil, nil, errLost
	}
	s.opened[c.SHA256]++
	return s.chunks[c.SHA256], closeFunc(func() error {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.closed[c.SHA256]++
		return nil
	}), nil
}

type closeFunc func() error

func (f closeFunc) Close() error { return f() }

// TestOneIDOpensOneChunk asks for one extension by its id. Nothing but its chunk is opened, and
// that once. Opening and searching the index opens none.
func TestOneIDOpensOneChunk(t *testing.T) {
	c := contentOf(t, randomDocuments(rand.New(rand.NewPCG(1, 2)), 100), testFiles(9))
	s := newCountingSource(c)
	ix := c.open(t, s.open)
	ix.Stats()
	for _, f := range []query.Filter{{Sort: query.InstallCount}, {Text: []string{"python"}}, {Categories: []string{"themes"}}} {
		ix.Search(nil, &f)
	}
	if ix.File("pages/0.png"); len(s.opened) > 0 {
		t.Errorf("opened %d chunks before a payload was read", len(s.opened))
	}
	r := ix.Search(nil, &query.Filter{Names: []string{c.Documents[42].ID}})
	for range 3 {
		payload(t, ix, r.Hits[0], Latest)
		payload(t, ix, r.Hits[0], All)
	}
	if got := ix.ChunkOf(r.Hits[0]); got != int(c.Places[42].Chunk) {
		t.Errorf("got chunk %d, want %d", got, c.Places[42].Chunk)
	}
	want := c.Chunks[c.Places[42].Chunk].SHA256
	if len(r.Hits) != 1 || len(s.opened) != 1 || s.opened[want] != 1 {
		t.Errorf("%d results opened %v, want one chunk, once", len(r.Hits), s.opened)
	}
}

// TestCloseClosesChunks closes an index with some chunks open, twice.
func TestCloseClosesChunks(t *testing.T) {
	c := contentOf(t, randomDocuments(rand.New(rand.NewPCG(1, 2)), 50), nil)
	s := newCountingSource(c)
	ix := c.open(t, s.open)
	for i := range ix.Chunks() {
		if i%2 == 0 {
			if err := ix.CheckChunk(i); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(s.opened) < 2 || len(s.closed) > 0 {
		t.Fatalf("opened %d chunks and closed %d", len(s.opened), len(s.closed))
	}
	for range 2 {
		if err := ix.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for sum, n := range s.opened {
		if n != 1 || s.closed[sum] != 1 {
			t.Errorf("chunk %x was opened %d times and closed %d times", sum, n, s.closed[sum])
		}
	}
}

// TestConcurrentOpen reads the payloads of all documents in several goroutines. Each chunk is
// opened once.
func TestConcurrentOpen(t *testing.T) {
	c := contentOf(t, randomDocuments(rand.New(rand.NewPCG(1, 2)), 200), nil)
	s := newCountingSource(c)
	ix := c.open(t, s.open)
	docs := newOracle(c.Documents)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range docs {
				p, err := ix.Payload(Hit(i), Latest)
				if want := testPayloads(&docs[i]); err != nil || !sameJSON(p, want[Latest]) {
					t.Errorf("document %d: got %v, %v", i, p, err)
				}
			}
		})
	}
	group.Wait()
	if len(s.opened) != len(c.Chunks) {
		t.Errorf("opened %d of %d chunks", len(s.opened), len(c.Chunks))
	}
	for sum, n := range s.opened {
		if n != 1 {
			t.Errorf("chunk %x was opened %d times", sum, n)
		}
	}
}

// TestDamagedChunkSpoilsNoOther opens an index from a folder where the file of one chunk is
// missing, damaged or too short. All that needs it is a ChunkError, and everything else works.
// When the file is there again, it is used.
func TestDamagedChunkSpoilsNoOther(t *testing.T) {
	c := contentOf(t, randomDocuments(rand.New(rand.NewPCG(1, 2)), 40), testFiles(9))
	number, ok := openWith(t, c).chunks.of("assets/acme/a/1.0.0/1.png")
	if !ok {
		t.Fatal("the path has no chunk")
	}
	bad := c.Chunks[number]
	for name, tt := range map[string]struct {
		damage func(file string, b []byte) error
		is     error
		text   string
	}{
		"missing": {func(file string, _ []byte) error { return os.Remove(file) }, fs.ErrNotExist, bad.Name()},
		"damaged": {func(file string, b []byte) error { b[len(b)/2] ^= 1; return os.WriteFile(file, b, 0o600) }, segment.ErrCorrupt, "SHA-256 is"},
		"short":   {func(file string, b []byte) error { return os.WriteFile(file, b[1:], 0o600) }, segment.ErrCorrupt, "bytes, want"},
		"empty":   {func(file string, _ []byte) error { return os.WriteFile(file, nil, 0o600) }, segment.ErrCorrupt, "0 bytes, want"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			writeChunkFiles(t, folder, c)
			file := filepath.Join(folder, filepath.FromSlash(bad.Name()))
			if err := tt.damage(file, bytes.Clone(c.chunks[bad.SHA256])); err != nil {
				t.Fatal(err)
			}
			ix := c.open(t, ChunksIn(folder))
			defer ix.Close()
			wrong := func(what string, err error) {
				t.Helper()
				if e := new(ChunkError); !errors.As(err, &e) || e.Chunk != bad || !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) || !strings.Contains(err.Error(), bad.Name()) {
					t.Errorf("%s: got %v, want a ChunkError of %s", what, err, bad.Name())
				}
			}
			for i := range ix.Len() {
				_, err := ix.Payload(Hit(i), Latest)
				if int(ix.chunks.places[2*i]) == number {
					wrong("payload", err)
				} else if err != nil {
					t.Errorf("payload %d: %v", i, err)
				}
			}
			_, _, err := ix.File("assets/acme/a/1.0.0/1.png")
			wrong("file", err)
			if _, ok, err := ix.File("files/ms/z/2.0.0/media/2.png"); err != nil || !ok {
				t.Errorf("a file of another chunk: found %t, %v", ok, err)
			}
			wrong("check", ix.CheckChunk(number))
			files := 0
			for _, err := range ix.Files() {
				if files++; err != nil {
					wrong("files", err)
				}
			}
			if want := 9 - bad.Files + 1; files != want {
				t.Errorf("got %d files and errors, want %d", files, want)
			}
			writeChunkFiles(t, folder, c)
			if err := ix.CheckChunk(number); err != nil {
				t.Errorf("after the file was repaired: %v", err)
			}
		})
	}
}

// writeChunkFiles writes the files of chunks into a folder.
func writeChunkFiles(t *testing.T, folder string, c *testContent) {
	t.Helper()
	for i := range c.Chunks {
		file := filepath.Join(folder, filepath.FromSlash(c.Chunks[i].Name()))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, c.chunks[c.Chunks[i].SHA256], 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestListsMore compares the files of indexes with the same chunks and with different ones. It does
// not open the chunks that two indexes share.
func TestListsMore(t *testing.T) {
	docs := make([]Document, 4*chunkDocuments)
	for i := range docs {
		docs[i] = Document{ID: fmt.Sprintf("p.n%02d", i)}
	}
	page := func(size int64) File { return File{Path: "index.html", Size: size, SHA256: [32]byte{byte(size)}} }
	asset := func(document int, content byte) File {
		return File{Path: fmt.Sprintf("assets/p/n%02d/1.0.0/x", document), SHA256: [32]byte{content}}
	}
	const last = 4*chunkDocuments - 1
	base := []File{page(1), asset(0, 1), asset(last, 1)}
	for name, tt := range map[string]struct {
		files  []File
		others [][]File
		want   bool
	}{
		"the same":                   {base, [][]File{base}, false},
		"fewer":                      {base[:2], [][]File{base}, false},
		"another asset":              {append(base, asset(1, 1)), [][]File{base}, true},
		"other content":              {[]File{page(1), asset(0, 2), asset(last, 1)}, [][]File{base}, true},
		"another page":               {append(base, File{Path: "x.js"}), [][]File{base}, false},
		"other content of a page":    {[]File{page(2), asset(0, 1), asset(last, 1)}, [][]File{base}, false},
		"each in one of two":         {base, [][]File{base[:2], {page(2), asset(last, 1)}}, false},
		"one in none of two":         {append(base, asset(1, 1)), [][]File{base[:2], {asset(last, 1)}}, true},
		"none to compare with":       {base, nil, true},
		"no files, none to compare":  {nil, nil, false},
		"the same, from other chunk": {[]File{asset(0, 1)}, [][]File{{asset(0, 1), asset(1, 1)}}, false},
	} {
		indexes := make([]*Index, len(tt.others)+1)
		sources := make([]*countingSource, len(indexes))
		users := make(map[[32]byte]int) // how many of the indexes have a chunk
		for i, files := range append([][]File{tt.files}, tt.others...) {
			c := contentOf(t, docs, files)
			sources[i] = newCountingSource(c)
			indexes[i] = c.open(t, sources[i].open)
			for _, chunk := range c.Chunks {
				users[chunk.SHA256]++
			}
		}
		shared := 0
		for _, chunk := range indexes[0].Chunks() {
			if users[chunk.SHA256] > 1 {
				shared++
				for _, s := range sources {
					s.lost[chunk.SHA256] = true
				}
			}
		}
		if len(tt.others) > 0 && shared == 0 {
			t.Errorf("%s: no chunk is shared", name)
		}
		if got, err := indexes[0].ListsMore(indexes[1:]...); err != nil || got != tt.want {
			t.Errorf("%s: got %t, %v, want %t", name, got, err, tt.want)
		}
	}
}

// TestListsMoreErrors compares indexes of which a chunk that they do not share is lost.
func TestListsMoreErrors(t *testing.T) {
	docs := []Document{{ID: "p.n"}}
	one, two := contentOf(t, docs, []File{{Path: "a/p/n/1"}}), contentOf(t, docs, []File{{Path: "a/p/n/2"}})
	for _, lost := range []*testContent{one, two} {
		a, b := newCountingSource(one), newCountingSource(two)
		a.lost[lost.Chunks[0].SHA256], b.lost[lost.Chunks[0].SHA256] = true, true
		_, err := one.open(t, a.open).ListsMore(two.open(t, b.open))
		if e := new(ChunkError); !errors.As(err, &e) || !errors.Is(err, errLost) || e.Chunk != lost.Chunks[0] {
			t.Errorf("got %v, want the error of chunk %s", err, lost.Chunks[0].Name())
		}
	}
}

// TestOpenChecksChunks opens an index whose table of chunks was changed.
func TestOpenChecksChunks(t *testing.T) {
	c := contentOf(t, randomDocuments(rand.New(rand.NewPCG(1, 2)), 3*chunkDocuments), nil)
	for name, tt := range map[string]struct {
		section string
		change  func(b []byte)
		want    string
	}{
		"number of a chunk": {"doc.chk", func(b []byte) { b[8*2] = 3 }, `section "doc.chk": document 2 is not in a chunk`},
		"position":          {"doc.chk", func(b []byte) { b[8*1+4] = chunkDocuments }, `section "doc.chk": document 1 is not in a chunk`},
		"documents":         {"chk.rec", func(b []byte) { b[2*chunkRecordSize+40] = 0 }, `is not in a chunk`},
		"order":             {"chk.text", func(b []byte) { b[0] = 0xff }, `sections "chk": chunk 2 begins at`},
		"first":             {"chk.ends", func(b []byte) { b[0], b[4] = 1, b[4]-1 }, `the first chunk begins at`},
		"ends":              {"chk.ends", func(b []byte) { b[8]++ }, `sections "chk" have inconsistent sizes`},
		"negative size":     {"chk.rec", func(b []byte) { b[39] = 0x80 }, `chunk 0 has -9223372036854`},
		"huge size":         {"chk.rec", func(b []byte) { b[36] = 0x40 }, `bytes, want 0 to 1073741824`},
		"many documents":    {"chk.rec", func(b []byte) { b[43] = 0xff }, `documents and 0 files in`},
		"many files":        {"chk.rec", func(b []byte) { b[47] = 0xff }, `chunk 0 has 8 documents and 4278190080 files in`},
	} {
		b := c.decompressed(t)
		s, err := segment.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		section, err := s.Section(tt.section)
		if err != nil {
			t.Fatal(err)
		}
		tt.change(section)
		if _, err := openSegment(fixChecksum(b), nil); !errors.Is(err, segment.ErrCorrupt) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want …%s…", name, err, tt.want)
		}
	}
}

// TestChunkNumbers opens a chunk that has other numbers of documents and files than the index
// states.
func TestChunkNumbers(t *testing.T) {
	c := contentOf(t, randomDocuments(rand.New(rand.NewPCG(1, 2)), 5), testFiles(9))
	for name, tt := range map[string]struct {
		change func(c *Chunk)
		want   string
	}{
		"documents": {func(c *Chunk) { c.Documents++ }, `section "pay.rows" has 60 numbers for 6 documents`},
		"files":     {func(c *Chunk) { c.Files-- }, `section "file.rec" has 6 records, want 5`},
	} {
		chunk := c.Chunks[0]
		tt.change(&chunk)
		if _, err := parseChunk(c.chunks[chunk.SHA256], &chunk); !errors.Is(err, segment.ErrCorrupt) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want …%s…", name, err, tt.want)
		}
	}
}

// TestTooManyChunks writes and opens indexes with more chunks than the limit, and with chunks that
// are too long together.
func TestTooManyChunks(t *testing.T) {
	for want, all := range map[string][]Chunk{
		"20001 chunks, more than the limit of 20000":  equalChunks(MaxChunks+1, 0),
		"the chunks have more than 68719476736 bytes": equalChunks(MaxChunksSize/MaxChunkSize+1, MaxChunkSize),
		"": equalChunks(MaxChunks, 1<<20),
	} {
		c := contentOf(t, nil, nil)
		c.Chunks = all
		if err := Write(io.Discard, c.Content); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("written: got %v, want …%s…", err, want)
		}
		if _, err := openChunks(chunkTable(t, all), 0, nil); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("opened: got %v, want …%s…", err, want)
		}
	}
}

// equalChunks returns n chunks of this size without documents.
func equalChunks(n int, size int64) []Chunk {
	all := []Chunk{{Size: size}}
	for i := range n - 1 {
		all = append(all, Chunk{First: fmt.Sprintf("a.%06d", i), Size: size})
	}
	return all
}

// chunkTable returns a segment with the sections of a table of chunks.
func chunkTable(t *testing.T, all []Chunk) *segment.Segment {
	t.Helper()
	var text, records []byte
	var ends []uint32
	for _, c := range all {
		text = append(text, c.First...)
		ends = append(ends, uint32(len(text)))
		records = binary.LittleEndian.AppendUint64(append(records, c.SHA256[:]...), uint64(c.Size))
		records = append(records, make([]byte, 8)...)
	}
	b, err := segment.Encode(
		segment.Part{Tag: "chk.ends", Bytes: segment.Bytes32(differences(ends))}, segment.Part{Tag: "chk.rec", Bytes: records},
		segment.Part{Tag: "chk.text", Bytes: text}, segment.Part{Tag: "doc.chk"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := segment.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
