package index

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"galbuild/index/internal/fold"
	"galbuild/index/query"
)

// oracle answers a filter by looking at every document, as the package comment
// says and without any of the engine's structures.
type oracle []Document // by installs, descending, then by folded id

func newOracle(docs []Document) oracle {
	o := slices.Clone(docs)
	slices.SortFunc(o, func(a, b Document) int {
		return cmp.Or(cmp.Compare(b.Installs, a.Installs), cmp.Compare(fold.String(a.ID), fold.String(b.ID)))
	})
	return o
}

// matches returns the numbers of the documents that match, ascending.
func (o oracle) matches(f *query.Filter) []int {
	var found []int
	for i := range o {
		if o.exact(&o[i], f) {
			found = append(found, i)
		}
	}
	for _, t := range f.Text {
		if t = strings.TrimSpace(t); strings.Trim(t, `" `) != "" {
			matching := o.text(t)
			found = slices.DeleteFunc(found, func(i int) bool { return !slices.Contains(matching, i) })
		}
	}
	return found
}

func has(want []string, have ...string) bool {
	return len(want) == 0 || slices.ContainsFunc(want, func(w string) bool {
		return slices.ContainsFunc(have, func(h string) bool { return h != "" && strings.EqualFold(w, h) })
	})
}

func (o oracle) exact(d *Document, f *query.Filter) bool {
	names := len(f.IDs)+len(f.Names) == 0 || len(f.IDs) > 0 && has(f.IDs, d.UUID, d.ID) || len(f.Names) > 0 && has(f.Names, d.ID)
	var wanted, have []string
	for _, c := range f.Categories {
		wanted = append(wanted, strings.Replace(strings.ToLower(c), "programming languages", "languages", 1))
	}
	for _, c := range d.Categories {
		have = append(have, strings.Replace(strings.ToLower(c), "programming languages", "languages", 1))
	}
	return names && has(wanted, have...) && has(f.Tags, d.Tags...) && has(f.DisplayNames, d.Title) &&
		has(f.Publishers, d.Publisher) && has(f.PublisherTitles, d.PublisherTitle) && has(f.ShortNames, d.Name) &&
		o.runs(d, f.Targets) && o.runs(d, f.Platforms) && (!f.Featured || d.Featured) &&
		d.Flags&f.Exclude == 0 && d.Flags&f.Include == f.Include
}

func (o oracle) runs(d *Document, targets []string) bool {
	return len(targets) == 0 || slices.ContainsFunc(targets, func(t string) bool {
		if strings.HasPrefix(strings.ToLower(t), "microsoft.visualstudio.code") {
			return true
		}
		known := has([]string{t}, platforms...) || slices.ContainsFunc(o, func(d Document) bool { return has([]string{t}, d.Platforms...) })
		return known && has([]string{t, "universal"}, d.Platforms...)
	})
}

// text returns the numbers of the documents that match one text: the documents
// that match every word; with the misspelt ones where that is hardly any; with
// every word perhaps misspelt where it is none; and at last those with the most
// words.
func (o oracle) text(s string) []int {
	t := parseText(s, maxQueryWords)
	if len(t.words) == 0 {
		return o.where(func(d *Document) bool { return t.publishers != nil && has(t.publishers, d.Publisher, d.PublisherTitle) })
	}
	doubtful := make([]bool, len(t.words))
	anyDoubt := false
	for i, w := range t.words {
		most := 0 // documents of the most frequent term
		for _, n := range o.frequencies(w) {
			most = max(most, n)
		}
		doubtful[i] = most < 5 && !w.quoted && !w.optional
		anyDoubt = anyDoubt || doubtful[i]
	}
	all := o.attempt(&t, make([]bool, len(t.words)), false, false)
	named := slices.ContainsFunc(all, func(i int) bool {
		spelled := slices.ContainsFunc([]string{o[i].Title, o[i].Name}, func(s string) bool { return slices.Equal(words(s), t.spelled) })
		return spelled && t.whole != "" || strings.EqualFold(o[i].ID, t.id)
	})
	if len(all) < 5 && !(named && len(t.words) > 1) && anyDoubt {
		all = o.attempt(&t, doubtful, true, false)
	}
	for i, w := range t.words {
		doubtful[i] = !w.quoted && !w.optional
	}
	if len(all) == 0 {
		all = o.attempt(&t, doubtful, true, false)
	}
	if len(all) == 0 {
		all = o.attempt(&t, doubtful, true, true)
	}
	return all
}

func (o oracle) frequencies(w word) map[string]int {
	n := make(map[string]int)
	for i := range o {
		for _, term := range allTerms(&o[i]) {
			if term == w.text || w.prefix && strings.HasPrefix(term, w.text) {
				n[term]++
			}
		}
	}
	return n
}

func (o oracle) where(holds func(*Document) bool) []int {
	var found []int
	for i := range o {
		if holds(&o[i]) {
			found = append(found, i)
		}
	}
	return found
}

func (o oracle) attempt(t *text, misspelt []bool, misspeltName, loose bool) []int {
	most := uint32(t.required)
	masks := make([]uint32, len(o))
	for i := range o {
		terms := allTerms(&o[i])
		for j, w := range t.words {
			if slices.ContainsFunc(terms, func(term string) bool { return means(w, term, misspelt[j]) }) {
				masks[i] |= 1 << j & most
			}
		}
	}
	count := bits.OnesCount32(most)
	if loose {
		count = 0
		for _, m := range masks {
			if m&uint32(t.quoted) == uint32(t.quoted) {
				count = max(count, bits.OnesCount32(m))
			}
		}
	}
	var found []int
	for i := range o {
		named := t.whole != "" && slices.ContainsFunc(wholes(&o[i]), func(name string) bool {
			return strings.HasPrefix(name, t.whole) || misspeltName && forgivable(t.whole, name) ||
				len(t.spelled) == 2 && strings.HasPrefix(name, clip(t.spelled[1]+t.spelled[0]))
		})
		publisher := len(t.publishers) == 0 || has(t.publishers, o[i].Publisher, o[i].PublisherTitle)
		phrases := !slices.ContainsFunc(t.phrases, func(p quotation) bool { return !o[i].says(p.words) })
		quoted := masks[i]&uint32(t.quoted) == uint32(t.quoted)
		if quoted && (named || count > 0 && bits.OnesCount32(masks[i]) == count) && publisher && phrases {
			found = append(found, i)
		}
	}
	return found
}

func means(w word, term string, misspelt bool) bool {
	return term == w.text || w.prefix && strings.HasPrefix(term, w.text) || misspelt && forgivable(w.text, term)
}

// forgivable reports whether a may be meant for b.
func forgivable(a, b string) bool {
	x, y := []rune(a), []rune(b)
	switch longer := max(len(x), len(y)); {
	case longer >= 9:
		return distance(x, y) <= 2
	case longer >= 5:
		return distance(x, y) <= 1
	}
	return a == b
}

// distance is the textbook's table of optimal string alignment.
func distance(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			if i == 0 || j == 0 {
				d[i][j] = i + j
				continue
			}
			replace := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			d[i][j] = min(replace, d[i-1][j]+1, d[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func allTerms(d *Document) []string {
	var all []string
	add := func(term string, _ bool) {
		if !slices.Contains(all, term) {
			all = append(all, term)
		}
	}
	for _, field := range append([]string{d.Title, d.Name, d.Publisher, d.PublisherTitle}, textTags(d)...) {
		fieldTerms(field, true, add)
	}
	for _, field := range d.Contributed {
		fieldTerms(field, false, add)
	}
	for _, c := range d.Categories {
		fieldTerms(category(c), false, add)
	}
	fieldTerms(d.Description, false, add)
	return all
}

// textTags returns the tags that are text: of the hidden ones only types of files.
func textTags(d *Document) []string {
	var all []string
	for _, tag := range d.Tags {
		if kind, ok := strings.CutPrefix(tag, "__ext_"); ok {
			all = append(all, kind)
		} else if !strings.HasPrefix(tag, "_") {
			all = append(all, tag)
		}
	}
	return all
}

func wholes(d *Document) (all []string) {
	d.wholeNames(func(name string) { all = append(all, name) })
	return all
}

// sorted puts numbers of documents in the order asked for, by comparing the
// documents.
func (o oracle) sorted(numbers []int, by query.Sort, direction query.Order) []int {
	mean, rated := 0.0, 0.0
	for i := range o {
		if o[i].Ratings > 0 {
			mean, rated = mean+o[i].Rating, rated+1
		}
	}
	mean /= max(1, rated)
	value := func(i int) float64 {
		switch d := &o[i]; by {
		case query.Updated:
			return float64(d.Updated)
		case query.InstallCount:
			return float64(d.Installs)
		case query.AverageRating:
			return d.Rating
		case query.Released:
			return float64(d.Released)
		case query.WeightedRating:
			return (d.Rating*float64(d.Ratings) + 20*mean) / (float64(d.Ratings) + 20)
		}
		return 0
	}
	name := func(i int) string {
		switch by {
		case query.Title:
			return fold.String(o[i].Title)
		case query.Publisher:
			return fold.String(o[i].Publisher)
		}
		return ""
	}
	sign := -1
	if direction == query.Ascending || direction == query.DefaultOrder && (by == query.Title || by == query.Publisher) {
		sign = 1
	}
	slices.SortStableFunc(numbers, func(i, j int) int {
		if by == query.Relevance {
			return cmp.Compare(i, j)
		}
		return cmp.Or(sign*cmp.Compare(value(i), value(j)), sign*cmp.Compare(name(i), name(j)), cmp.Compare(fold.String(o[i].ID), fold.String(o[j].ID)))
	})
	return numbers
}

// says reports whether one field has the words side by side; of a run without spaces
// a word need only be a part.
func (d *Document) says(phrase []string) bool {
	fields := slices.Concat([]string{d.Title, d.Name, d.Publisher, d.PublisherTitle, d.Description}, textTags(d), d.Contributed)
	for _, c := range d.Categories {
		fields = append(fields, category(c))
	}
	return slices.ContainsFunc(fields, func(field string) bool {
		have := words(field)
		for i := 0; i+len(phrase) <= len(have); i++ {
			if slices.EqualFunc(have[i:i+len(phrase)], phrase, func(have, want string) bool {
				return have == want || unspaced(want) && strings.Contains(have, want)
			}) {
				return true
			}
		}
		return false
	})
}
