package index

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"galbuild/index/query"
)

// canceledAfter is a context that is canceled after a number of calls to Err.
type canceledAfter struct {
	context.Context
	polls, limit int
}

func (l *canceledAfter) Err() error {
	if l.polls++; l.polls > l.limit {
		return context.Canceled
	}
	return nil
}

// allKindsOfFilters returns filters that together use every path through the code.
func allKindsOfFilters(docs []Document) []*query.Filter {
	var all []*query.Filter
	r := rand.New(rand.NewPCG(9, 9))
	for range 150 {
		all = append(all, randomFilter(r, docs))
	}
	for _, text := range []string{"p", "pyhton dokcer", `"live server"`, `publisher:ms "git lens"`, "vue c++ zzzzzz", "serv live", "中"} {
		all = append(all, &query.Filter{Text: []string{text}}, &query.Filter{Text: []string{text, "e"}, Sort: query.Title})
	}
	return all
}

// TestWorkLimitsSearches runs many searches with fewer and fewer steps, down to none. No
// search may take more steps than it has. With the same number of steps, its result is the
// same whether or not anything is cached.
func TestWorkLimitsSearches(t *testing.T) {
	docs := randomDocuments(rand.New(rand.NewPCG(2, 2)), 900)
	filters := allKindsOfFilters(docs)
	incomplete := 0
	for _, left := range []int{0, 100, 1000, 5000, 20_000, 100_000, requestSteps} {
		cold, warm := open(t, docs, nil), open(t, docs, nil)
		for _, f := range filters {
			warm.Search(nil, f)
		}
		a, b := NewWork(t.Context()), NewWork(t.Context())
		a.steps, b.steps = requestSteps-left, requestSteps-left
		for _, f := range filters {
			first, second := cold.Search(a, f), warm.Search(b, f)
			if !reflect.DeepEqual(first, second) || a.steps != b.steps {
				t.Fatalf("%d steps left: %s:\n got %v after %d steps\nthen %v after %d", left, f, first, a.steps, second, b.steps)
			}
			if a.incomplete {
				incomplete++
			}
			if a.steps > requestSteps {
				t.Fatalf("%s: %d steps are taken of %d", f, a.steps, requestSteps)
			}
		}
		if used := a.steps - (requestSteps - left); left == requestSteps && used < 100_000 {
			t.Errorf("only %d steps are counted", used)
		}
	}
	if incomplete < 100 {
		t.Errorf("only %d searches had too few steps", incomplete)
	}
}

// TestWorkOfOneSearch computes the limit of a search, also if the request has taken steps
// already.
func TestWorkOfOneSearch(t *testing.T) {
	for _, c := range []struct{ steps, documents, text, want int }{
		{0, 100, 0, searchSteps + 3*nameSteps}, {0, 100, 10, searchSteps + 10*textSteps + 3*nameSteps}, {7, 100_000, 0, 7 + 100_000*documentSteps + 3*nameSteps},
		{requestSteps - 5, 100, 0, requestSteps}, {3 * requestSteps, 1_000_000, 0, 3*requestSteps + 1_000_000*documentSteps + 3*nameSteps},
	} {
		w := NewWork(t.Context())
		w.steps = c.steps
		w.begin(&query.Filter{IDs: []string{"a"}, Names: []string{"b", "c"}, Text: []string{fmt.Sprintf("%*s", c.text, "")}}, c.documents)
		if w.limit != c.want {
			t.Errorf("%d steps taken, %d documents, %d bytes: got a limit of %d, want %d", c.steps, c.documents, c.text, w.limit, c.want)
		}
	}
}

// TestIncompleteResultsAreNotCached searches with too few steps. The next search with
// enough steps finds everything.
func TestIncompleteResultsAreNotCached(t *testing.T) {
	docs := randomDocuments(rand.New(rand.NewPCG(2, 2)), 900)
	ix := open(t, docs, nil)
	for _, text := range []string{"p", "pyhton", "docker live", `"live server"`} {
		f := &query.Filter{Text: []string{text}}
		want := open(t, docs, nil).Search(nil, f)
		for left := 0; left < 60_000; left += 500 {
			w := NewWork(t.Context())
			w.steps = requestSteps - left
			ix.Search(w, f)
		}
		if got := ix.Search(nil, f); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

// TestContextEnds cancels the context at different moments. The search ends soon, Err
// returns the reason, and the next search is not affected.
func TestContextEnds(t *testing.T) {
	docs := randomDocuments(rand.New(rand.NewPCG(2, 2)), 900)
	filters := allKindsOfFilters(docs)
	ix := open(t, docs, nil)
	ended := 0
	for after := range 40 {
		client := &canceledAfter{Context: t.Context(), limit: after}
		work := NewWork(client)
		for i, f := range filters {
			ix.Search(work, f)
			if work.err != nil {
				ended++
				if longest := 2 * len(docs); work.steps-work.lastPoll > pollSteps+longest {
					t.Errorf("filter %d: %d steps were taken after the context ended", i, work.steps-work.lastPoll)
				}
				break
			}
		}
		if work.Err() == nil {
			t.Errorf("the context ended at check %d, but Err returns nil", after)
		}
	}
	if ended < 20 {
		t.Errorf("only %d searches ended early", ended)
	}
	fresh := open(t, docs, nil)
	for _, f := range filters {
		if got, want := ix.Search(nil, f), fresh.Search(nil, f); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: an interrupted search affects the next one: got %v, want %v", f, got, want)
		}
	}
}

// TestPanicLeavesNoState lets a search panic, as it does when the file is truncated. The
// next search must not see its scores.
func TestPanicLeavesNoState(t *testing.T) {
	docs := randomDocuments(rand.New(rand.NewPCG(2, 2)), 200)
	ix := open(t, docs, nil)
	f := &query.Filter{Text: []string{"python live"}}
	want := ix.Search(nil, f)
	ix.cache.remove(f.Text[0])
	popular := ix.popular
	for range 20 {
		ix.popular = nil
		func() {
			defer func() {
				if recover() == nil {
					t.Fatal("nothing panicked")
				}
			}()
			ix.Search(nil, f)
		}()
	}
	ix.popular = popular
	if got := ix.Search(nil, f); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestPhrasesAreSearchedInBest searches for a phrase whose words are in more documents than
// the steps suffice for. The best documents are searched.
func TestPhrasesAreSearchedInBest(t *testing.T) {
	docs := make([]Document, 9000)
	for i := range docs {
		docs[i] = Document{ID: fmt.Sprintf("a.b%d", i), Description: "made for the best of us", Installs: int64(i)}
		if i%3 == 0 {
			docs[i].Description = "the best made for us"
		}
		if i%50 == 1 {
			docs[i].Title = "For the best"
		}
	}
	ix := open(t, docs, nil)
	f := &query.Filter{Text: []string{`"for the"`}, Size: query.MaxPageSize, Page: 1}
	all := ix.Search(nil, f)
	if all.Total != 6060 {
		t.Fatalf("got %d documents, want 6060", all.Total)
	}
	work := NewWork(t.Context())
	got := ix.Search(work, f)
	if !work.incomplete || got.Total < 100 || got.Total >= all.Total {
		t.Fatalf("got %d of %d documents in %d steps", got.Total, all.Total, work.steps)
	}
	if !slices.Equal(got.Hits, all.Hits[:len(got.Hits)]) {
		t.Error("the hits are not the best documents")
	}
}

// TestCorrectionsTakeSteps compares the steps for a word that may be corrected with those
// for one that may not.
func TestCorrectionsTakeSteps(t *testing.T) {
	ix := open(t, randomDocuments(rand.New(rand.NewPCG(2, 2)), 900), nil)
	steps := func(text string) int {
		work := NewWork(t.Context())
		ix.Search(work, &query.Filter{Text: []string{text}})
		return work.steps
	}
	quoted, free := steps(`"xyzzyxyz"`), steps("xyzzyxyz")
	if least := quoted + ix.terms.len()/20; free < least {
		t.Errorf("got %d steps, want %d at least", free, least)
	}
}

// TestNormalizedTextIsLimited normalizes a text of characters that become eighteen letters
// each.
func TestNormalizedTextIsLimited(t *testing.T) {
	text := strings.Repeat("\ufdfa", query.MaxLength/3)
	if got := normalizeQuery(text); len(got) > query.MaxLength || len(got) < query.MaxLength/2 {
		t.Errorf("%d bytes become %d", len(text), len(got))
	}
	if all := wordsOfQuery(strings.Repeat("a ", query.MaxLength)); len(all) != maxWord {
		t.Errorf("got %d words, want %d", len(all), maxWord)
	}
}
