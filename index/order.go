package index

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"galbuild/index/internal/fold"
	"galbuild/index/query"
	"galbuild/index/segment"
)

// sorts are the orders stored in the file, each ascending and then descending. Ties are in
// ascending order of the folded id in both directions.
var sorts = []query.Sort{
	query.Updated, query.Title, query.Publisher, query.InstallCount,
	query.AverageRating, query.Released, query.WeightedRating,
}

// trends are the orders by recent installs, stored as sorts are if a document has any. Documents
// with the same number are in the order of all installs.
var trends = []query.Sort{query.TrendingDaily, query.TrendingWeekly, query.TrendingMonthly}

// priorRatings is the number of ratings with the mean average that are added to the ratings
// of each document: with r ratings of average a, and the mean c of the averages of all
// rated documents, WeightedRating is (r·a + 20·c) / (r + 20). Then one rating of 5 does not
// outrank a thousand of 4.8.
const priorRatings = 20

// ranked is a document with the values by which it is sorted.
type ranked struct {
	*Document
	inputIndex           int    // position in Content.Documents
	id, title, publisher string // folded
	idRank               int    // position of the id among all ids, sorted
	weightedRating       float64
}

// rank returns docs in the order of their numbers in the file: by installs, descending,
// then by folded id.
func rank(docs []Document) ([]ranked, error) {
	all := make([]ranked, len(docs))
	for i := range docs {
		d := &docs[i]
		all[i] = ranked{Document: d, inputIndex: i, id: fold.String(d.ID), title: fold.String(d.Title), publisher: fold.String(d.Publisher)}
	}
	slices.SortFunc(all, func(a, b ranked) int { return strings.Compare(a.id, b.id) })
	for i := range all {
		if i > 0 && all[i].id == all[i-1].id {
			return nil, fmt.Errorf("two documents have the id %q", all[i].ID)
		}
		all[i].idRank = i
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(b.Installs, a.Installs) })
	setWeightedRatings(all)
	return all, nil
}

// setWeightedRatings computes the weighted ratings. The conversions to float64 prevent
// compilers from fusing operations, which would make the bytes of the file depend on the
// machine.
func setWeightedRatings(all []ranked) {
	sum, rated := 0.0, 0.0
	for i := range all {
		if all[i].Ratings > 0 {
			sum, rated = sum+all[i].Rating, rated+1
		}
	}
	mean := sum / max(1, rated)
	for i := range all {
		d := &all[i]
		d.weightedRating = weightedRating(d.Rating, d.Ratings, mean)
	}
}

// weightedRating returns the weighted rating of a document, given the mean of all averages.
func weightedRating(rating float64, ratings int64, mean float64) float64 {
	n := float64(max(0, ratings))
	return (float64(n*rating) + float64(priorRatings*mean)) / (n + priorRatings)
}

func (d *ranked) compare(other *ranked, by query.Sort) int {
	switch by {
	case query.Updated:
		return cmp.Compare(d.Updated, other.Updated)
	case query.Title:
		return cmp.Compare(d.title, other.title)
	case query.Publisher:
		return cmp.Compare(d.publisher, other.publisher)
	case query.AverageRating:
		return cmp.Compare(d.Rating, other.Rating)
	case query.Released:
		return cmp.Compare(d.Released, other.Released)
	case query.WeightedRating:
		return cmp.Compare(d.weightedRating, other.weightedRating)
	case query.TrendingDaily:
		return cmp.Or(cmp.Compare(d.Use.Daily, other.Use.Daily), cmp.Compare(d.Installs, other.Installs))
	case query.TrendingWeekly:
		return cmp.Or(cmp.Compare(d.Use.Weekly, other.Use.Weekly), cmp.Compare(d.Installs, other.Installs))
	case query.TrendingMonthly:
		return cmp.Or(cmp.Compare(d.Use.Monthly, other.Use.Monthly), cmp.Compare(d.Installs, other.Installs))
	default:
		return cmp.Compare(d.Installs, other.Installs)
	}
}

// order returns the numbers of the documents sorted ascending and descending.
func order(all []ranked, by query.Sort) (up, down []uint32) {
	up = make([]uint32, len(all))
	for i := range up {
		up[i] = uint32(i)
	}
	slices.SortFunc(up, func(i, j uint32) int {
		return cmp.Or(all[i].compare(&all[j], by), cmp.Compare(all[i].idRank, all[j].idRank))
	})
	down = make([]uint32, 0, len(all))
	for end := len(up); end > 0; { // ties stay in ascending order
		from := end - 1
		for from > 0 && all[up[from-1]].compare(&all[up[from]], by) == 0 {
			from--
		}
		down = append(down, up[from:end]...)
		end = from
	}
	return up, down
}

func writeOrders(w *segment.Writer, all []ranked) {
	w.Add("order", orderRows(all, sorts)...)
}

// orderRows returns two rows for each order.
func orderRows(all []ranked, by []query.Sort) (rows [][]byte) {
	for _, by := range by {
		up, down := order(all, by)
		rows = append(rows, segment.Bytes32(up), segment.Bytes32(down))
	}
	return rows
}

// orders are rows of document numbers, two for each of sorts.
type orders struct {
	numbers   []uint32
	trends    []uint32 // the same for trends; nil if no document has recent installs
	documents int
}

func openOrders(s *segment.Segment, documents int) (o orders, err error) {
	o.documents = documents
	if o.numbers, err = openOrder(s, "order", len(sorts), documents); err == nil && hasUse(s) {
		o.trends, err = openOrder(s, "use.ord", len(trends), documents)
	}
	return o, err
}

// openOrder returns the numbers of a section with two rows for each of some orders.
func openOrder(s *segment.Segment, section string, sorts, documents int) ([]uint32, error) {
	raw, err := s.Section(section)
	if err != nil {
		return nil, err
	}
	numbers := segment.Uint32s(raw)
	if len(numbers) != 2*sorts*documents {
		return nil, fmt.Errorf("%w: section %q has %d numbers for %d documents", segment.ErrCorrupt, section, len(numbers), documents)
	}
	for _, n := range numbers {
		if uint64(n) >= uint64(documents) {
			return nil, fmt.Errorf("%w: section %q refers to document %d of %d", segment.ErrCorrupt, section, n, documents)
		}
	}
	return numbers, nil
}

// row returns all documents in the requested order, or nil if that is the order of their
// numbers.
func (o *orders) row(by query.Sort, direction query.Order) []uint32 {
	i, numbers := slices.Index(sorts, by), o.numbers
	if trend := slices.Index(trends, by); trend >= 0 {
		if i, numbers = trend, o.trends; o.trends == nil {
			i, numbers = slices.Index(sorts, query.InstallCount), o.numbers
			by = query.InstallCount
		}
	}
	if i < 0 {
		return nil // Relevance
	}
	ascending := direction == query.Ascending ||
		direction != query.Descending && (by == query.Title || by == query.Publisher)
	if by == query.InstallCount && !ascending {
		return nil
	}
	i *= 2
	if !ascending {
		i++
	}
	return numbers[i*o.documents : (i+1)*o.documents]
}
