package index

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/index/query"
)

// benchmarkDocuments returns n extensions: the well-known ones, followed by invented ones.
func benchmarkDocuments(t testing.TB, n int) []Document {
	r := rand.New(rand.NewPCG(1, 1))
	docs := wellKnownDocuments(t)
	syllables := strings.Fields("ba co di fu ga he jo ka lu ma ne po qui ra si to va we xi zu")
	invent := func() string {
		var b strings.Builder
		for range 2 + r.IntN(3) {
			b.WriteString(pick(r, syllables))
		}
		return b.String()
	}
	for i := len(docs); i < n; i++ {
		name := invent() + "-" + strings.ToLower(strings.ReplaceAll(pick(r, vocabulary), ".", ""))
		docs = append(docs, Document{
			Name: fmt.Sprint(name, i), Publisher: invent(), PublisherTitle: invent(), Title: strings.ReplaceAll(name, "-", " "),
			Description: randomPhrase(r, 12), Categories: pickSome(r, someCategories), Tags: pickSome(r, vocabulary),
			Installs: int64(r.ExpFloat64() * 1000), Platforms: []string{"universal"},
		})
	}
	for i := range docs {
		d := &docs[i]
		d.ID, d.UUID, d.Flags = d.Publisher+"."+d.Name, fmt.Sprintf("%08x-0000-5000-8000-000000000000", i), query.Public|query.Validated
	}
	return docs[:n]
}

// withPayloads returns documents with payloads of the size that they have in a real gallery.
func withPayloads(b *testing.B, docs []Document) *testContent {
	json, deflated := []byte(strings.Repeat("x", 3500)), make([]byte, 900)
	p := Payload{json, []uint32{100, 500, 900, 1300, 1700, 2100}, deflated}
	return contentWith(b, docs, nil, func(*Document) Payloads { return Payloads{p, p} })
}

// BenchmarkSearch runs the queries of editors on galleries of three sizes. The result cache
// does not contain the texts, except for "again".
func BenchmarkSearch(b *testing.B) {
	for _, size := range []int{100, 10_000, 100_000} {
		docs := benchmarkDocuments(b, size)
		ix := open(b, docs, nil)
		var ids []string
		for i := range 60 {
			ids = append(ids, docs[i*size/60].UUID)
		}
		always := query.Filter{Targets: []string{vscodeTarget}, Exclude: query.Unpublished, Size: 50}
		run := func(name string, f query.Filter, before func()) {
			b.Run(fmt.Sprintf("%s/size=%d", name, size), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					before()
					ix.Search(nil, &f)
				}
			})
		}
		for _, c := range []struct {
			name string
			set  func(f *query.Filter)
		}{
			{"popular", func(f *query.Filter) { f.Sort = query.InstallCount }},
			{"category", func(f *query.Filter) { f.Categories = []string{"themes"} }},
			{"ids60", func(f *query.Filter) { f.IDs, f.Size = ids, 60 }},
			{"id", func(f *query.Filter) { f.Names = []string{"ms-python.python"} }},
			{"rating", func(f *query.Filter) { f.Categories, f.Sort = []string{"themes"}, query.WeightedRating }},
		} {
			f := always
			c.set(&f)
			run(c.name, f, func() {})
		}
		for _, c := range []struct{ name, text string }{
			{"word", "python"}, {"frequent", "theme"}, {"words", "dark theme"}, {"letter", "p"}, {"letters", "py"},
			{"typo", "pyhton"}, {"typos", "kubrenetse"}, {"nothing", "xyzzyxyzzy"},
		} {
			f := always
			f.Text = []string{c.text}
			run("text="+c.name, f, func() { ix.cache.remove(c.text) })
		}
		f := always
		f.Text = []string{"python"}
		run("text=again", f, func() {})
	}
}

// BenchmarkOpen opens an index, but no chunk. The floor is the time to read the file into memory.
// It reports the size of the file (file-B).
func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{1_000, 20_000} {
		path := filepath.Join(b.TempDir(), "x.idx.zst")
		file := write(b, benchmarkDocuments(b, n), nil)
		if err := os.WriteFile(path, file, 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("size=%d/of=floor", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := os.ReadFile(path); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("size=%d/of=galshim", n), func(b *testing.B) {
			for b.Loop() {
				ix, err := Open(path, nil)
				if err != nil {
					b.Fatal(err)
				}
				ix.Close()
			}
			b.ReportMetric(float64(len(file)), "file-B")
		})
	}
}

// BenchmarkWrite writes an index, but no chunk.
func BenchmarkWrite(b *testing.B) {
	c := withPayloads(b, benchmarkDocuments(b, 10_000))
	b.ReportAllocs()
	for b.Loop() {
		c.file(b)
	}
}

// BenchmarkPayload returns the payloads of all documents, in chunks that are open.
func BenchmarkPayload(b *testing.B) {
	c := withPayloads(b, benchmarkDocuments(b, 10_000))
	ix := openWith(b, c)
	size := 0
	for i := range ix.Len() {
		size += len(payload(b, ix, Hit(i), Latest).JSON)
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range ix.Len() {
			p, _ := ix.Payload(Hit(i), Latest)
			size += len(p.JSON)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*ix.Len()), "ns/payload")
}

// BenchmarkChunk encodes a chunk, and opens it. The floor is the time to compute its SHA-256.
func BenchmarkChunk(b *testing.B) {
	const documents = 32
	json, deflated := []byte(strings.Repeat("x", 8000)), make([]byte, 1300)
	p := Payload{json, []uint32{100, 500, 900, 1300, 1700, 2100}, deflated}
	content := ChunkContent{Payloads: slices.Repeat([]Payloads{{p, p}}, documents)}
	for i := range 17 * documents {
		content.Files = append(content.Files, File{Path: fmt.Sprintf("assets/a/b/1.0.0/%d", i), Type: "text/plain"})
	}
	file, chunk, err := EncodeChunk(content)
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, do func() error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	floor := func() error { sha256.Sum256(file); return nil }
	run("do=encode/of=floor", floor)
	run("do=encode/of=galbuild", func() error { _, _, err := EncodeChunk(content); return err })
	run("do=open/of=floor", floor)
	run("do=open/of=galshim", func() error { _, err := parseChunk(file, &chunk); return err })
}
