package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"galbuild/index/query"
)

// remove removes the results of text.
func (c *resultCache) remove(text string) {
	for _, slot := range c.slotsFor(text) {
		slot.Store(nil)
	}
}

// TestCachedPages compares pages with a single page that has all hits, whether the pages
// are cached, exceed what is cached, or are computed.
func TestCachedPages(t *testing.T) {
	docs := randomDocuments(rand.New(rand.NewPCG(8, 8)), 900)
	for _, text := range []string{"p", "python", "pyhton", "nothing at all", "docker live"} {
		ix := open(t, docs, nil)
		whole := open(t, docs, nil).Search(nil, &query.Filter{Text: []string{text}, Size: query.MaxPageSize})
		for range 2 {
			var all []Hit
			for page := 1; ; page++ {
				r := ix.Search(nil, &query.Filter{Text: []string{text}, Size: 40, Page: page})
				if r.Total != whole.Total {
					t.Fatalf("%q, page %d: got %d matches, want %d", text, page, r.Total, whole.Total)
				}
				if len(r.Hits) == 0 {
					break
				}
				all = append(all, r.Hits...)
			}
			if !slices.Equal(all, whole.Hits) {
				t.Errorf("%q: the pages differ from a single one: got %d hits, want %d", text, len(all), len(whole.Hits))
			}
		}
		if text == "p" && whole.Total <= cacheHits {
			t.Errorf("%q: only %d matches, which tests too little", text, whole.Total)
		}
	}
}

// TestCacheCopies changes the returned hits and the bytes of the text. The cache must not
// be affected.
func TestCacheCopies(t *testing.T) {
	ix := open(t, randomDocuments(rand.New(rand.NewPCG(8, 8)), 50), nil)
	text := []byte("python")
	f := query.Filter{Text: []string{unsafe.String(&text[0], len(text))}}
	want := slices.Clone(ix.Search(nil, &f).Hits)
	clear(ix.Search(nil, &f).Hits)
	if got := ix.Search(nil, &f).Hits; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	copy(text, "docker")
	if got, want := ix.Search(nil, &f).Total, ix.Search(nil, &query.Filter{Text: []string{"docker", ""}}).Total; got != want {
		t.Errorf("another text in the same memory: got %d matches, want %d", got, want)
	}
	copy(text, "python")
	if got := ix.Search(nil, &query.Filter{Text: []string{"python"}}).Hits; !slices.Equal(got, want) {
		t.Errorf("after that: got %v, want %v", got, want)
	}
}

// TestCacheIsForTextsAlone caches the result of a text. Searches for the text with other
// criteria or in another order must not use it.
func TestCacheIsForTextsAlone(t *testing.T) {
	docs := randomDocuments(rand.New(rand.NewPCG(8, 8)), 60)
	ix, o := open(t, docs, nil), newOracle(docs)
	ix.Search(nil, &query.Filter{Text: []string{"python"}})
	for _, f := range []query.Filter{
		{Text: []string{"python"}, Categories: []string{"themes"}},
		{Text: []string{"python"}, Exclude: query.Preview},
		{Text: []string{"python", "docker"}},
		{Text: []string{"python"}, Sort: query.Title, Size: 5},
	} {
		want := o.matches(&f)
		if got := ix.Search(nil, &f); got.Total != len(want) {
			t.Errorf("%s: got %d matches, want %d", &f, got.Total, len(want))
		}
		if f.Sort == query.Title {
			samePage(t, &f, ix.Search(nil, &f).Hits, o.sorted(want, f.Sort, f.Order))
		}
	}
}

func TestCacheSize(t *testing.T) {
	ix := open(t, randomDocuments(rand.New(rand.NewPCG(8, 8)), 400), nil)
	for i := range 4 * cacheSlots {
		ix.Search(nil, &query.Filter{Text: []string{fmt.Sprintf("%*d p", i%80, i)}})
	}
	size, occupied := unsafe.Sizeof(ix.cache), 0
	for i := range ix.cache.slots {
		if m := ix.cache.slots[i].Load(); m != nil {
			size += unsafe.Sizeof(*m) + uintptr(len(m.text)) + uintptr(cap(m.hits))*unsafe.Sizeof(Hit(0))
			occupied++
		}
	}
	if size > 2<<20 || occupied < cacheSlots/2 {
		t.Errorf("got %d bytes in %d slots, want at most 2 MiB and most slots occupied", size, occupied)
	}
}
