package index

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galbuild/index/query"
	"galbuild/index/segment"
)

func TestDocumentsRoundTrip(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		docs := randomDocuments(r, r.IntN(40))
		ix, want := open(t, docs, nil), newOracle(docs)
		n := 0
		for h, got := range ix.Documents() {
			if !reflect.DeepEqual(got, want[h]) {
				t.Fatalf("document %d:\n got %+v\nwant %+v", h, got, want[h])
			}
			if got, want := (Payloads{payload(t, ix, h, Latest), payload(t, ix, h, All)}), testPayloads(&got); !samePayloads(got, want) {
				t.Fatalf("document %d:\n got %+v\nwant %+v", h, got, want)
			}
			if found, ok := ix.Find(strings.ToUpper(got.ID)); !ok || found != h {
				t.Errorf("find %q: got %d, %t, want %d", got.ID, found, ok, h)
			}
			n++
		}
		if n != len(docs) || ix.Len() != n {
			t.Errorf("got %d documents, want %d", n, len(docs))
		}
	}
}

// samePayloads compares payloads. The deflated form of a variant that equals the first is
// not stored, so that of the first is expected.
func samePayloads(got, want Payloads) bool {
	if sameJSON(want[All], want[Latest]) {
		want[All].Deflated = want[Latest].Deflated
	}
	for v := range got {
		if !sameJSON(got[v], want[v]) || !bytes.Equal(got[v].Deflated, want[v].Deflated) {
			return false
		}
	}
	return true
}

func TestWriteIgnoresInputOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	docs, files := randomDocuments(r, 60), testFiles(50)
	want := write(t, docs, files)
	for range 5 {
		r.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		if !bytes.Equal(write(t, docs, files), want) {
			t.Fatal("the same documents in another order gave different bytes")
		}
	}
}

// testFiles returns n files. Every third one is not one of an extension.
func testFiles(n int) []File {
	files := make([]File, n)
	for i := range files {
		folder := []string{"pages", "assets/acme/a/1.0.0", "files/ms/z/2.0.0/media"}[i%3]
		files[i] = File{fmt.Sprintf("%s/%d.png", folder, i), [32]byte{byte(i), 31: 9}, int64(i) << 33, []string{"image/png", "text/plain; charset=utf-8"}[i%2]}
	}
	return files
}

func TestWriteErrors(t *testing.T) {
	docs := []Document{{ID: "a.b"}, {ID: "c.d"}}
	for name, tt := range map[string]struct {
		change func(c *testContent)
		want   string
	}{
		"id twice":         {func(c *testContent) { c.Documents = []Document{{ID: "a.b"}, {ID: "A.B"}} }, "two documents have the id"},
		"path twice":       {func(c *testContent) { c.Files = slices.Values([]File{{Path: "p"}, {Path: "p", Size: 1}}) }, `path "p" has two different contents`},
		"path in chunk":    {func(c *testContent) { c.Files = slices.Values([]File{{Path: "assets/a/b/c"}}) }, `path "assets/a/b/c": files of extensions must be in chunks`},
		"no place":         {func(c *testContent) { c.Places = c.Places[:1] }, "2 documents have 1 places in chunks"},
		"no chunk":         {func(c *testContent) { c.Places[1].Chunk = 2 }, `"c.d" has no place in a chunk`},
		"no position":      {func(c *testContent) { c.Places[0].Position = 2 }, `"a.b" has no place in a chunk`},
		"no chunks":        {func(c *testContent) { c.Chunks = nil }, `"a.b" has no place in a chunk`},
		"first chunk":      {func(c *testContent) { c.Chunks[0].First = "a" }, `the first chunk begins at "a", want ""`},
		"order of chunks":  {func(c *testContent) { c.Chunks = append(c.Chunks, Chunk{First: "b"}, Chunk{First: "a"}) }, `chunk 2 begins at "a", not after "b"`},
		"same chunk twice": {func(c *testContent) { c.Chunks = append(c.Chunks, Chunk{First: "b"}, Chunk{First: "b"}) }, `chunk 2 begins at "b", not after "b"`},
	} {
		c := contentOf(t, docs, nil)
		tt.change(c)
		var b bytes.Buffer
		if err := Write(&b, c.Content); err == nil || !strings.HasPrefix(err.Error(), "write index: ") || !strings.Contains(err.Error(), tt.want) || b.Len() > 0 {
			t.Errorf("%s: got %v and %d bytes, want …%s…", name, err, b.Len(), tt.want)
		}
	}
	c := contentOf(t, docs, nil)
	c.TempDir = filepath.Join(c.TempDir, "missing")
	if err := Write(&bytes.Buffer{}, c.Content); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v for a missing directory of temporary files", err)
	}
}

func TestOpenErrorHasPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.idx.zst")
	b := write(t, randomDocuments(rand.New(rand.NewPCG(1, 2)), 5), nil)
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path, nil)
	if !errors.Is(err, segment.ErrCorrupt) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "offset") {
		t.Errorf("got %v, want ErrCorrupt with the file and the offset", err)
	}
}

// TestTestdata opens the files in testdata, which are never written again: those of this version,
// which the package comment specifies, and one of the version before, which is refused.
func TestTestdata(t *testing.T) {
	ix, err := Open("testdata/v2.idx.zst", ChunksIn("testdata/chunks"))
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	r := ix.Search(nil, &query.Filter{Text: []string{"live sevrer"}, Categories: []string{"other"}})
	want, ok := ix.Find("ritwickdey.liveserver")
	if !ok || len(r.Hits) == 0 || r.Hits[0] != want {
		t.Errorf("got %v, want %d first", r, want)
	}
	if p := payload(t, ix, want, All); string(p.JSON) != `{"assetUri":"/y"}` || !slices.Equal(p.Placeholders, []uint32{13}) || string(p.Deflated) != "deflated" {
		t.Errorf("got payload %q %v %q", p.JSON, p.Placeholders, p.Deflated)
	}
	for path, size := range map[string]int64{"index.html": 7, "assets/ritwickdey/liveserver/1.0.0/x": 42} {
		if f, ok, err := ix.File(path); err != nil || !ok || f.Size != size || f.Type != "image/png" {
			t.Errorf("%s: got %+v, %t, %v", path, f, ok, err)
		}
	}
	if pins := ix.Pins(); len(pins) != 1 || pins[0].Text != "web page" || !slices.Equal(pins[0].Hits, []Hit{want}) {
		t.Errorf("got pins %v", pins)
	}
	if s := ix.Stats(); s.Chunks != 2 || s.Files != 2 {
		t.Errorf("got %+v, want 2 chunks and 2 files", s)
	}
	if _, err := Open("testdata/v1.idx.zst", nil); !errors.Is(err, segment.ErrVersion) || !strings.Contains(err.Error(), "got 1, want 2") {
		t.Errorf("got %v for a file of version 1", err)
	}
}

// TestSectionsAreSpecified compares the sections of an index and of a chunk with the package
// comment.
func TestSectionsAreSpecified(t *testing.T) {
	comment, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, m := range regexp.MustCompile(`(?m)^//\t(…?[a-z]*\.?[a-z]+)  `).FindAllSubmatch(comment, -1) {
		name := string(m[1])
		suffix, ok := strings.CutPrefix(name, "…")
		if !ok {
			want = append(want, name)
			continue
		}
		for _, dictionary := range []string{"key", "trm", "nam", "pin"} {
			want = append(want, dictionary+suffix)
		}
	}
	c := contentOf(t, randomDocuments(rand.New(rand.NewPCG(3, 4)), 5), nil)
	for _, file := range [][]byte{c.decompressed(t), c.chunks[c.Chunks[0].SHA256]} {
		s, err := segment.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range s.Sections() {
			got = append(got, e.Name)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) { // both files have files
		t.Errorf("got sections %q, want %q", got, want)
	}
}

// TestWithoutUse has documents that nobody has installed lately. The index has no sections for
// their use, and the orders by recent installs are that by all installs.
func TestWithoutUse(t *testing.T) {
	docs := randomDocuments(rand.New(rand.NewPCG(3, 4)), 50)
	for i := range docs {
		docs[i].Use = Use{}
	}
	c := contentOf(t, docs, nil)
	s, err := segment.Parse(c.decompressed(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range s.Sections() {
		if strings.HasPrefix(e.Name, "use.") {
			t.Errorf("the index has section %s", e.Name)
		}
	}
	ix := open(t, docs, nil)
	for _, by := range trends {
		for _, direction := range []query.Order{query.DefaultOrder, query.Ascending, query.Descending} {
			got := ix.Search(NewWork(t.Context()), &query.Filter{Sort: by, Order: direction, Size: 50})
			want := ix.Search(NewWork(t.Context()), &query.Filter{Sort: query.InstallCount, Order: direction, Size: 50})
			if len(got.Hits) != 50 || !slices.Equal(got.Hits, want.Hits) {
				t.Errorf("%s %d: got %v, want %v", by, direction, got.Hits, want.Hits)
			}
		}
	}
}

// TestMissingSections opens an index, and a chunk, without each of its sections. The error names
// the section.
func TestMissingSections(t *testing.T) {
	c := contentOf(t, randomDocuments(rand.New(rand.NewPCG(3, 4)), 5), testFiles(5))
	for file, open := range map[string]func(b []byte) error{
		string(c.decompressed(t)): func(b []byte) error { _, err := openSegment(b, nil); return err },
		string(c.chunks[c.Chunks[0].SHA256]): func(b []byte) error {
			chunk := c.Chunks[0]
			chunk.SHA256, chunk.Size = sha256.Sum256(b), int64(len(b))
			_, err := parseChunk(b, &chunk)
			return err
		},
	} {
		if err := open([]byte(file)); err != nil {
			t.Fatal(err)
		}
		s, err := segment.Parse([]byte(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, missing := range s.Sections() {
			var parts []segment.Part
			for _, e := range s.Sections() {
				if e != missing {
					parts = append(parts, segment.Part{Tag: e.Name, Bytes: []byte(file)[e.Offset:][:e.Size]})
				}
			}
			b, err := segment.Encode(parts...)
			if err != nil {
				t.Fatal(err)
			}
			if err := open(b); !errors.Is(err, segment.ErrCorrupt) || !strings.Contains(err.Error(), fmt.Sprintf("section %q is missing", missing.Name)) {
				t.Errorf("without %s: got %v", missing.Name, err)
			}
		}
	}
}

func TestAllocations(t *testing.T) {
	docs := randomDocuments(rand.New(rand.NewPCG(1, 2)), 2000)
	ix := open(t, docs, nil)
	var ids []string
	for i := range 60 {
		ids = append(ids, docs[33*i].UUID, docs[29*i].ID)
	}
	s := new(scratch) // the pool may drop its values at any time
	s.unlimited = unlimitedWork()
	s.work, s.scores.work = &s.unlimited, &s.unlimited
	for name, f := range map[string]query.Filter{
		"popular":      {Sort: query.InstallCount, Exclude: query.Validated << 8},
		"category":     {Categories: []string{"themes"}, Targets: []string{vscodeTarget}},
		"update check": {IDs: ids, Exclude: query.Unpublished, Size: 120},
		"restricted":   {Categories: []string{"themes"}, Targets: []string{"linux-x64"}, Exclude: query.Preview},
		"by rating":    {Categories: []string{"themes"}, Sort: query.WeightedRating},
		"text again":   {Text: []string{"python"}},
	} {
		if r := ix.search(&f, s); r.Total == 0 {
			t.Errorf("%s: nothing found", name)
		}
		if got := testing.AllocsPerRun(100, func() { ix.search(&f, s) }); got > 1 {
			t.Errorf("%s: got %v allocations, want one, for the hits", name, got)
		}
	}
	const path = "assets/acme/python-with-a-long-name/1.0.0/Microsoft.VisualStudio.Services.VSIXPackage"
	if got := testing.AllocsPerRun(100, func() { ix.Payload(3, All); ix.Find("acme.python1"); ix.File(path) }); got > 0 {
		t.Errorf("find, payload and file: got %v allocations, want none", got)
	}
}
