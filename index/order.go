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
		n := float64(max(0, d.Ratings))
		d.weightedRating = (float64(n*d.Rating) + float64(priorRatings*mean)) / (n + priorRatings)
	}
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
	var rows [][]byte
	for _, by := range sorts {
		up, down := order(all, by)
		rows = append(rows, segment.Bytes32(up), segment.Bytes32(down))
	}
	w.Add("order", rows...)
}

// orders are rows of document numbers, two for each of sorts.
type orders struct {
	numbers   []uint32
	documents int
}

func openOrders(s *segment.Segment, documents int) (orders, error) {
	raw, err := s.Section("order")
	if err != nil {
		return orders{}, err
	}
	o := orders{segment.Uint32s(raw), documents}
	if len(o.numbers) != 2*len(sorts)*documents {
		return orders{}, fmt.Errorf("%w: section %q has %d numbers for %d documents", segment.ErrCorrupt, "order", len(o.numbers), documents)
	}
	for _, n := range o.numbers {
		if uint64(n) >= uint64(documents) {
			return orders{}, fmt.Errorf("%w: section %q refers to document %d of %d", segment.ErrCorrupt, "order", n, documents)
		}
	}
	return o, nil
}

// row returns all documents in the requested order, or nil if that is the order of their
// numbers.
func (o *orders) row(by query.Sort, direction query.Order) []uint32 {
	i := slices.Index(sorts, by)
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
	return o.numbers[i*o.documents : (i+1)*o.documents]
}
