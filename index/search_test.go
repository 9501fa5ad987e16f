package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"galbuild/index/query"
)

func numbersOf(hits []Hit) []int {
	var all []int
	for _, h := range hits {
		all = append(all, int(h))
	}
	return all
}

// The engine must find what looking at every document finds, in the same order,
// on every page; the order of relevance is compared as a set.
func TestSearchEqualsBruteForce(t *testing.T) {
	matched, texts := 0, 0
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 1))
		docs := randomDocuments(r, 1+r.IntN(70))
		ix, o := open(t, docs, nil), newOracle(docs)
		for range 60 {
			f := randomFilter(r, docs)
			want := o.matches(f)
			got := ix.Search(nil, f)
			if got.Total != len(want) {
				t.Fatalf("seed %d: %s\n got %d: %v\nwant %d: %v", seed, f, got.Total, got.Hits, len(want), want)
			}
			if f.Sort == query.Relevance && len(f.Text) > 0 {
				texts++
				all := *f
				all.Page, all.Size = 1, query.MaxPageSize
				hits := ix.Search(nil, &all).Hits
				samePage(t, f, got.Hits, numbersOf(hits))
				slices.Sort(hits)
				got.Hits = hits
				f = &all
			} else {
				want = o.sorted(want, f.Sort, f.Order)
			}
			samePage(t, f, got.Hits, want)
			matched += got.Total
		}
	}
	if matched < 1000 || texts < 100 {
		t.Fatalf("only %d matches and %d texts: the questions test too little", matched, texts)
	}
}

func samePage(t *testing.T, f *query.Filter, hits []Hit, all []int) {
	t.Helper()
	size, page := f.Size, max(f.Page, 1)
	if size < 1 {
		size = query.DefaultPageSize
	}
	from := min((page-1)*size, len(all))
	want := all[from:min(from+size, len(all))]
	if !slices.Equal(numbersOf(hits), want) {
		t.Fatalf("%s\n got %v\nwant %v", f, hits, want)
	}
}

func TestSimilarEqualsDistance(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	docs := randomDocuments(r, 60)
	ix, work := open(t, docs, nil), unbounded()
	for range 300 {
		word := squeeze(randomText(r, &docs[r.IntN(len(docs))]))
		var got, want []int
		ix.terms.similar(word, &work, func(i, mistakes int) {
			got = append(got, i)
			if d := distance([]rune(word), []rune(string(ix.terms.at(i)))); d != mistakes {
				t.Fatalf("%q and %q: got %d mistakes, want %d", word, ix.terms.at(i), mistakes, d)
			}
		})
		for i := range ix.terms.len() {
			term := string(ix.terms.at(i))
			// a short word has no near ones, not even itself
			if reach(utf8.RuneCountInString(word)) > 0 && (term == word || forgivable(word, term)) {
				want = append(want, i)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%q: got %d terms, want %d", word, len(got), len(want))
		}
	}
}

func TestConcurrentSearch(t *testing.T) {
	docs := wellKnownDocuments(t)
	ix := open(t, docs, nil)
	var done sync.WaitGroup
	for range 8 {
		done.Go(func() {
			for _, d := range docs {
				want, _ := ix.Find(d.ID)
				r := ix.Search(nil, &query.Filter{Text: []string{d.ID}, Exclude: query.Preview})
				if len(r.Hits) == 0 || r.Hits[0] != want {
					t.Errorf("%s: got %v, want %d first", d.ID, r.Hits, want)
				}
			}
		})
	}
	done.Wait()
}

func TestSearchPageBeyondTheEnd(t *testing.T) {
	ix := open(t, randomDocuments(rand.New(rand.NewPCG(1, 1)), 20), nil)
	for _, page := range []int{3, 1 << 31, int(^uint(0) >> 1)} {
		r := ix.Search(nil, &query.Filter{Page: page, Size: 10})
		if len(r.Hits) != 0 || r.Total != 20 {
			t.Errorf("page %d: got %d hits of %d, want none of 20", page, len(r.Hits), r.Total)
		}
	}
}

// TestRepeatedTextIsOnce repeats phrases, publishers and words in one text: each is
// heeded once, and no more of them than are worth it.
func TestRepeatedTextIsOnce(t *testing.T) {
	got := parseText(strings.Repeat(`"a b" publisher:X publisher:"x" c "C" `, 100), maxQueryWords)
	if len(got.phrases) != 1 || len(got.publishers) != 1 || len(got.words) != 3 {
		t.Errorf("got phrases %v, publishers %q, words %v", got.phrases, got.publishers, got.words)
	}
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, `"p%d q%d" publisher:r%d s%d `, i, i, i, i)
	}
	got = parseText(text.String(), maxQueryWords)
	if len(got.phrases) != maxQueryWords/2 || len(got.publishers) != maxQueryWords || len(got.words) != maxQueryWords {
		t.Errorf("got %d phrases, %d publishers, %d words", len(got.phrases), len(got.publishers), len(got.words))
	}
	texts := parseTexts([]string{"a b", `"c d"`, "e f g h i j k l m n o p q r s t", "u", `publisher:"v"`})
	total := 0
	for _, t := range texts {
		total += len(t.words)
	}
	if len(texts) != query.MaxTexts || total != maxQueryWords {
		t.Errorf("got %d texts of %d words, want %d of %d", len(texts), total, query.MaxTexts, maxQueryWords)
	}
}

// An ASCII phrase is looked for by a letter. It must be found exactly where it is among
// the words of the field.
func TestPhraseInField(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	parts := []string{"a", "b", "ab", "Ab", "c++", "c#", "c+", "C", "++", "#", " ", "  ", "-", ".", "1", "z1", "Zz", "@", "[", "\x10", strings.Repeat("x", 63), strings.Repeat("x", 70), "–", "ж", "漢", "é", "e\u0301", "\u00a0", "\u3000", "Ａ", "ﬁ", "✨", "⚡️", "\ufe0e", "\xef\xb8", "\u212a", "Ͱ", "\xcd", "각", "\u0344"}
	some := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteString(pick(r, parts))
		}
		return b.String()
	}
	found := 0
	for range 50_000 {
		field, asked := some(1+r.IntN(8)), words(some(1+r.IntN(4)))
		if r.IntN(2) == 0 { // a part of the field
			all := words(field)
			i := r.IntN(len(all) + 1)
			asked = all[i:min(len(all), i+1+r.IntN(3))]
		}
		p := quotation{words: asked}
		if len(asked) == 0 || !p.isASCII() {
			continue
		}
		p = newQuotation(asked)
		got, want := p.inDecomposed(appendDecomposed(nil, []byte(field))), p.in(words(field))
		if got != want {
			t.Fatalf("%q in %q: got %t, want %t", asked, field, got, want)
		}
		if want {
			found++
		}
	}
	if found < 10_000 {
		t.Errorf("only %d phrases were found", found)
	}
}
