package index

import (
	"strings"
	"sync/atomic"

	"galbuild/index/query"
)

// Limits of the cache: 1.6 MiB if every slot has a long text with many results.
const (
	cacheSlots    = 2048 // a power of two
	cacheHits     = 150  // per result: three pages of an editor
	maxCachedText = 64   // bytes of a text
)

// resultCache stores the results of texts, so that the same search is computed once. Everybody
// begins to type with the same few letters, and short texts match the most documents. An index
// never changes, so a stored result stays valid. A text can be in one of two slots. If both are
// occupied, its result replaces the one in the first slot. A resultCache is safe for concurrent
// use.
//
// Results do not depend on the cache. Incomplete results are not stored. A stored result costs as
// many steps as it took to compute, so that later searches of the request have as many steps left
// as they would have without the cache. If a client fills the cache with unusual texts, the
// searches of others take as long as without a cache.
type resultCache struct {
	slots [cacheSlots]atomic.Pointer[cachedResult]
}

// cachedResult is the beginning of a result. It is immutable.
type cachedResult struct {
	text  string
	hits  []Hit // the first cacheHits, or all if there are fewer
	total int   // number of matches
	steps int   // steps that the search took
}

func (c *resultCache) slotsFor(text string) [2]*atomic.Pointer[cachedResult] {
	h := hash(text)
	return [2]*atomic.Pointer[cachedResult]{&c.slots[h%cacheSlots], &c.slots[(h>>16)%cacheSlots]}
}

func (c *resultCache) find(text string) *cachedResult {
	for _, slot := range c.slotsFor(text) {
		if entry := slot.Load(); entry != nil && entry.text == text {
			return entry
		}
	}
	return nil
}

// get returns the page of f from the result of text. ok is false if the result is not
// stored, if the page is not within it, or if work has too few steps left.
func (c *resultCache) get(text string, f *query.Filter, work *Work) (result Result, ok bool) {
	entry := c.find(text)
	if entry == nil {
		return Result{}, false
	}
	from, to := pageBounds(f, entry.total)
	if from < to && to > len(entry.hits) || entry.steps > work.limit-work.steps || !work.take(entry.steps) {
		return Result{}, false
	}
	hits := make([]Hit, to-from)
	if from < to { // otherwise the page is after the last match
		copy(hits, entry.hits[from:])
	}
	return Result{hits, entry.total}, true
}

// put stores the matches of text, of which the first cacheHits are in order, and the steps
// that the search took.
func (c *resultCache) put(text string, all []match, steps int) {
	entry := &cachedResult{strings.Clone(text), make([]Hit, min(len(all), cacheHits)), len(all), steps}
	for i := range entry.hits {
		entry.hits[i] = Hit(all[i].document())
	}
	slots := c.slotsFor(text)
	if first := slots[0].Load(); first != nil && first.text != text && slots[1].CompareAndSwap(nil, entry) {
		return
	}
	slots[0].Store(entry)
}
