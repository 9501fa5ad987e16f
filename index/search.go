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
	clauses clauses
	list    []uint32
	sets    [2]bitmap
	scores  scores
}

// Search returns a page of the documents that match f, and how many match. It
// never fails: a question that makes no sense has no answers, and where work has
// ended, work.Err says so. In the long run it
// allocates the hits only, if there is no text or one asked lately.
func (ix *Index) Search(work *Work, f *query.Filter) Result {
	if work.Err() != nil {
		return Result{}
	}
	s := ix.scratch.Get().(*scratch)
	r := ix.search(f, s)
	ix.scratch.Put(s) // unless the search panicked: what it left half done is not used again
	return r
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
		if r, ok := ix.memo.get(f.Text[0], f); ok {
			return r
		}
	}
	matches := ix.match(parseTexts(f.Text), found, s)
	if f.Sort != query.Relevance {
		bits := s.emptySet(ix.Len())
		for _, m := range matches {
			bits.set(m.document())
		}
		return ix.page(f, &set{bits: bits}, s)
	}
	_, to := window(f, len(matches))
	if alone {
		best(matches, min(max(to, memoHits), len(matches)))
		ix.memo.put(f.Text[0], matches)
	} else {
		best(matches, to)
	}
	return pageOf(f, matches)
}

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
	size = min(size, query.MaxPageSize)
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
