package galshim

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galbuild/index"
	"galbuild/index/query"
	"galbuild/render/gallery"
)

// openCaching serves a sample that compresses for its cache without pauses.
func openCaching(t testing.TB, s sample) *testGallery {
	t.Helper()
	dir := t.TempDir()
	s.write(t, dir)
	g := open(t, dir, folder{dir})
	g.spare.pause = 0
	return g
}

// ask sends a query with the coding to the gallery at the host.
func (g *testGallery) ask(host, body, coding string) *http.Response {
	return g.request("POST", "http://"+host+"/api/extensionquery", body, "Accept-Encoding", coding)
}

// gunzip checks that b is one gzip stream, and returns its content.
func gunzip(t testing.TB, b string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// frequentQueries returns the bodies of a hundred queries that editors send most often: the lists
// of all extensions and of each category in each order, and the beginnings of common words.
func frequentQueries() (bodies []string) {
	for _, order := range []int{0, 1, 2, 4, 6, 10, 12} {
		bodies = append(bodies, queryBody("", 50, order))
	}
	for _, category := range []string{"themes", "snippets", "linters", "debuggers", "formatters", "keymaps", "testing", "education", "visualization", "notebooks", "azure", "other"} {
		for _, order := range []int{1, 4, 6, 10} {
			bodies = append(bodies, queryBody(`{"filterType":5,"value":"`+category+`"},`, 50, order))
		}
	}
	for _, word := range []string{"python", "rust", "golang", "kotlin", "haskell", "fortran", "erlang", "julia", "prolog", "scheme"} {
		for _, n := range []int{1, 2, 3, 4, len(word)} {
			bodies = append(bodies, queryBody(`{"filterType":10,"value":"`+word[:n]+`"},`, 50, 0))
		}
	}
	return bodies[:100]
}

// TestCachedResponses requests each list three times. All responses must have the same content, and
// the second and third one must be hardly longer than the same JSON compressed with gzip -9.
func TestCachedResponses(t *testing.T) {
	g := openCaching(t, sample{more: 1000, full: true})
	var fragments, cached, best int
	for i, body := range frequentQueries() {
		if i%3 != 0 { // all of them take half a minute under the race detector
			continue
		}
		want := text(t, g.ask("gallery.test", body, "identity"))
		var responses []string
		for range 3 {
			resp := g.ask("gallery.test", body, "gzip")
			b := text(t, resp)
			if gunzip(t, b) != want {
				t.Fatalf("%s: the content of response %d is wrong", body, len(responses)+1)
			}
			if length := resp.Header.Get("Content-Length"); length != strconv.Itoa(len(b)) || resp.Header.Get("Content-Encoding") != "gzip" ||
				resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Content-Type") != "application/json" {
				t.Fatalf("%s: %d bytes with headers %v", body, len(b), resp.Header)
			}
			responses = append(responses, b)
		}
		if responses[1] != responses[2] {
			t.Errorf("%s: the third response differs from the second", body)
		}
		for range 3 {
			resp := g.ask("gallery.test", body, "identity")
			if b := text(t, resp); b != want || resp.Header.Get("Content-Length") != strconv.Itoa(len(b)) || resp.Header["Content-Encoding"] != nil {
				t.Errorf("%s: the response without compression has changed: %d bytes with headers %v", body, len(b), resp.Header)
			}
		}
		fragments += len(responses[0])
		cached += len(responses[2])
		best += len(gzip9(want))
	}
	t.Logf("%d bytes of fragments, %d cached, %d with gzip -9", fragments, cached, best)
	if float64(cached) > 1.1*float64(best) {
		t.Errorf("cached responses have %d bytes, want at most 1.1 times %d", cached, best)
	}
}

func gzip9(text string) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is valid
	io.WriteString(z, text)
	z.Close()
	return b.Bytes()
}

// TestCachedOnce checks that a response that is requested only once takes no room.
func TestCachedOnce(t *testing.T) {
	g := openCaching(t, sample{more: 100, full: true})
	for coding, f := range map[string]*form{"gzip": &g.main.gzip, "identity": &g.main.json} {
		for want := range 2 {
			g.ask("gallery.test", queryBody("", 50, 0), coding)
			if n := len(f.cache.Load().bodies); n != want {
				t.Errorf("%s: %d entries after %d requests, want %d", coding, n, want+1, want)
			}
		}
	}
}

// TestCachedBase requests the same lists under several base URLs, one of which does not fit in a
// placeholder.
func TestCachedBase(t *testing.T) {
	g := openCaching(t, sample{more: 100, full: true})
	for range 3 {
		for _, host := range []string{"a.test", "b.test", "a.test:8080", strings.Repeat("long.", 30) + "test"} {
			want := text(t, g.ask(host, queryBody("", 50, 0), "identity"))
			if got := gunzip(t, text(t, g.ask(host, queryBody("", 50, 0), "gzip"))); got != want || !strings.Contains(got, "http://"+host+"/assets") {
				t.Errorf("%s: the response differs from the one without compression", host)
			}
		}
	}
	for _, c := range []*responseCache{g.main.gzip.cache.Load(), g.main.json.cache.Load()} {
		if len(c.bodies) != 4 {
			t.Errorf("%d entries, want one for each base URL", len(c.bodies))
		}
	}
}

// TestCachedGeneration replaces a generation by one in which a query has another response with the
// same key: the first fifty documents of as many.
func TestCachedGeneration(t *testing.T) {
	g := openCaching(t, sample{more: 100, full: true})
	body := queryBody("", 50, 4)
	before := gunzip(t, text(t, g.ask("gallery.test", body, "gzip")))
	g.ask("gallery.test", body, "gzip")
	old := g.live.acquire()
	defer old.release()
	sample{more: 100}.write(t, g.dir)
	if err := g.live.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		want := text(t, g.ask("gallery.test", body, "identity"))
		if got := gunzip(t, text(t, g.ask("gallery.test", body, "gzip"))); got != want || got == before {
			t.Error("the response is of the old generation")
		}
	}
	if responsesOf(&g.main.gzip, old) != nil || g.main.gzip.cache.Load().of == old {
		t.Error("the old generation still has a cache")
	}
}

// TestCacheFlood requests lists that everybody requests, among many times as many that are
// requested twice or three times each.
func TestCacheFlood(t *testing.T) {
	c := newResponseCache(nil, maxCached, maxCachedBody)
	body := make([]byte, 16<<10)
	ask := func(key string) bool {
		got, again := c.get([]byte(key))
		if again && c.admits(key) {
			c.put(key, body)
		}
		return got != nil
	}
	const common = 100
	for range 6 {
		for i := range common {
			ask(fmt.Sprintf("common %d", i))
		}
	}
	found, asked := 0, 0
	for i := range 20_000 {
		for range 2 + i%2 {
			ask(fmt.Sprintf("rare %d", i))
		}
		if i%5 == 0 {
			asked++
			if ask(fmt.Sprintf("common %d", i/5%common)) {
				found++
			}
		}
		if c.entries > maxCached {
			t.Fatalf("%d bytes, want at most %d", c.entries, maxCached)
		}
	}
	size := 0
	for key, body := range c.bodies {
		size += entrySize(key, body)
	}
	if size != c.entries || size < maxCached*9/10 {
		t.Errorf("entries have %d bytes, counted %d, want nearly %d", size, c.entries, maxCached)
	}
	if found < asked*95/100 {
		t.Errorf("%d of %d common responses were in the cache, want 95 %%", found, asked)
	}
}

// TestCacheAges checks that what everybody requested in the past makes room for what everybody
// requests now.
func TestCacheAges(t *testing.T) {
	c := newResponseCache(nil, maxCached, maxCachedBody)
	for i := 0; c.entries+maxCachedBody+1000 < c.most; i++ {
		key := fmt.Sprintf("past %d", i)
		for range maxFrequency {
			c.get([]byte(key))
		}
		c.put(key, make([]byte, maxCachedBody))
	}
	for i := range 4 * halveAfter {
		c.get([]byte(fmt.Sprintf("once %d", i)))
	}
	for range 5 {
		c.get([]byte("now"))
	}
	if !c.admits("now") {
		t.Error("no room for a response that is requested now")
	}
}

// TestCacheKeeps checks that what is requested less often than all entries does not displace any,
// and that what is requested more often does.
func TestCacheKeeps(t *testing.T) {
	c := newResponseCache(nil, maxCached, maxCachedBody)
	fill := func(key string, times int) {
		for range times {
			c.get([]byte(key))
		}
		c.put(key, make([]byte, maxCachedBody))
	}
	for i := range maxCached / (maxCachedBody + 1000) {
		fill(fmt.Sprintf("common %d", i), 5)
	}
	full := len(c.bodies)
	fill("rare", 5)
	if _, ok := c.bodies["rare"]; ok || len(c.bodies) != full || c.admits("rare") {
		t.Error("an entry that is requested as often was displaced, or would be")
	}
	fill("frequent", 6)
	if _, ok := c.bodies["frequent"]; !ok || len(c.bodies) != full {
		t.Errorf("%d entries, want %d, with the new one in place of another", len(c.bodies), full)
	}
}

// TestFrequencies adds hashes up to five times each, and compares the estimates with the true
// numbers, also after the counters have been halved.
func TestFrequencies(t *testing.T) {
	var f frequencies
	random := rand.New(rand.NewPCG(1, 2))
	want := make(map[uint64]uint8)
	for f.added < halveAfter-5 {
		hash := random.Uint64()
		for range 1 + hash%5 {
			f.add(hash)
			want[hash]++
		}
	}
	wrong := 0
	for hash, times := range want {
		switch got := f.times(hash); {
		case got < times:
			t.Errorf("got %d, want at least %d", got, times)
		case got > times:
			wrong++
		}
	}
	if wrong > len(want)/200 {
		t.Errorf("%d of %d estimates are too high, want 0.5 %%", wrong, len(want))
	}
	for hash := range want {
		before := f.times(hash)
		f.halve()
		if f.times(hash) != before/2 {
			t.Error("not halved")
		}
		break
	}
}

// TestCacheTwice checks that an entry that is put twice is counted once.
func TestCacheTwice(t *testing.T) {
	c := newResponseCache(nil, maxCached, maxCachedBody)
	c.get([]byte("key"))
	c.put("key", make([]byte, 1000))
	c.put("key", make([]byte, 1000))
	if want := entrySize("key", make([]byte, 1000)); c.entries != want || c.admits("key") {
		t.Errorf("%d bytes, want %d, or the key would be compressed again", c.entries, want)
	}
}

// TestCacheSizes requests responses that are too short or too long to be cached.
func TestCacheSizes(t *testing.T) {
	g := openCaching(t, sample{more: 1000, full: true})
	for _, body := range []string{queryBody(`{"filterType":7,"value":"many.n7"},`, 1, 0), queryBody("", 150, 0), queryBody("", 1000, 0)} {
		for range 3 {
			g.ask("gallery.test", body, "gzip")
		}
	}
	if c := g.main.gzip.cache.Load(); c != nil && len(c.bodies) != 0 {
		t.Errorf("%d entries, want none", len(c.bodies))
	}
}

// TestTooLong encodes a response that does not fit in a cache, and then without enough memory.
func TestTooLong(t *testing.T) {
	g := openCaching(t, sample{more: 1000, full: true})
	q, err := query.Parse([]byte(queryBody("", 1000, 0)))
	if err != nil {
		t.Fatal(err)
	}
	found, err := gallery.Respond(index.NewWork(t.Context()), g.live.now.Load().ix, q)
	if err != nil {
		t.Fatal(err)
	}
	budget := g.buffers.budget
	for _, f := range []*form{&g.main.gzip, &g.main.json} {
		if body, ok := f.encode(found, g.main.address("http://gallery.test")); body != nil || !ok {
			t.Errorf("got %d bytes, %t; want none, true", len(body), ok)
		}
		used := int(budget.most*3/4) - 2*pieceBuffer
		budget.reserve(used)
		if body, ok := f.encode(found, g.main.address("http://gallery.test")); body != nil || ok {
			t.Errorf("without memory: got %d bytes, %t; want none, false", len(body), ok)
		}
		budget.release(used)
	}
	if n := budget.used.Load(); n != 0 {
		t.Errorf("%d bytes are still reserved", n)
	}
}

// A probe is a response that calls a function before it is written.
type probe struct {
	*httptest.ResponseRecorder
	before func()
}

func (p *probe) Write(b []byte) (int, error) {
	p.before()
	return p.ResponseRecorder.Write(b)
}

// TestCachedLong checks that the budget counts a response from the cache while it is written, and
// that a slow client of a long one can be cut off.
func TestCachedLong(t *testing.T) {
	g := openCaching(t, sample{more: 100, full: true})
	for coding, long := range map[string]int{"identity": 1, "gzip": 0} {
		var length, counted, cuttable int
		for range 3 {
			r := httptest.NewRequest("POST", "/api/extensionquery", strings.NewReader(queryBody("", 50, 0)))
			r.Header.Set("Accept-Encoding", coding)
			w := &probe{httptest.NewRecorder(), func() {
				counted, cuttable = int(g.buffers.budget.used.Load()), len(g.long.all)
			}}
			g.ServeHTTP(w, r)
			length = w.Body.Len()
		}
		if counted != length || cuttable != long {
			t.Errorf("%s: %d of %d bytes are counted, and %d clients can be cut off, want %d", coding, counted, length, cuttable, long)
		}
	}
	if n := g.buffers.budget.used.Load(); n != 0 || len(g.long.all) != 0 {
		t.Errorf("%d bytes are still reserved, %d clients can be cut off", n, len(g.long.all))
	}
}

// TestCacheTooLong checks that a response that is too long for the cache is compressed once only.
func TestCacheTooLong(t *testing.T) {
	c := newResponseCache(nil, maxCached, maxCachedBody)
	c.get([]byte("key"))
	c.put("key", nil)
	if body, again := c.get([]byte("key")); body != nil || again {
		t.Errorf("got %d bytes, compress again: %t; want neither", len(body), again)
	}
}

// TestCachedAllocations checks that a cached response is found without allocating memory.
func TestCachedAllocations(t *testing.T) {
	g := openCaching(t, sample{more: 100, full: true})
	q, err := query.Parse([]byte(queryBody("", 50, 0)))
	if err != nil {
		t.Fatal(err)
	}
	now := g.live.now.Load()
	found, err := gallery.Respond(index.NewWork(t.Context()), now.ix, q)
	if err != nil {
		t.Fatal(err)
	}
	at := g.main.address("http://gallery.test")
	for range 2 {
		g.cached(&g.main.gzip, now, found, at)
	}
	if n := testing.AllocsPerRun(100, func() {
		if g.cached(&g.main.gzip, now, found, at) == nil {
			t.Fatal("not in the cache")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
	if n := g.buffers.budget.used.Load(); n != 0 || len(g.turns.heavy) != 0 {
		t.Errorf("%d bytes are still reserved, %d turns have not ended", n, len(g.turns.heavy))
	}
}

// TestCacheBusy checks that a response is not compressed for the cache while heavy queries use the
// processors, and that it is sent nevertheless.
func TestCacheBusy(t *testing.T) {
	g := openCaching(t, sample{more: 100, full: true})
	for range cap(g.turns.heavy) {
		g.turns.heavy <- struct{}{}
	}
	want := text(t, g.ask("gallery.test", queryBody("", 50, 0), "identity"))
	for range 3 {
		if gunzip(t, text(t, g.ask("gallery.test", queryBody("", 50, 0), "gzip"))) != want {
			t.Error("the response is wrong")
		}
	}
	if n := len(g.main.gzip.cache.Load().bodies); n != 0 {
		t.Errorf("%d entries, want none", n)
	}
}

// TestCachedConcurrently sends the same queries at the same time, while generations change.
func TestCachedConcurrently(t *testing.T) {
	g := openCaching(t, sample{more: 100, full: true})
	var clients sync.WaitGroup
	for client := range 4 {
		clients.Go(func() {
			for i := range 40 {
				host := fmt.Sprintf("host%d.test", i%3)
				if body := gunzip(t, text(t, g.ask(host, queryBody("", 50, i%2*4), "gzip"))); !strings.Contains(body, host) {
					t.Errorf("client %d: the response is for another host", client)
				}
			}
		})
	}
	for i := range 4 {
		sample{more: 90 + i, full: true}.write(t, g.dir)
		if err := g.live.poll(t.Context()); err != nil {
			t.Error(err)
		}
	}
	clients.Wait()
}

func TestSpare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := spare{pause: 9}
		done := 0
		work := func() { done++; time.Sleep(time.Millisecond) }
		s.do(func() { s.do(work); work() }) // the inner one at the same time as the outer
		s.do(work)
		time.Sleep(9*time.Millisecond - 1)
		s.do(work)
		if done != 1 {
			t.Errorf("worked %d times before the end of the pause, want once", done)
		}
		time.Sleep(time.Nanosecond)
		s.do(work)
		if done != 2 {
			t.Errorf("worked %d times, want again after the pause", done)
		}
		func() {
			defer func() { recover() }()
			time.Sleep(9 * time.Millisecond)
			s.do(func() { time.Sleep(time.Millisecond); panic("damaged") })
		}()
		s.do(work)
		time.Sleep(9 * time.Millisecond)
		s.do(work)
		if done != 3 {
			t.Errorf("worked %d times, want once more, after the pause that follows the panic", done)
		}
	})
}
