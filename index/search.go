package index

import (
	"slices"

	"galbuild/index/query"
)

// Result is one page of hits.
type Result struct {
	Hits  []Hit // at most Filter.Size
	Total int   // of all matches
}

// scratch is what one search needs and the next can use again.
type scratch struct {
	work    *Work
	free    Work // of a search that has no bound
	clauses clauses
	list    []uint32
	sets    [2]bitmap
	scores  scores
}

// Search returns a page of the documents that match f, and how many match. It
// never fails: a query that makes no sense has no results. Where work has ended,
// work.Err says so; where it is used up, the result is less than it could be, see
// "Work" in the package comment. In the long run it
// allocates the hits only, if there is no text or one asked lately.
func (ix *Index) Search(work *Work, f *query.Filter) Result {
	if work.Err() != nil {
		return Result{}
	}
	s := ix.scratch.Get().(*scratch)
	if work == nil {
		s.free = unbounded()
		work = &s.free
	} else {
		work.begin(f, ix.Len())
	}
	s.work, s.scores.work = work, work
	result := ix.search(f, s)
	s.work, s.scores.work = nil, nil
	ix.scratch.Put(s) // not after a panic: the sums would be incomplete
	return result
}

func (ix *Index) search(f *query.Filter, s *scratch) Result {
	found := ix.restrict(f, s)
	if slices.ContainsFunc(f.Text, asks) {
		return ix.searchText(f, &found, s)
	}
	return ix.page(f, &found, s)
}

// searchText remembers texts by themselves, as editors send them.
func (ix *Index) searchText(f *query.Filter, found *set, s *scratch) Result {
	alone := found.all && f.Sort == query.Relevance && len(f.Text) == 1 && len(f.Text[0]) <= memoText
	if alone {
		if r, ok := ix.memo.get(f.Text[0], f, s.work); ok {
			return r
		}
	}
	before := s.work.steps
	var matches []match
	if s.work.take(textCost(f.Text)) {
		matches = ix.match(parseTexts(f.Text), found, s)
	}
	if f.Sort != query.Relevance {
		bits := s.emptySet(ix.Len())
		for _, m := range matches {
			bits.set(m.document())
		}
		return ix.page(f, &set{bits: bits}, s)
	}
	return ix.pageOfMatches(f, matches, s, func() {
		if alone && !s.work.short {
			ix.memo.put(f.Text[0], matches, s.work.steps-before)
		}
	})
}

// pageOfMatches puts the matches in order as far as needed and returns the page. It
// calls remember when the first memoHits are in order, or all.
func (ix *Index) pageOfMatches(f *query.Filter, matches []match, s *scratch, remember func()) Result {
	s.work.take(bestCost * len(matches)) // even if no steps are left
	best(matches, min(memoHits, len(matches)))
	remember()
	from, to := window(f, len(matches))
	if from < to && to > memoHits && s.work.take(sortCost*len(matches)) {
		best(matches, to)
	}
	return pageOf(f, matches)
}

// Costs of finding the best match, and of sorting all matches, in steps for each match.
const (
	bestCost = 2
	sortCost = 16
)

// emptySet returns the first of the sets, emptied.
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

// window returns which of total results the page holds.
func window(f *query.Filter, total int) (from, to int) {
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

// page sorts by anything but relevance to a text.
func (ix *Index) page(f *query.Filter, found *set, s *scratch) Result {
	row := ix.orders.row(f.Sort, f.Order)
	switch {
	case found.all && row == nil:
		from, to := window(f, ix.Len())
		hits := make([]Hit, 0, to-from)
		for i := from; i < to; i++ {
			hits = append(hits, Hit(i))
		}
		return Result{hits, ix.Len()}
	case found.all:
		return pageOf(f, row)
	case found.bits == nil && row == nil:
		return pageOf(f, found.list)
	}
	if found.bits == nil {
		found.bits = s.emptySet(ix.Len())
		found.bits.add(found.list)
	}
	if row != nil && !s.work.take(len(row)) {
		row = nil
	}
	return walk(f, found.bits, row)
}

// numbered is what has a document's number in its low 32 bits.
type numbered interface{ ~uint32 | ~uint64 }

// pageOf cuts the page out of all results, already in order.
func pageOf[T numbered](f *query.Filter, all []T) Result {
	from, to := window(f, len(all))
	hits := make([]Hit, 0, to-from)
	for _, n := range all[from:to] {
		hits = append(hits, Hit(uint32(n)))
	}
	return Result{hits, len(all)}
}

// walk takes the members of bits in the order of row, or their own, up to the
// end of the page.
func walk(f *query.Filter, bits bitmap, row []uint32) Result {
	total := bits.count()
	from, to := window(f, total)
	hits := make([]Hit, 0, to-from)
	seen := 0
	take := func(d uint32) bool {
		if seen >= from && seen < to {
			hits = append(hits, Hit(d))
		}
		seen++
		return seen < to
	}
	if row == nil {
		bits.each(take)
		return Result{hits, total}
	}
	for _, d := range row {
		if bits.has(d) && !take(d) {
			break
		}
	}
	return Result{hits, total}
}
