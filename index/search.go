package index

import (
	"slices"

	"galbuild/index/query"
)

// Result is one page of hits.
type Result struct {
	Hits  []Hit // at most query.Filter.Size
	Total int   // number of matches on all pages
}

// scratch holds the buffers of a search. They are reused by later searches.
type scratch struct {
	work      *Work
	unlimited Work // the work of a search without a limit
	clauses   clauses
	list      []uint32
	sets      [2]bitmap
	scores    scores
}

// Search returns a page of the documents that match f, and the number of all matches. It does not
// return an error: a query that makes no sense has no results. If work has ended, work.Err returns
// the reason, and the result must not be used. If the steps of work are used up, the result may be
// incomplete, see "Work" in the package comment. A nil work has no limit.
//
// Search allocates nothing but the hits, unless f has a text whose result is not cached.
func (ix *Index) Search(work *Work, f *query.Filter) Result {
	if work.Err() != nil {
		return Result{}
	}
	s := ix.scratch.Get().(*scratch)
	if work == nil {
		s.unlimited = unlimitedWork()
		work = &s.unlimited
	} else {
		work.begin(f, ix.Len())
	}
	s.work, s.scores.work = work, work
	result := ix.search(f, s)
	s.work, s.scores.work = nil, nil
	ix.scratch.Put(s) // not after a panic, which leaves scores behind
	return result
}

func (ix *Index) search(f *query.Filter, s *scratch) Result {
	filtered := ix.restrict(f, s)
	if slices.ContainsFunc(f.Text, isSearchable) {
		return ix.searchText(f, &filtered, s)
	}
	return ix.page(f, &filtered, s)
}

// searchText returns the page for a filter with texts. The result of a text without other
// criteria, as editors usually send it, is cached.
func (ix *Index) searchText(f *query.Filter, filtered *set, s *scratch) Result {
	cacheable := filtered.all && f.Sort == query.Relevance && len(f.Text) == 1 && len(f.Text[0]) <= maxCachedText
	if cacheable {
		if r, ok := ix.cache.get(f.Text[0], f, s.work); ok {
			return r
		}
	}
	stepsBefore := s.work.steps
	var matches []match
	if s.work.take(textCost(f.Text)) {
		matches = ix.match(parseTexts(f.Text), filtered, s)
	}
	if f.Sort != query.Relevance {
		bits := s.emptySet(ix.Len())
		for _, m := range matches {
			bits.set(m.document())
		}
		return ix.page(f, &set{bits: bits}, s)
	}
	return ix.pageOfMatches(f, matches, s, func() {
		if cacheable && !s.work.incomplete {
			ix.cache.put(f.Text[0], matches, s.work.steps-stepsBefore)
		}
	})
}

// pageOfMatches sorts the matches as far as needed and returns the page. It calls store once, when
// the first cacheHits matches are in order, or all if there are fewer.
func (ix *Index) pageOfMatches(f *query.Filter, matches []match, s *scratch, store func()) Result {
	s.work.take(selectCost * len(matches)) // even if no steps are left
	selectBest(matches, min(cacheHits, len(matches)))
	store()
	from, to := pageBounds(f, len(matches))
	if from < to && to > cacheHits && s.work.take(sortCost*len(matches)) {
		selectBest(matches, to)
	}
	return pageOf(f, matches)
}

// Costs of selecting the best matches, and of sorting all of them, in steps for each match.
const (
	selectCost = 2
	sortCost   = 16
)

// emptySet returns the first bitmap, cleared.
func (s *scratch) emptySet(documents int) bitmap {
	s.makeSets(documents)
	clear(s.sets[0])
	return s.sets[0]
}

func (s *scratch) makeSets(documents int) {
	if s.sets[0] == nil {
		s.sets = [2]bitmap{newBitmap(documents), newBitmap(documents)}
	}
}

// pageBounds returns the range of the page among total results.
func pageBounds(f *query.Filter, total int) (from, to int) {
	size := f.Size
	if size < 1 {
		size = query.DefaultPageSize
	}
	size = min(size, f.MaxSize())
	page := max(f.Page, 1) - 1
	if page > total/size {
		return total, total
	}
	from = min(page*size, total)
	return from, min(from+size, total)
}

// page returns a page of the filtered documents in every order but relevance to a text.
func (ix *Index) page(f *query.Filter, filtered *set, s *scratch) Result {
	row := ix.orders.row(f.Sort, f.Order)
	switch {
	case filtered.all && row == nil:
		from, to := pageBounds(f, ix.Len())
		hits := make([]Hit, 0, to-from)
		for i := from; i < to; i++ {
			hits = append(hits, Hit(i))
		}
		return Result{hits, ix.Len()}
	case filtered.all:
		return pageOf(f, row)
	case filtered.bits == nil && row == nil:
		return pageOf(f, filtered.list)
	}
	if filtered.bits == nil {
		filtered.bits = s.emptySet(ix.Len())
		filtered.bits.add(filtered.list)
	}
	if row != nil && !s.work.take(len(row)) {
		row = nil
	}
	return pageOfBitmap(f, filtered.bits, row)
}

// documentNumber is a type whose low 32 bits are the number of a document.
type documentNumber interface{ ~uint32 | ~uint64 }

// pageOf returns the page of all results, which are in order.
func pageOf[T documentNumber](f *query.Filter, all []T) Result {
	from, to := pageBounds(f, len(all))
	hits := make([]Hit, 0, to-from)
	for _, n := range all[from:to] {
		hits = append(hits, Hit(uint32(n)))
	}
	return Result{hits, len(all)}
}

// pageOfBitmap returns the page of the documents in bits, in the order of row, or ascending
// if row is nil. It stops at the end of the page.
func pageOfBitmap(f *query.Filter, bits bitmap, row []uint32) Result {
	total := bits.count()
	from, to := pageBounds(f, total)
	hits := make([]Hit, 0, to-from)
	seen := 0
	add := func(d uint32) bool {
		if seen >= from && seen < to {
			hits = append(hits, Hit(d))
		}
		seen++
		return seen < to
	}
	if row == nil {
		bits.each(add)
		return Result{hits, total}
	}
	for _, d := range row {
		if bits.has(d) && !add(d) {
			break
		}
	}
	return Result{hits, total}
}
