package index

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
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
			if got, want := (Payloads{ix.Payload(h, Latest), ix.Payload(h, All)}), testPayloads(&got); !samePayloads(got, want) {
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

func testFiles(n int) []File {
	files := make([]File, n)
	for i := range files {
		files[i] = File{fmt.Sprintf("assets/a/%d.png", i), [32]byte{byte(i), 31: 9}, int64(i) << 33, []string{"image/png", "text/plain; charset=utf-8"}[i%2]}
	}
	return files
}

func TestFiles(t *testing.T) {
	files := testFiles(50)
	ix := open(t, nil, append(files, files[7]))
	for _, want := range files {
		if got, ok := ix.File(want.Path); !ok || got != want {
			t.Errorf("%s: got %+v, %t, want %+v", want.Path, got, ok, want)
		}
	}
	if _, ok := ix.File("assets/a/50.png"); ok {
		t.Error("found a file that is not there")
	}
	n := 0
	for range ix.Files() {
		n++
	}
	if n != len(files) {
		t.Errorf("got %d files, want %d", n, len(files))
	}
}

func TestWriteErrors(t *testing.T) {
	for name, c := range map[string]struct {
		docs  []Document
		files []File
		want  string
	}{
		"id twice":   {docs: []Document{{ID: "a.b"}, {ID: "A.B"}}, want: `two documents have the id`},
		"path twice": {files: []File{{Path: "p"}, {Path: "p", Size: 1}}, want: `path "p" has two different contents`},
	} {
		err := Write(&bytes.Buffer{}, contentOf(t, c.docs, c.files))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want …%s…", name, err, c.want)
		}
	}
	c := contentOf(t, []Document{{ID: "a.b"}}, nil)
	c.Payloads = func(int) Payloads { return Payloads{All: {JSON: []byte("x"), Placeholders: []uint32{2}}} }
	err := Write(&bytes.Buffer{}, c)
	if want := `a payload of "a.b": placeholders are out of order`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want …%s…", err, want)
	}
	c.TempDir = filepath.Join(c.TempDir, "missing")
	if err := Write(&bytes.Buffer{}, c); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v for a missing directory of temporary files", err)
	}
}

func TestOpenErrorHasPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.idx")
	b := write(t, randomDocuments(rand.New(rand.NewPCG(1, 2)), 5), nil)
	b[len(b)/2] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(path)
	if !errors.Is(err, segment.ErrCorrupt) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "offset") {
		t.Errorf("got %v, want ErrCorrupt with the file and the offset", err)
	}
}

// TestOldFiles opens a file of every version and set of sections that was ever written. The
// files in testdata are never written again.
func TestOldFiles(t *testing.T) {
	all, err := filepath.Glob("testdata/v*.idx")
	if err != nil || len(all) == 0 {
		t.Fatalf("got %d old files (%v), want at least one", len(all), err)
	}
	for _, path := range all {
		ix, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		r := ix.Search(nil, &query.Filter{Text: []string{"live sevrer"}, Categories: []string{"other"}})
		want, ok := ix.Find("ritwickdey.liveserver")
		if !ok || len(r.Hits) == 0 || r.Hits[0] != want {
			t.Errorf("%s: got %v, want %d first", path, r, want)
		}
		if p := ix.Payload(want, Latest); string(p.JSON) != `{"assetUri":"/x"}` || len(p.Placeholders) != 1 || p.Placeholders[0] != 13 {
			t.Errorf("%s: got payload %q %v", path, p.JSON, p.Placeholders)
		}
		if f, ok := ix.File("assets/x"); !ok || f.Size != 42 || f.Type != "image/png" {
			t.Errorf("%s: got file %+v, %t", path, f, ok)
		}
		if pins := ix.Pins(); strings.HasSuffix(path, "v1-pins.idx") && (len(pins) != 1 || pins[0].Text != "web page" || !slices.Equal(pins[0].Hits, []Hit{want})) {
			t.Errorf("%s: got pins %v", path, pins)
		}
		if err := ix.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestMissingSections opens a file without the sections that were added later. The results
// are the same.
func TestMissingSections(t *testing.T) {
	docs := randomDocuments(rand.New(rand.NewPCG(3, 4)), 300)
	b := write(t, docs, nil)
	s, err := segment.Parse(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := segment.NewWriter(t.TempDir())
	defer w.Close()
	left := 0
	for _, e := range s.Sections() {
		if strings.HasSuffix(e.Name, ".near") {
			left++
			continue
		}
		w.Add(e.Name, b[e.Offset:e.Offset+e.Size])
	}
	var older bytes.Buffer
	if _, err := w.WriteTo(&older); err != nil || left != 2 {
		t.Fatalf("left out %d sections: %v, want 2", left, err)
	}
	ix, err := OpenBytes(older.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"pyhton", "markdwonlint", "live sevrer", "livesevrer", "typescrpt"} {
		f := query.Filter{Text: []string{text}}
		if got, want := ix.Search(nil, &f), open(t, docs, nil).Search(nil, &f); !reflect.DeepEqual(got, want) || want.Total == 0 {
			t.Errorf("%q: got %v, want %v", text, got, want)
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
	if got := testing.AllocsPerRun(100, func() { ix.Payload(3, All); ix.Find("acme.python1") }); got > 0 {
		t.Errorf("find and payload: got %v allocations, want none", got)
	}
}
