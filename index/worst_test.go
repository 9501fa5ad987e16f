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
	worstTime = flag.Duration("worst", 0, "duration of the search for expensive requests in TestWorst, by processor time")
	worstSeed = flag.Uint64("worst-seed", 1, "seed of TestWorst")
)

// Limits of the cost of a request to a gallery of 10,000 extensions: in total, and for each
// byte of the request and of the uncompressed response.
const (
	maxCPU        = 50 * time.Millisecond
	maxCPUPerByte = 10 * time.Microsecond
	// maxStepsPerByte is the limit for each byte in steps of at most 5 ns.
	maxStepsPerByte = 2000
)

// commonWords are the words that descriptions contain most often, by frequency: the first
// is in every second description, the tenth in every fifth.
var commonWords = strings.Fields(`for the and code a to in of with support extension visual studio vscode language
	your files snippets this from syntax is theme highlighting tools editor on by an easily you that`)

// commonVerbs begin the titles of commands.
var commonVerbs = strings.Fields("Open Show Run Create Start Stop Add Go Toggle Insert Select Refresh")

// worstGallery returns an index of 10,000 extensions whose descriptions share words as in a
// real gallery, with rather small payloads.
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
	return docs, openWith(t, contentWith(t, docs, nil, func(*Document) Payloads { return Payloads{{JSON: json}, {JSON: json}} }))
}

// emptyResponse and emptyResult are the bytes of a response without extensions.
const (
	emptyResponse = len(`{"results":[]}`)
	emptyResult   = len(`{"extensions":[],"pagingToken":null,"resultMetadata":[{"metadataType":"ResultCount","metadataItems":[{"name":"TotalCount","count":0}]}]},`)
)

// A measurement is a request and its cost.
type measurement struct {
	request *request
	body    []byte
	bytes   int // of the body and the response
	steps   int
	took    time.Duration // elapsed time of the fastest run
	cpu     time.Duration // processor time of this thread; zero if not measured
}

func (f *measurement) perByte() time.Duration { return f.cpu / time.Duration(f.bytes) }

// tooExpensive reports whether this duration exceeds the limits for the request.
func (f *measurement) tooExpensive(took time.Duration) bool {
	return took > maxCPU || took/time.Duration(f.bytes) > maxCPUPerByte
}

func (f *measurement) String() string {
	body := f.body
	if len(body) > 2000 {
		body = append(slices.Clone(body[:2000]), "…"...)
	}
	return fmt.Sprintf("%v of CPU, %v per byte; %d steps, %d per byte; %d bytes of request, %d with the response:\n%s",
		f.cpu, f.perByte(), f.steps, f.steps/f.bytes, len(f.body), f.bytes, body)
}

// respond handles a request like galshim, except for writing the response. It returns the
// steps and the size of the response.
func (w *requestSearch) respond(body []byte) (steps, size int) {
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
			p, err := w.ix.Payload(h, Latest)
			if err != nil {
				panic(err)
			}
			w.buf = append(w.buf[:0], p.JSON...)
			size += len(w.buf)
		}
	}
	return work.steps, size
}

// evict removes the texts of the request from the result cache.
func (w *requestSearch) evict(q *request) {
	for _, f := range q.Filters {
		for _, c := range f.Criteria {
			if c.Type == 10 {
				w.ix.cache.remove(c.Value)
			}
		}
	}
}

// measure handles a request, up to three times if that is quick, because a thread that is
// preempted seems slow.
func (w *requestSearch) measure(q *request) *measurement {
	f := &measurement{request: q, body: q.body(), took: time.Hour}
	for range 3 {
		w.evict(q)
		start := time.Now()
		f.steps, f.bytes = w.respond(f.body)
		f.took = min(f.took, time.Since(start))
		if f.took > 2*time.Millisecond {
			break
		}
	}
	f.bytes += len(f.body)
	return f
}

// measureCPU measures the processor time for a request, the best of twenty runs if it is too
// expensive: other programs slow down memory and caches, and a virtual machine counts the time in
// which another one has its processor. Some systems count in hundredths of a second, so a run
// handles the request many times.
func (w *requestSearch) measureCPU(f *measurement) {
	const while = 50 * time.Millisecond
	f.cpu = time.Hour
	for tries := 0; tries < 20 && f.tooExpensive(f.cpu); tries++ {
		n := time.Duration(0)
		begun := threadCPU()
		for threadCPU() < begun+while {
			w.evict(f.request)
			w.respond(f.body)
			n++
		}
		f.cpu = min(f.cpu, (threadCPU()-begun)/n)
	}
}

// A requestSearch looks for expensive requests.
type requestSearch struct {
	ix      *Index
	context context.Context
	buf     []byte
	grammar *grammar
	pools   [2][]*measurement // the most expensive requests per byte, and in total
}

const poolSize = 40

// next returns a new request, usually a variation of an expensive one.
func (w *requestSearch) next() *request {
	pool := w.pools[w.grammar.IntN(4)/3] // more often from the pool by bytes
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

// add adds f to the pools, which are sorted by cost.
func (w *requestSearch) add(f *measurement, costs [2]func(*measurement) int) {
	for i, cost := range costs {
		pool := append(w.pools[i], f)
		slices.SortStableFunc(pool, func(a, b *measurement) int { return cmp.Compare(cost(b), cost(a)) })
		w.pools[i] = pool[:min(len(pool), poolSize)]
	}
}

var bySteps = [2]func(*measurement) int{
	func(f *measurement) int { return f.steps * 1000 / f.bytes },
	func(f *measurement) int { return f.steps },
}

var byTime = [2]func(*measurement) int{
	func(f *measurement) int { return int(f.took) * 1000 / f.bytes },
	func(f *measurement) int { return int(f.took) },
}

// TestWorst looks for requests that exceed the limits. By default it counts the steps of
// the same requests each time. With -worst it measures the processor time of this thread. A
// request that exceeds the limits should be added to testdata/worst.
func TestWorst(t *testing.T) {
	docs, ix := worstGallery(t)
	w := &requestSearch{ix: ix, context: t.Context(), grammar: newGrammar(rand.New(rand.NewPCG(*worstSeed, 0)), docs, ix)}
	recorded := w.recorded(t)
	for _, f := range recorded {
		w.add(f, bySteps)
		w.checkSteps(t, f)
	}
	if *worstTime == 0 {
		for range 50 {
			f := w.measure(w.next())
			w.add(f, bySteps)
			w.checkSteps(t, f)
		}
		if least := w.pools[0][0]; least.steps/least.bytes < maxStepsPerByte/10 {
			t.Errorf("the most expensive request costs little, which tests too little: %v", least)
		}
		return
	}
	w.search(t, recorded)
}

// TestEditorsHaveEnoughSteps runs the queries of editors on a gallery of 10,000 extensions.
// The limits of work must not affect the results.
func TestEditorsHaveEnoughSteps(t *testing.T) {
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
		f.Targets, f.Exclude = []string{vscodeTarget}, query.Unpublished
		work := NewWork(t.Context())
		got, want := ix.Search(work, f), ix.Search(nil, f)
		if work.incomplete || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %d steps are not enough: got %d, want %d", f.Text, work.steps, got.Total, want.Total)
		}
	}
}

// ids returns the ids of n documents, evenly distributed.
func ids(docs []Document, n int) []string {
	var all []string
	for i := range n {
		all = append(all, docs[i*len(docs)/n].ID)
	}
	return all
}

// search looks for expensive requests for the duration of -worst.
func (w *requestSearch) search(t *testing.T, recorded []*measurement) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	w.pools = [2][]*measurement{}
	tried := 0
	for end := time.Now().Add(*worstTime); time.Now().Before(end) && !t.Failed(); tried++ {
		f := w.measure(w.nextRequest(tried, recorded))
		w.add(f, byTime)
		w.checkSteps(t, f)
		if !f.tooExpensive(f.took) { // the processor time is not longer
			continue
		}
		if w.measureCPU(f); f.tooExpensive(f.cpu) {
			t.Errorf("seed %d: request %d is too expensive: %v", *worstSeed, tried, f)
		}
	}
	t.Logf("seed %d, %d requests", *worstSeed, tried)
	for i, what := range []string{"per-byte", "in-all"} {
		f := w.pools[i][0]
		w.measureCPU(f)
		t.Logf("the worst %s, in %s: %v", what, saveRequest(t, what, f), f)
	}
}

// nextRequest returns the recorded requests first, and then new ones.
func (w *requestSearch) nextRequest(tried int, recorded []*measurement) *request {
	if tried < len(recorded) {
		return recorded[tried].request
	}
	return w.next()
}

// saveRequest writes a request to a new file and returns its path.
func saveRequest(t *testing.T, what string, f *measurement) string {
	file, err := os.CreateTemp("", fmt.Sprintf("worst-%s-%d-*.json", what, *worstSeed))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(f.body); err != nil {
		t.Error(err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	return file.Name()
}

// checkSteps fails the test if a request takes too many steps.
func (w *requestSearch) checkSteps(t *testing.T, f *measurement) {
	t.Helper()
	if f.steps > requestSteps || f.steps/f.bytes > maxStepsPerByte {
		t.Errorf("seed %d: more than %d steps, or %d per byte: %v", *worstSeed, requestSteps, maxStepsPerByte, f)
	}
}

// recorded returns the requests in testdata/worst, each once the most expensive.
func (w *requestSearch) recorded(t *testing.T) []*measurement {
	t.Helper()
	paths, err := filepath.Glob("testdata/worst/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("got %d recorded requests (%v)", len(paths), err)
	}
	var all []*measurement
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
