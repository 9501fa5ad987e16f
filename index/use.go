package index

import (
	"fmt"
	"math"

	"galbuild/index/segment"
)

// useWords is the number of 64-bit numbers of a document in section use.nums: downloads, and the
// installs of a day, a week and a month.
const useWords = 4

// writeUse writes the sections with the use of documents, if a document has any.
func writeUse(w *segment.Writer, all []ranked) {
	var numbers []uint64
	used := false
	for i := range all {
		u := all[i].Use
		used = used || u != Use{}
		numbers = append(numbers, uint64(u.Downloads), uint64(u.Daily), uint64(u.Weekly), uint64(u.Monthly))
	}
	if used {
		w.Add("use.nums", segment.Bytes64(numbers))
		w.Add("use.ord", orderRows(all, trends)...)
	}
}

// hasUse reports whether an index has the sections with the use of documents.
func hasUse(s *segment.Segment) bool {
	for _, section := range s.Sections() {
		if section.Name == "use.nums" || section.Name == "use.ord" { // one without the other is an error
			return true
		}
	}
	return false
}

func (ix *Index) openUse(s *segment.Segment) error {
	if !hasUse(s) {
		return nil
	}
	raw, err := s.Section("use.nums")
	if err != nil {
		return err
	}
	if ix.use = segment.Uint64s(raw); len(ix.use) != useWords*ix.Len() {
		return fmt.Errorf("%w: section %q has %d numbers for %d documents", segment.ErrCorrupt, "use.nums", len(ix.use), ix.Len())
	}
	return nil
}

// Use returns the use of the document. It does not allocate.
func (ix *Index) Use(h Hit) Use {
	if ix.use == nil {
		return Use{}
	}
	n := ix.use[useWords*int(h):][:useWords]
	return Use{int64(n[0]), int64(n[1]), int64(n[2]), int64(n[3])}
}

// WeightedRating returns the weighted rating of the document. It does not allocate.
func (ix *Index) WeightedRating(h Hit) float64 {
	_, rating, ratings := ix.Statistics(h)
	return weightedRating(rating, ratings, ix.meanRating)
}

// setMeanRating computes the mean of the averages of all rated documents, as setWeightedRatings
// does.
func (ix *Index) setMeanRating() {
	sum, rated := 0.0, 0.0
	for i := range ix.Len() {
		if n := ix.record(i); int64(n[2]) > 0 {
			sum, rated = sum+math.Float64frombits(n[1]), rated+1
		}
	}
	ix.meanRating = sum / max(1, rated)
}
