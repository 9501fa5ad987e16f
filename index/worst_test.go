package index

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/index/query"
)

var (
	worstTime = flag.Duration("worst", 0, "how long TestWorst looks for requests that cost too much, by the time of the processor")
	worstSeed = flag.Uint64("worst-seed", 1, "where TestWorst begins")
)

// Limits of the cost of a request on a gallery of 10,000 extensions: in total, and for each
// byte of the request and of the uncompressed response.
const (
	worstCPU     = 50 * time.Millisecond
	worstPerByte = 10 * time.Microsecond
	// worstSteps is the same limit for each byte, in steps of at most 5 ns.
	worstSteps = 2000
)

// commonWords are found in descriptions as often as here: the first in every second,
// the tenth in every fifth.
var commonWords = strings.Fields(`for the and code a to in of with support extension visual studio vscode language
	your files snippets this from syntax is theme highlighting tools editor on by an easily you that`)

// commonVerbs begin the titles of commands.
var commonVerbs = strings.Fields("Open Show Run Create Start Stop Add Go Toggle Insert Select Refresh")

// worstGallery is an index of 10,000 extensions whose descriptions share words as
// those of real ones do, with payloads that are rather small.
func worstGallery(t testing.TB) ([]Document, *Index) {
	r := rand.New(rand.NewPCG(3, 3))
	docs := benchmarkDocuments(t, 10_000)
	for i := range docs {
		var words []string
		for n, word := range commonWords {
			if r.IntN(n+20) < 10 {
				words = append(words, word)
			}
		}
		if i%8 == 0 {
			words = append(words, "日本語", "для", "русский", "中文版", "–", docs[i].Description)
		}
		r.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		docs[i].Description = strings.Join(words, " ")
		commands := 5
		if i%50 == 0 {
			commands = 200 // as many as a package may have
		}
		for range commands {
			docs[i].Contributed = append(docs[i].Contributed, pick(r, commonVerbs)+" "+docs[i].Title+" "+pick(r, commonWords))
		}
		if i%10 == 0 {
			docs[i].Platforms = []string{somePlatforms[1+i/10%3]}
		}
		if i%3 == 0 {
			docs[i].Publisher, docs[i].Flags = "many", query.Validated|query.Public|query.Preview
			docs[i].ID = "many." + docs[i].Name
		}
	}
	json := []byte(strings.Repeat("x", 1500))
	c := contentOf(t, docs, nil)
	c.Payloads = func(int) Payloads { return Payloads{{JSON: json}, {JSON: json}} }
	var file strings.Builder
	if err := Write(&file, c); err != nil {
		t.Fatal(err)
	}
	ix, err := OpenBytes([]byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	return docs, ix
}

// emptyResponse and emptyResult are the bytes of a response without extensions.
const (
	emptyResponse = len(`{"results":[]}`)
	emptyResult   = len(`{"extensions":[],"pagingToken":null,"resultMetadata":[{"metadataType":"ResultCount","metadataItems":[{"name":"TotalCount","count":0}]}]},`)
)

// A found is a request and its cost.
type found struct {
	request *request
	body    []byte
	bytes   int // of the body and the response
	steps   int
	took    time.Duration // by the clock, the fastest of some tries
	cpu     time.Duration // of this thread; zero if it was not measured
}

func (f *found) perByte() time.Duration { return f.cpu / time.Duration(f.bytes) }

// tooMuch reports whether a request costs more than it may.
func (f *found) tooMuch(took time.Duration) bool {
	return took > worstCPU || took/time.Duration(f.bytes) > worstPerByte
}

func (f *found) String() string {
	body := f.body
	if len(body) > 2000 {
		body = append(slices.Clone(body[:2000]), "…"...)
	}
	return fmt.Sprintf("%v of CPU, %v per byte; %d steps, %d per byte; %d bytes of request, %d with the response:\n%s",
		f.cpu, f.perByte(), f.steps, f.steps/f.bytes, len(f.body), f.bytes, body)
}

// answer handles a request as galshim does, except for copying the payloads, and returns
// the steps and the size of the response.
func (w *worst) answer(body []byte) (steps, size int) {
	q, err := query.Parse(body)
	if err != nil {
		panic(err)
	}
	work := NewWork(w.context)
	size = emptyResponse
	hits := 0
	for i := range q.Filters {
		r := w.ix.Search(work, &q.Filters[i])
		limit := query.MaxPageSize
		if q.Filters[i].Named() {
			limit = query.MaxNames
		}
		r.Hits = r.Hits[:max(0, min(len(r.Hits), limit-hits))]
		hits += len(r.Hits)
		size += emptyResult
		for _, h := range r.Hits {
			w.room = append(w.room[:0], w.ix.Payload(h, Latest).JSON...)
			size += len(w.room)
		}
	}
	return work.steps, size
}

// forget removes the texts of the request from the memo.
func (w *worst) forget(q *request) {
	for _, f := range q.Filters {
		for _, c := range f.Criteria {
			if c.Type == 10 {
				w.ix.memo.forget(c.Value)
			}
		}
	}
}

// measure answers a request, and again if that is quick: a thread that was put aside
// meanwhile seems slow.
func (w *worst) measure(q *request) *found {
	f := &found{request: q, body: q.body(), took: time.Hour}
	for range 3 {
		w.forget(q)
		start := time.Now()
		f.steps, f.bytes = w.answer(f.body)
		f.took = min(f.took, time.Since(start))
		if f.took > 2*time.Millisecond {
			break
		}
	}
	f.bytes += len(f.body)
	return f
}

// measureCPU measures how long the thread runs for a request, the best of three if it
// is too much. Some systems count in hundredths of a second, so it answers for a while.
func (w *worst) measureCPU(f *found) {
	const while = 50 * time.Millisecond
	f.cpu = time.Hour
	for tries := 0; tries < 3 && f.tooMuch(f.cpu); tries++ {
		n := time.Duration(0)
		begun := threadCPU()
		for threadCPU() < begun+while {
			w.forget(f.request)
			w.answer(f.body)
			n++
		}
		f.cpu = min(f.cpu, (threadCPU()-begun)/n)
	}
}

// A worst looks for expensive requests.
type worst struct {
	ix      *Index
	context context.Context
	room    []byte
	grammar *grammar
	pools   [2][]*found // the worst per byte, and the worst of all
}

const poolSize = 40

// next makes a request, usually a variation of an expensive one.
func (w *worst) next() *request {
	pool := w.pools[w.grammar.IntN(4)/3] // more of those that are quick
	if len(pool) == 0 || w.grammar.IntN(12) == 0 {
		q := &request{}
		w.grammar.change(q)
		return q
	}
	q := pool[min(w.grammar.IntN(len(pool)), w.grammar.IntN(len(pool)))].request.clone()
	for range 1 + w.grammar.IntN(3) {
		w.grammar.change(q)
	}
	return q
}

// keep adds f to the pools, which are sorted by cost.
func (w *worst) keep(f *found, costs [2]func(*found) int) {
	for i, cost := range costs {
		pool := append(w.pools[i], f)
		slices.SortStableFunc(pool, func(a, b *found) int { return cmp.Compare(cost(b), cost(a)) })
		w.pools[i] = pool[:min(len(pool), poolSize)]
	}
}

var bySteps = [2]func(*found) int{
	func(f *found) int { return f.steps * 1000 / f.bytes },
	func(f *found) int { return f.steps },
}

var byTime = [2]func(*found) int{
	func(f *found) int { return int(f.took) * 1000 / f.bytes },
	func(f *found) int { return int(f.took) },
}

// TestWorst looks for requests that cost more than they may. By default it counts the steps
// of the same requests each time. With -worst it measures the processor time of this
// thread. Add a request that costs too much to testdata/worst.
func TestWorst(t *testing.T) {
	docs, ix := worstGallery(t)
	w := &worst{ix: ix, context: t.Context(), grammar: newGrammar(rand.New(rand.NewPCG(*worstSeed, 0)), docs, ix)}
	recorded := w.recorded(t)
	for _, f := range recorded {
		w.keep(f, bySteps)
		w.checkSteps(t, f)
	}
	if *worstTime == 0 {
		for range 50 {
			f := w.measure(w.next())
			w.keep(f, bySteps)
			w.checkSteps(t, f)
		}
		if least := w.pools[0][0]; least.steps/least.bytes < worstSteps/10 {
			t.Errorf("the worst of them cost little, nothing is tested: %v", least)
		}
		return
	}
	w.search(t, recorded)
}

// TestWorkIsEnough sends queries of editors to a gallery of 10,000 extensions. The limits
// of work must not affect them.
func TestWorkIsEnough(t *testing.T) {
	docs, ix := worstGallery(t)
	texts := []string{"p", "py", "e", "dark theme", "theme", "kubrenetse", "xyzzyxyzzy", `"live server"`, `"dark theme" python`, "snippets for the language", "中文版", "publisher:many theme", "a b c d"}
	for _, d := range wellKnownDocuments(t) {
		texts = append(texts, d.Title, d.ID, d.Name, mistype(d.ID, d.Title))
	}
	filters := []query.Filter{{}, {IDs: ids(docs, 2000)}, {Categories: []string{"themes"}, Sort: query.WeightedRating}}
	for _, text := range texts {
		filters = append(filters, query.Filter{Text: []string{text}}, query.Filter{Text: []string{text}, Categories: []string{"themes"}, Sort: query.Title, Page: 3})
	}
	for i := range filters {
		f := &filters[i]
		f.Targets, f.Exclude = []string{everyTarget}, query.Unpublished
		work := NewWork(t.Context())
		got, want := ix.Search(work, f), ix.Search(nil, f)
		if work.short || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %d steps are not enough: got %d, want %d", f.Text, work.steps, got.Total, want.Total)
		}
	}
}

// ids returns the names of n documents, from all over the gallery.
func ids(docs []Document, n int) []string {
	var all []string
	for i := range n {
		all = append(all, docs[i*len(docs)/n].ID)
	}
	return all
}

// search looks for expensive requests for the time of -worst.
func (w *worst) search(t *testing.T, recorded []*found) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	w.pools = [2][]*found{}
	tried := 0
	for end := time.Now().Add(*worstTime); time.Now().Before(end) && !t.Failed(); tried++ {
		f := w.measure(w.after(tried, recorded))
		w.keep(f, byTime)
		w.checkSteps(t, f)
		if !f.tooMuch(f.took) { // nor has the thread run longer
			continue
		}
		if w.measureCPU(f); f.tooMuch(f.cpu) {
			t.Errorf("seed %d: request %d costs too much: %v", *worstSeed, tried, f)
		}
	}
	t.Logf("seed %d, %d requests", *worstSeed, tried)
	for i, what := range []string{"per-byte", "in-all"} {
		f := w.pools[i][0]
		w.measureCPU(f)
		t.Logf("the worst %s, in %s: %v", what, saveWorst(t, what, f), f)
	}
}

// after returns a request: the recorded ones first.
func (w *worst) after(tried int, recorded []*found) *request {
	if tried < len(recorded) {
		return recorded[tried].request
	}
	return w.next()
}

// saveWorst writes a request to a file and returns its path.
func saveWorst(t *testing.T, what string, f *found) string {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("worst-%s-%d.json", what, *worstSeed))
	if err := os.WriteFile(path, f.body, 0o600); err != nil {
		t.Error(err)
	}
	return path
}

// checkSteps reports a request that takes more steps than it may.
func (w *worst) checkSteps(t *testing.T, f *found) {
	t.Helper()
	if f.steps > requestSteps || f.steps/f.bytes > worstSteps {
		t.Errorf("seed %d: more than %d steps, or %d per byte: %v", *worstSeed, requestSteps, worstSteps, f)
	}
}

// recorded returns the requests of testdata/worst, which were once the most expensive.
func (w *worst) recorded(t *testing.T) []*found {
	t.Helper()
	paths, err := filepath.Glob("testdata/worst/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("got %d recorded requests (%v)", len(paths), err)
	}
	var all []*found
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		q := &request{}
		if err := json.Unmarshal(body, q); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, w.measure(q))
	}
	return all
}
