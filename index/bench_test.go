package index

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/index/query"
)

// benchmarkDocuments are n made-up extensions behind the well-known ones, with
// payloads as large as a real gallery's.
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
			Description: phrase(r, 12), Categories: some(r, someCategories), Tags: some(r, vocabulary),
			Installs: int64(r.ExpFloat64() * 1000), Platforms: []string{"universal"},
		})
	}
	for i := range docs {
		d := &docs[i]
		d.ID, d.UUID, d.Flags = d.Publisher+"."+d.Name, fmt.Sprintf("%08x-0000-5000-8000-000000000000", i), query.Public|query.Validated
	}
	return docs
}

func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{1_000, 20_000} {
		docs := benchmarkDocuments(b, n)
		ix := open(b, docs, nil)
		var ids []string
		for i := range 60 {
			ids = append(ids, docs[i*n/60].UUID)
		}
		always := query.Filter{Targets: []string{everyTarget}, Exclude: query.Unpublished, Size: 50}
		for _, c := range []struct {
			name string
			ask  func(f *query.Filter)
		}{
			{"popular", func(f *query.Filter) { f.Sort = query.InstallCount }},
			{"category", func(f *query.Filter) { f.Categories = []string{"themes"} }},
			{"ids60", func(f *query.Filter) { f.IDs, f.Size = ids, 60 }},
			{"id", func(f *query.Filter) { f.Names = []string{"ms-python.python"} }},
			{"text", func(f *query.Filter) { f.Text = []string{"markdown"} }},
			{"words", func(f *query.Filter) { f.Text = []string{"dark theme"} }},
			{"letter", func(f *query.Filter) { f.Text = []string{"p"} }},
			{"typo", func(f *query.Filter) { f.Text = []string{"kubrenetes"} }},
			{"rating", func(f *query.Filter) { f.Categories, f.Sort = []string{"themes"}, query.WeightedRating }},
		} {
			b.Run(fmt.Sprintf("%s/n=%d", c.name, n), func(b *testing.B) {
				f := always
				c.ask(&f)
				b.ReportAllocs()
				for b.Loop() {
					if r := ix.Search(&f); r.Total == 0 {
						b.Fatal("nothing found")
					}
				}
			})
		}
	}
}

// BenchmarkOpen opens an index beside its floor, which reads the file into memory.
func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{1_000, 20_000} {
		path := filepath.Join(b.TempDir(), "x.idx")
		if err := os.WriteFile(path, write(b, benchmarkDocuments(b, n), nil), 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("n=%d/of=floor", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := os.ReadFile(path); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("n=%d/of=galshim", n), func(b *testing.B) {
			for b.Loop() {
				ix, err := Open(path)
				if err != nil {
					b.Fatal(err)
				}
				ix.Close()
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	docs := benchmarkDocuments(b, 10_000)
	for b.Loop() {
		write(b, docs, nil)
	}
}
