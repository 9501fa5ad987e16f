package index

import (
	"cmp"
	"fmt"
	"slices"

	"galbuild/index/query"
	"galbuild/index/segment"
)

// sorts are the orders kept in the file, each ascending and then descending.
// Ties are broken by the folded id, ascending either way.
var sorts = []query.Sort{
	query.Updated, query.Title, query.Publisher, query.InstallCount,
	query.AverageRating, query.Released, query.WeightedRating,
}

// priorRatings is how many ratings of average worth every document is given
// before its own: with r ratings of average a, and c the mean average of the
// rated documents, WeightedRating is (r·a + 20·c) / (r + 20). One five-star
// rating then does not outrank a thousand of 4.8.
const priorRatings = 20

// ranked is a document with what the orders compare.
type ranked struct {
	*Document
	given                int // its place among the documents given
	id, title, publisher string
	weighted             float64
}

// rank returns docs in the order in which the file numbers them: popularity,
// then folded id.
func rank(docs []Document) ([]ranked, error) {
	all := make([]ranked, len(docs))
	for i := range docs {
		d := &docs[i]
		all[i] = ranked{Document: d, given: i, id: fold(d.ID), title: fold(d.Title), publisher: fold(d.Publisher)}
	}
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.Installs, a.Installs), cmp.Compare(a.id, b.id))
	})
	ids := make(map[string]bool, len(all))
	for i := range all {
		if ids[all[i].id] {
			return nil, fmt.Errorf("two documents have the id %q", all[i].ID)
		}
		ids[all[i].id] = true
	}
	weighRatings(all)
	return all, nil
}

// weighRatings fills in the weighted ratings. The conversions keep compilers from
// fusing operations, which would make the bytes depend on the machine.
func weighRatings(all []ranked) {
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
		d.weighted = (float64(n*d.Rating) + float64(priorRatings*mean)) / (n + priorRatings)
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
		return cmp.Compare(d.weighted, other.weighted)
	default:
		return cmp.Compare(d.Installs, other.Installs)
	}
}

// order returns the documents' numbers sorted; sign is 1 for ascending, -1 for
// descending.
func order(all []ranked, by query.Sort, sign int) []uint32 {
	numbers := make([]uint32, len(all))
	for i := range numbers {
		numbers[i] = uint32(i)
	}
	slices.SortFunc(numbers, func(i, j uint32) int {
		a, b := &all[i], &all[j]
		return cmp.Or(sign*a.compare(b, by), cmp.Compare(a.id, b.id))
	})
	return numbers
}

func writeOrders(w *segment.Writer, all []ranked) {
	var rows [][]byte
	for _, by := range sorts {
		rows = append(rows, segment.Bytes32(order(all, by, 1)), segment.Bytes32(order(all, by, -1)))
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
			return orders{}, fmt.Errorf("%w: section %q names document %d of %d", segment.ErrCorrupt, "order", n, documents)
		}
	}
	return o, nil
}

// row returns all documents in the order asked for, nil if that is the order of
// their numbers.
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
