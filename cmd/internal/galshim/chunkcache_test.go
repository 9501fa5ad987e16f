package galshim

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"galbuild/build/site"
	"galbuild/index"
)

// A heldSite is a published site that counts requests for chunks, and delays some of them.
type heldSite struct {
	*published
	mu       sync.Mutex
	requests []string                   // paths of all requests, in order
	running  atomic.Int64               // requests that wait
	most     atomic.Int64               // the highest value of running
	held     func(r *http.Request) bool // requests that wait until the site is released
	released chan struct{}
}

// publishHeld serves a new site with many chunks. Requests for which held
// returns true wait until release is called or the test ends.
func publishHeld(t *testing.T, held func(r *http.Request) bool) *heldSite {
	t.Helper()
	o := &heldSite{published: publish(t, manyChunks), held: held, released: make(chan struct{})}
	o.override = func(_ http.ResponseWriter, r *http.Request) bool {
		o.mu.Lock()
		o.requests = append(o.requests, r.URL.Path)
		o.mu.Unlock()
		if o.held != nil && o.held(r) {
			n := o.running.Add(1)
			defer o.running.Add(-1)
			for most := o.most.Load(); n > most && !o.most.CompareAndSwap(most, n); most = o.most.Load() {
			}
			select {
			case <-o.released:
			case <-r.Context().Done():
			}
		}
		return false
	}
	t.Cleanup(o.release) // before the server is closed
	return o
}

func (o *heldSite) release() {
	select {
	case <-o.released:
	default:
		close(o.released)
	}
}

// take returns the requests since the last call.
func (o *heldSite) take() (paths []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	paths, o.requests = o.requests, nil
	return paths
}

// takeChunks returns the requests for chunks since the last call of take or takeChunks.
func (o *heldSite) takeChunks() []string {
	return slices.DeleteFunc(o.take(), func(path string) bool { return !strings.Contains(path, "/index/chunks/") })
}

// cacheOf returns the cache of chunks of a gallery at a URL.
func (g *testGallery) cacheOf() *chunkCache { return g.live.now.Load().cache }

// TestOneChunk queries one id while every other chunk is held back, and in the background all are
// requested. The query needs one chunk, which is requested once.
func TestOneChunk(t *testing.T) {
	o := publishHeld(t, nil)
	g := open(t, "", remoteAt(t, o.URL, t.TempDir()))
	const id = "many.n7"
	_, chunk := g.chunkOf(t, id)
	o.held = func(r *http.Request) bool { return isChunk(r) && !isOf(r, chunk) }
	if got := o.takeChunks(); len(got) != 0 {
		t.Fatalf("at the start: requests for %q", got)
	}
	for range 2 {
		g.wantFound(t, id)
	}
	if got := o.takeChunks(); len(got) != 1 || !strings.HasSuffix(got[0], chunk.Name()) {
		t.Errorf("requests for %q, want only %s", got, chunk.Name())
	}
	g.follow(t)
	await(t, "the others are requested", func() bool { return o.running.Load() == backgroundFetches })
	g.wantFound(t, id)
}

// TestFirstAnswers answers while the last chunk has not arrived, and then opens all chunks.
func TestFirstAnswers(t *testing.T) {
	o := publishHeld(t, nil)
	g := open(t, "", remoteAt(t, o.URL, t.TempDir()))
	now := g.live.now.Load()
	order := now.unchecked()
	last := now.ix.Chunks()[order[len(order)-1]]
	o.held = func(r *http.Request) bool { return isOf(r, last) }
	g.follow(t)
	await(t, "all but one chunk are there", func() bool { return len(now.unchecked()) == 1 })
	for i := range now.ix.Chunks() {
		for hit := range now.ix.Len() {
			if now.ix.ChunkOf(index.Hit(hit)) == i && i != order[len(order)-1] {
				p, err := now.ix.Payload(index.Hit(hit), index.Latest)
				if err != nil || len(p.JSON) == 0 {
					t.Errorf("chunk %d: %v", i, err)
				}
			}
		}
	}
	g.wantFound(t, g.inOtherChunk(t, "acme.hello"))
	o.release()
	await(t, "all chunks are there", func() bool { return len(now.unchecked()) == 0 })
	if n := len(o.takeChunks()); n != len(order) {
		t.Errorf("%d requests for %d chunks", n, len(order))
	}
}

// TestPopularFirst checks the order in which chunks are downloaded.
func TestPopularFirst(t *testing.T) {
	p := publish(t, sample{more: 300, full: true})
	g := open(t, "", remoteAt(t, p.URL, t.TempDir()))
	now := g.live.now.Load()
	order, seen := now.unchecked(), make(map[int]bool)
	at := 0
	for hit := range now.ix.Len() {
		if n := now.ix.ChunkOf(index.Hit(hit)); !seen[n] {
			if order[at] != n {
				t.Errorf("chunk %d is number %d, want %d", order[at], at, n)
			}
			seen[n] = true
			at++
		}
	}
	if slices.IsSorted(order) || len(order) != len(now.ix.Chunks()) {
		t.Errorf("order %v", order)
	}
}

// TestChangeIsDownloaded follows a signed site to which one extension is added.
func TestChangeIsDownloaded(t *testing.T) {
	s := newSignedSite(t)
	s.add(t, manyChunks, testTime)
	o := publishHeld(t, nil)
	o.dir = s.dir
	cache := t.TempDir()
	l, _ := s.follow(t, remoteAt(t, o.URL, cache), commandLine{})
	wantServed(t, l, manyChunks.more+1, "")
	g := &testGallery{server: open(t, s.dir, folder{s.dir}).server}
	g.live = l
	stop := g.follow(t)
	await(t, "all chunks are there", func() bool { return len(l.now.Load().unchecked()) == 0 })
	stop()
	o.take()
	s.add(t, sample{more: manyChunks.more + 1}, testTime.Add(time.Hour))
	wantServed(t, l, manyChunks.more+2, "")
	var chunks, others []string
	for _, path := range o.take() {
		if strings.HasPrefix(path, "/index/chunks/") {
			chunks = append(chunks, path)
		} else {
			others = append(others, path)
		}
	}
	if len(chunks) < 1 || len(chunks) > 2 {
		t.Errorf("requests for the chunks %q, want one or two", chunks)
	}
	if len(others) != 3 || others[0] != "/"+site.CurrentPath || !strings.HasSuffix(others[1], ".head") || !strings.HasSuffix(others[2], site.IndexName) {
		t.Errorf("requests for %q, want CURRENT, the head and the index", others)
	}
	if n := len(l.now.Load().unchecked()); n != 0 {
		t.Errorf("%d chunks are to be checked again", n)
	}

	again, _ := s.follow(t, remoteAt(t, o.URL, cache), commandLine{})
	wantServed(t, again, manyChunks.more+2, "")
	g.live = again
	g.follow(t)
	await(t, "all chunks are checked after a restart", func() bool { return len(again.now.Load().unchecked()) == 0 })
	if got := o.takeChunks(); len(got) != 0 {
		t.Errorf("after a restart: requests for %q", got)
	}
}

// TestSwitchWaitsForChunks checks that a newer generation is served only when its chunks are there.
func TestSwitchWaitsForChunks(t *testing.T) {
	o := publishHeld(t, nil)
	g := open(t, "", remoteAt(t, o.URL, t.TempDir()))
	o.held = isChunk
	next := sample{more: manyChunks.more + 1}
	next.write(t, o.dir)
	polled := make(chan error, 1)
	go func() { polled <- g.live.poll(t.Context()) }()
	await(t, "a chunk is requested", func() bool { return o.running.Load() > 0 })
	if n := g.extensions(t); n != manyChunks.more+1 {
		t.Errorf("serves %d extensions before the chunks are there", n)
	}
	o.release()
	if err := <-polled; err != nil || g.extensions(t) != next.more+1 {
		t.Errorf("poll: %v, %d extensions", err, g.extensions(t))
	}
}

// wrongChunks are responses that are not the chunk.
var wrongChunks = map[string]func(w http.ResponseWriter, text []byte){
	"flipped":   func(w http.ResponseWriter, text []byte) { text[len(text)/2] ^= 1; w.Write(text) },
	"shorter":   func(w http.ResponseWriter, text []byte) { w.Write(text[:len(text)-1]) },
	"longer":    func(w http.ResponseWriter, text []byte) { w.Write(append(text, 0)) },
	"missing":   func(w http.ResponseWriter, _ []byte) { w.WriteHeader(http.StatusNotFound) },
	"forbidden": func(w http.ResponseWriter, _ []byte) { w.WriteHeader(http.StatusForbidden) },
}

// TestWrongChunk downloads something else than a chunk. It is not served, nor does it get into the
// cache, and requests that do not need the chunk succeed.
func TestWrongChunk(t *testing.T) {
	for name, send := range wrongChunks {
		t.Run(name, func(t *testing.T) {
			o := publishHeld(t, nil)
			cache := t.TempDir()
			var requests lockedBuffer
			g := open(t, "", remoteAt(t, o.URL, cache), func(c *config) { c.log = slog.New(slog.NewTextHandler(&requests, nil)) })
			const id = "many.n7"
			number, chunk := g.chunkOf(t, id)
			file := chunkFiles(t, g.live.now.Load(), g.cacheOf().dir)[number]
			whole, err := os.ReadFile(filepath.Join(o.dir, "index/chunks", filepath.FromSlash(chunk.Name())))
			if err != nil {
				t.Fatal(err)
			}
			var asked atomic.Int64
			o.override = func(w http.ResponseWriter, r *http.Request) bool {
				if isOf(r, chunk) {
					asked.Add(1)
					send(w, slices.Clone(whole))
				}
				return isOf(r, chunk)
			}
			lines := g.logTo()
			resp := g.request("POST", "/api/extensionquery", byName(id))
			if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
				t.Errorf("query: %d, %v", resp.StatusCode, resp.Header)
			}
			if resp := g.request("GET", "/api/vscode/many/n7/latest", ""); resp.StatusCode != http.StatusBadGateway {
				t.Errorf("latest: %d", resp.StatusCode)
			}
			if n := strings.Count(requests.String(), chunk.Name()); n != 2 {
				t.Errorf("%d lines name %s, want those of both requests:\n%s", n, chunk.Name(), &requests)
			}
			if n := asked.Load(); n != 1 {
				t.Errorf("%d downloads, want no second one at once", n)
			}
			if _, err := os.Stat(file); err == nil {
				t.Errorf("the cache has %s", file)
			}
			g.follow(t)
			await(t, "all other chunks are there", func() bool { return len(g.live.now.Load().unchecked()) == 1 })
			g.wantFound(t, g.inOtherChunk(t, id))
			if resp := g.request("GET", "/healthz", ""); resp.StatusCode != http.StatusOK {
				t.Errorf("health: %d", resp.StatusCode)
			}
			await(t, "the log names the chunk", func() bool { return strings.Contains(lines.String(), chunk.Name()) })

			o.override = nil
			g.cacheOf().retryNow()
			g.wantFound(t, id)
			if n := strings.Count(lines.String(), "\n"); n != 1 {
				t.Errorf("want one line, got:\n%s", lines)
			}
		})
	}
}

// retryNow ends the pauses after failed downloads.
func (c *chunkCache) retryNow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.fetches {
		if !f.retry.IsZero() {
			f.retry = time.Now()
		}
	}
}

// TestNewWrongChunk follows a site whose new chunk is damaged. The old generation stays until it is
// sound.
func TestNewWrongChunk(t *testing.T) {
	o := publishHeld(t, nil)
	from := remoteAt(t, o.URL, t.TempDir())
	g := open(t, "", from)
	lines := g.logTo()
	var bad atomic.Pointer[string]
	next := sample{more: manyChunks.more + 1}
	next.write(t, o.dir)
	o.override = func(w http.ResponseWriter, r *http.Request) bool {
		if isChunk(r) && bad.CompareAndSwap(nil, &r.URL.Path) || bad.Load() != nil && *bad.Load() == r.URL.Path {
			w.Write([]byte("evil"))
			return true
		}
		return false
	}
	for range 3 {
		g.live.report(g.live.poll(t.Context()))
	}
	if n := g.extensions(t); n != manyChunks.more+1 {
		t.Errorf("serves %d extensions, want those from before", n)
	}
	if got := lines.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, strings.TrimPrefix(*bad.Load(), "/")) {
		t.Errorf("want one line that names %s, got:\n%s", *bad.Load(), got)
	}
	o.override = nil
	g.cacheOf().retryNow()
	from.retry = time.Now()
	if err := g.live.poll(t.Context()); err != nil || g.extensions(t) != next.more+1 {
		t.Errorf("poll: %v, %d extensions", err, g.extensions(t))
	}
}

// TestDamagedCache damages a chunk in the cache. It is downloaded again, and the log names it.
func TestDamagedCache(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, file string){"flipped": flipSameTime, "shorter": halve} {
		t.Run(name, func(t *testing.T) {
			o := publishHeld(t, nil)
			cache := t.TempDir()
			before := open(t, "", remoteAt(t, o.URL, cache))
			const id = "many.n7"
			number, _ := before.chunkOf(t, id)
			before.wantFound(t, id)
			file := chunkFiles(t, before.live.now.Load(), before.cacheOf().dir)[number]
			o.takeChunks()
			spoil(t, file)
			from := remoteAt(t, o.URL, cache)
			var lines lockedBuffer
			from.chunks.log = slog.New(slog.NewTextHandler(&lines, nil))
			g := open(t, "", from)
			for range 2 {
				g.wantFound(t, id)
			}
			if n := len(o.takeChunks()); n != 1 {
				t.Errorf("%d downloads, want 1", n)
			}
			if !strings.Contains(lines.String(), file) {
				t.Errorf("the log does not name %s: %s", file, &lines)
			}
			if g.live.now.Load().damaged.Load() {
				t.Error("the generation is taken for damaged")
			}
		})
	}
}

// TestUnreachableChunks starts with a generation in the cache whose chunks are not all there, while
// the site cannot be reached.
func TestUnreachableChunks(t *testing.T) {
	o := publishHeld(t, nil)
	cache := t.TempDir()
	const id = "many.n7"
	var unreachable atomic.Bool
	var asked atomic.Int64
	o.override = func(w http.ResponseWriter, r *http.Request) bool {
		if !unreachable.Load() {
			return false
		}
		if isChunk(r) {
			asked.Add(1)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	before := open(t, "", remoteAt(t, o.URL, cache))
	before.wantFound(t, id)
	other := before.inOtherChunk(t, id)
	unreachable.Store(true)
	g := open(t, "", remoteAt(t, o.URL, cache))
	lines := g.logTo()
	g.wantFound(t, id)
	for range 3 {
		if status, _ := g.find(t, other); status != http.StatusServiceUnavailable {
			t.Errorf("status %d, want 503", status)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("%d requests for a chunk, want no second one at once", n)
	}
	stop := g.follow(t)
	await(t, "several chunks have failed", func() bool { return asked.Load() >= 3 })
	stop()
	if n := strings.Count(lines.String(), "\n"); n > 1 {
		t.Errorf("%d lines in the log, want 1:\n%s", n, lines)
	}
	g.wantFound(t, id)
	unreachable.Store(false)
	g.cacheOf().retryNow()
	g.wantFound(t, other)
}

// TestManyWantOneChunk sends many queries for a chunk that has not arrived. It is requested once,
// and while they wait, no query has a turn. Those whose client goes away end at once.
func TestManyWantOneChunk(t *testing.T) {
	o := publishHeld(t, isChunk)
	g := open(t, "", remoteAt(t, o.URL, t.TempDir()), func(c *config) { c.queries = 1 })
	const id, clients = "many.n7", 20
	ctx, leave := context.WithCancel(t.Context())
	statuses := make(chan int, 2*clients)
	send := func(ctx context.Context) {
		w := httptest.NewRecorder()
		g.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", "/api/extensionquery", strings.NewReader(byName(id))))
		statuses <- w.Code
	}
	for range clients {
		go send(ctx)
		go send(t.Context())
	}
	await(t, "all queries wait", func() bool { return g.cacheOf().waiting.Load() == 2*clients })
	if n := len(g.turns.light) + len(g.turns.heavy); n != 0 {
		t.Errorf("%d waiting queries have a turn", n)
	}
	leave()
	for range clients {
		if status := <-statuses; status != statusClientGone {
			t.Errorf("status %d of a query whose client has gone", status)
		}
	}
	if n := g.cacheOf().waiting.Load(); n != clients {
		t.Errorf("%d queries wait, want those whose clients are there", n)
	}
	o.release()
	for range clients {
		if status := <-statuses; status != http.StatusOK {
			t.Errorf("status %d", status)
		}
	}
	if n := len(o.takeChunks()); n != 1 {
		t.Errorf("%d requests for one chunk", n)
	}
}

// TestSlowOrigin needs many chunks of a site that does not respond. The number of concurrent
// requests to it is limited, and so is that of the queries that wait.
func TestSlowOrigin(t *testing.T) {
	o := publishHeld(t, isChunk)
	sample{more: 1500}.write(t, o.dir)
	g := open(t, "", remoteAt(t, o.URL, t.TempDir()))
	if n := len(g.live.now.Load().ix.Chunks()); n <= maxChunkFetches {
		t.Fatalf("%d chunks are too few for this test", n)
	}
	done := make(chan string)
	go func() { done <- text(t, g.request("POST", "/api/extensionquery", queryBody("", 1000, 0))) }()
	await(t, "the chunks are requested", func() bool { return o.running.Load() >= maxChunkFetches })
	cache := g.cacheOf()
	cache.waiting.Add(maxWaiting)
	if status, _ := g.find(t, "many.n7"); status != http.StatusServiceUnavailable {
		t.Errorf("status %d of one query too many, want 503", status)
	}
	cache.waiting.Add(-maxWaiting)
	o.release()
	if n := len(strings.Fields(ids(t, <-done))); n < 100 {
		t.Errorf("found %d extensions", n)
	}
	if n := o.most.Load(); n > maxChunkFetches {
		t.Errorf("%d concurrent requests", n)
	}
	if cache.waiting.Load() != 0 {
		t.Errorf("%d queries wait", cache.waiting.Load())
	}
}

// TestPruneChunks removes chunks that are no longer used, unless they are young.
func TestPruneChunks(t *testing.T) {
	o := publishHeld(t, nil)
	g := open(t, "", remoteAt(t, o.URL, t.TempDir()))
	cache := g.cacheOf()
	g.wantFound(t, "many.n7")
	number, _ := g.chunkOf(t, "many.n7")
	used := chunkFiles(t, g.live.now.Load(), cache.dir)[number]
	dir := filepath.Dir(used)
	old, temp, young := filepath.Join(dir, "old.idx"), filepath.Join(dir, ".galbuild-x"), filepath.Join(dir, "young.idx")
	for _, file := range []string{old, temp, young} {
		overwrite(t, file, "x")
	}
	for _, file := range []string{used, old, temp} {
		age(t, file, 2*staleFile)
	}
	sample{more: manyChunks.more + 1}.write(t, o.dir)
	if err := g.live.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]bool{used: true, old: false, temp: false, young: true} {
		if _, err := os.Stat(file); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %t", filepath.Base(file), err, want)
		}
	}
}

// TestFailuresAreForgotten downloads chunks that the site does not have, each once. After a while
// they need no memory.
func TestFailuresAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newChunkCache(t.TempDir(), slog.New(slog.DiscardHandler))
		defer c.close()
		missing := errors.New("missing")
		c.get = func(context.Context, string, func(io.Reader) error) error {
			return missing
		}
		for i := range 1000 {
			if err := c.fetch(t.Context(), index.Chunk{Size: int64(i), SHA256: sha256.Sum256([]byte{byte(i), byte(i >> 8)})}); !errors.Is(err, missing) {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if n, most := len(c.fetches), int((minRetry+maxRetry)/time.Second)+2; n > most {
			t.Errorf("%d failures are remembered, want at most %d", n, most)
		}
	})
}
