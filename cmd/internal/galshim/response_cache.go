package galshim

import (
	"bytes"
	"hash/maphash"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"galbuild/render/gallery"
)

// A responseCache has the responses of one generation that are requested again and again, such as
// the popular list, a category or a common word. One cache has each compressed as a whole: joined
// fragments need four times as many bytes, because a fragment cannot refer to the text of another
// one. The other has some as JSON, for clients that do not accept gzip.
//
// The key of a response is its content: the extensions in it, and the base URL; see
// [gallery.Response.AppendKey]. So every response is searched for, which costs less than sending
// it, and nothing about a query can be forgotten in a key. Keys are compared byte by byte, so a
// collision of hashes does not lead to a wrong response. Queries with the same results, such as
// "pyth" and "python", share an entry.
//
// A response is encoded when it is requested for the second time, by that request. Compressing it
// takes about a millisecond. If the cache is full, entries that are requested less often are
// removed for it. This is the admission policy of TinyLFU (Einziger, Friedman and Manes, 2017): a
// client that requests many different lists a few times each does not displace what everybody
// requests. The libraries with this policy, otter and ristretto, decide after an entry has been
// made, in goroutines of their own; here making it is what costs. golang-lru has neither the policy
// nor a limit in bytes.
//
// There are no entries with zstd. For a hundred frequent requests in a gallery of real extensions,
// its default level needs 14.2 kB a response and gzip 14.5 kB, in a third of the time, which is
// spent once for each entry. The next level needs 13.6 kB. The parts of editors that run in Node.js
// decode gzip only, and browsers accept zstd only over HTTPS.
type responseCache struct {
	of      *generation
	most    int // bytes of all entries
	longest int // bytes of a body
	seed    maphash.Seed

	mutex   sync.Mutex
	counts  frequencies       // of requests
	bodies  map[string][]byte // by key; empty if the response is longer than longest
	entries int               // bytes of all entries
}

// A form is an encoding of responses, with the cache for those of the current generation.
type form struct {
	live     *live
	most     int // bytes of a cache
	cache    atomic.Pointer[responseCache]
	longest  int      // bytes of a body
	encoding []string // Content-Encoding; nil for JSON
	// encode returns a body, or nil if it is too long. ok is false if it could not be made.
	encode func(found *gallery.Response, at *gallery.Address) (body []byte, ok bool)
}

// entryBytes is the memory of an entry beside its key and body, about.
const entryBytes = 128

func newResponseCache(of *generation, most, longest int) *responseCache {
	return &responseCache{
		of: of, most: most, longest: longest, seed: maphash.MakeSeed(), bodies: make(map[string][]byte),
	}
}

// responsesOf returns the cache of a generation. It is nil if a newer generation is being served,
// whose cache replaces that of the old one. So each form has one cache at any time.
func responsesOf(f *form, g *generation) *responseCache {
	c := f.cache.Load()
	if c != nil && c.of == g {
		return c
	}
	if f.live.now.Load() != g {
		return nil
	}
	f.cache.CompareAndSwap(c, newResponseCache(g, f.most, f.longest))
	if c = f.cache.Load(); c.of != g {
		return nil
	}
	return c
}

// sendCached sends a response from the cache. It returns false if it is not cached, or if the
// budget does not allow it: a slow client keeps the response from the garbage collector.
func (s *server) sendCached(w *reply, f *form, g *generation, found *gallery.Response, at *gallery.Address) bool {
	body := s.cached(f, g, found, at)
	if body == nil {
		return false
	}
	reserve := s.buffers.budget.reserve
	if isLong(len(body)) {
		reserve = s.buffers.budget.reserveLong
	}
	if !reserve(len(body)) {
		return false
	}
	defer s.buffers.budget.release(len(body))
	if isLong(len(body)) {
		s.long.add(&w.pace)
		defer s.long.remove(&w.pace)
	}
	if f.encoding != nil {
		w.Header()["Content-Encoding"] = f.encoding
	}
	sendWhole(w, body)
	return true
}

// cached returns a response from the cache, or nil.
func (s *server) cached(f *form, g *generation, found *gallery.Response, at *gallery.Address) []byte {
	if found.Bytes() < minCachedJSON || found.Bytes() > maxCompress || found.Hits() > maxCachedHits {
		return nil
	}
	c := responsesOf(f, g)
	if c == nil {
		return nil
	}
	var space [1 << 10]byte
	key := append(found.AppendKey(space[:0]), at.URL...)
	body, again := c.get(key)
	s.metrics.cached(f.encoding != nil, body != nil)
	if !again {
		return body
	}
	return s.encodeAgain(f, c, string(key), found, at)
}

// encodeAgain encodes a response that was requested again, and puts it into the cache. It returns
// nil if the turns or the memory for it are in use, or if the cache is full of responses that are
// requested more often.
func (s *server) encodeAgain(f *form, c *responseCache, key string, found *gallery.Response, at *gallery.Address) (body []byte) {
	s.spare.do(func() {
		select {
		case s.turns.heavy <- struct{}{}:
			defer s.turns.heavy.end()
		default:
			return
		}
		if !c.admits(key) {
			return
		}
		if all, ok := f.encode(found, at); ok {
			body = all
			c.put(key, all)
		}
	})
	return body
}

// compressBest compresses a response. The result is nil if it is longer than maxCachedBody. ok is
// false if the response could not be compressed.
func (s *server) compressBest(found *gallery.Response, at *gallery.Address) (body []byte, ok bool) {
	to := s.buffers.get(maxCachedBody/2, io.Discard)
	if to == nil {
		return nil, false
	}
	defer s.buffers.put(to)
	if err := s.compressTo(to, &s.best, s.buffers.budget.reserveLong, found, at); err != nil {
		return nil, false
	}
	if to.Sent() {
		return nil, true
	}
	return bytes.Clone(to.Bytes()), true
}

// renderWhole returns a response as JSON. The result is nil if it is longer than maxCachedJSON. ok
// is false if there is not enough memory, or if the response could not be written.
func (s *server) renderWhole(found *gallery.Response, at *gallery.Address) (body []byte, ok bool) {
	to := s.buffers.get(maxCachedJSON/2, io.Discard)
	if to == nil || to.Cap() < maxCachedJSON {
		s.buffers.put(to)
		return nil, false
	}
	defer s.buffers.put(to)
	if err := found.WriteJSON(to, at); err != nil {
		return nil, false
	}
	if to.Sent() {
		return nil, true
	}
	return bytes.Clone(to.Bytes()), true
}

// get returns the body for a key, or nil. again reports whether it should be encoded, because it
// was requested before.
func (c *responseCache) get(key []byte) (body []byte, again bool) {
	hash := maphash.Bytes(c.seed, key)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	times := c.counts.add(hash)
	body, ok := c.bodies[string(key)]
	return body, !ok && times > 1
}

// admits reports whether there is room for the response with a key, or an entry that is requested
// less often.
func (c *responseCache) admits(key string) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if _, ok := c.bodies[key]; ok {
		return false
	}
	if c.entries+entrySize(key, nil)+c.longest <= c.most {
		return true
	}
	_, least := c.leastRequested()
	return least < c.times(key)
}

// put adds an entry. If the cache is full, it removes entries that are requested less often, until
// the new one fits or none of them is left; then it adds nothing.
func (c *responseCache) put(key string, body []byte) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if _, ok := c.bodies[key]; ok {
		return
	}
	size := entrySize(key, body)
	for c.entries+size > c.most {
		old, least := c.leastRequested()
		if least >= c.times(key) {
			return
		}
		c.entries -= entrySize(old, c.bodies[old])
		delete(c.bodies, old)
	}
	c.bodies[key] = body
	c.entries += size
}

func entrySize(key string, body []byte) int { return len(key) + len(body) + entryBytes }

// leastRequested returns the key that is requested least often, and how often. It compares all
// entries, of which there are a few hundred. If there are none, nothing is requested less often.
func (c *responseCache) leastRequested() (key string, least uint8) {
	least = maxFrequency
	for k := range c.bodies {
		if times := c.times(k); times < least || key == "" {
			key, least = k, times
		}
	}
	return key, least
}

func (c *responseCache) times(key string) uint8 { return c.counts.times(maphash.String(c.seed, key)) }

// frequencies estimates how often each of many hashes was added lately, with a count-min sketch.
// An estimate is never too low, except that all counters are halved from time to time.
type frequencies struct {
	counters [1 << 16]uint8
	added    int // since the counters were halved
}

const (
	maxFrequency = 15
	halveAfter   = 1 << 14 // additions; the counters are mostly zero even if all hashes differ
)

// times returns how often a hash was added.
func (f *frequencies) times(hash uint64) uint8 {
	least := uint8(maxFrequency)
	for shift := 0; shift < 64; shift += 16 {
		least = min(least, f.counters[uint16(hash>>shift)])
	}
	return least
}

// add adds a hash, and returns how often it was added.
func (f *frequencies) add(hash uint64) uint8 {
	times := f.times(hash)
	if times == maxFrequency {
		return times
	}
	for shift := 0; shift < 64; shift += 16 {
		if counter := &f.counters[uint16(hash>>shift)]; *counter == times {
			*counter++
		}
	}
	if f.added++; f.added == halveAfter {
		f.halve()
	}
	return times + 1
}

func (f *frequencies) halve() {
	f.added = 0
	for i := range f.counters {
		f.counters[i] /= 2
	}
}

// spare is the time for work that may be left out. One goroutine at a time does such work, and then
// there is a pause, so that clients that cause the work take no more than a part of one processor
// from others.
type spare struct {
	pause time.Duration // for each unit of time that the work took

	mutex sync.Mutex // held during the work
	until time.Time  // end of the pause
}

// do does the work, or nothing if other work is being done or the pause has not ended.
func (s *spare) do(work func()) {
	if !s.mutex.TryLock() {
		return
	}
	defer s.mutex.Unlock()
	start := time.Now()
	if start.Before(s.until) {
		return
	}
	defer func() {
		now := time.Now()
		s.until = now.Add(s.pause * now.Sub(start))
	}()
	work()
}

// compressors are compressors of one level that are not in use.
type compressors struct {
	level int
	pool  sync.Pool // of *gzip.Writer
}

func (c *compressors) get(w io.Writer) *gzip.Writer {
	z, ok := c.pool.Get().(*gzip.Writer)
	if !ok {
		z, _ = gzip.NewWriterLevel(nil, c.level) // the level is valid
	}
	z.Reset(w)
	return z
}
