package index

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"galbuild/index/internal/fold"
	"galbuild/index/query"
)

// oracle searches by comparing every document with the filter, as the package comment
// specifies, and without the data structures of an index.
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
		if o.matchesCriteria(&o[i], f) {
			found = append(found, i)
		}
	}
	for _, t := range f.Text {
		if t = strings.TrimSpace(t); strings.Trim(t, `" `) != "" {
			matching := o.matchText(t)
			found = slices.DeleteFunc(found, func(i int) bool { return !slices.Contains(matching, i) })
		}
	}
	return found
}

func matchesAny(want []string, have ...string) bool {
	return len(want) == 0 || slices.ContainsFunc(want, func(w string) bool {
		return slices.ContainsFunc(have, func(h string) bool { return h != "" && strings.EqualFold(w, h) })
	})
}

func (o oracle) matchesCriteria(d *Document, f *query.Filter) bool {
	names := len(f.IDs)+len(f.Names) == 0 || len(f.IDs) > 0 && matchesAny(f.IDs, d.UUID, d.ID) || len(f.Names) > 0 && matchesAny(f.Names, d.ID)
	var wanted, have []string
	for _, c := range f.Categories {
		wanted = append(wanted, strings.Replace(strings.ToLower(c), "programming languages", "languages", 1))
	}
	for _, c := range d.Categories {
		have = append(have, strings.Replace(strings.ToLower(c), "programming languages", "languages", 1))
	}
	return names && matchesAny(wanted, have...) && matchesAny(f.Tags, d.Tags...) && matchesAny(f.DisplayNames, d.Title) &&
		matchesAny(f.Publishers, d.Publisher) && matchesAny(f.PublisherTitles, d.PublisherTitle) && matchesAny(f.ShortNames, d.Name) &&
		o.matchesPlatform(d, f.Targets) && o.matchesPlatform(d, f.Platforms) && (!f.Featured || d.Featured) &&
		d.Flags&f.Exclude == 0 && d.Flags&f.Include == f.Include
}

func (o oracle) matchesPlatform(d *Document, targets []string) bool {
	return len(targets) == 0 || slices.ContainsFunc(targets, func(t string) bool {
		if strings.HasPrefix(strings.ToLower(t), "microsoft.visualstudio.code") {
			return true
		}
		known := matchesAny([]string{t}, platforms...) || slices.ContainsFunc(o, func(d Document) bool { return matchesAny([]string{t}, d.Platforms...) })
		return known && matchesAny([]string{t, "universal"}, d.Platforms...)
	})
}

// matchText returns the numbers of the documents that match one text, with the relaxations
// of the package comment.
func (o oracle) matchText(s string) []int {
	t := parseText(s, maxQueryWords)
	if len(t.words) == 0 {
		return o.where(func(d *Document) bool {
			return t.publishers != nil && matchesAny(t.publishers, d.Publisher, d.PublisherTitle)
		})
	}
	relaxed := make([]bool, len(t.words))
	anyRare := false
	for i, w := range t.words {
		most := 0 // documents of the most frequent term
		for _, n := range o.frequencies(w) {
			most = max(most, n)
		}
		relaxed[i] = most < 5 && !w.quoted && !w.optional
		anyRare = anyRare || relaxed[i]
	}
	all := o.attempt(&t, make([]bool, len(t.words)), false, false)
	named := slices.ContainsFunc(all, func(i int) bool {
		spelled := slices.ContainsFunc([]string{o[i].Title, o[i].Name}, func(s string) bool { return slices.Equal(words(s), t.typed) })
		return spelled && t.compact != "" || strings.EqualFold(o[i].ID, t.id)
	})
	if len(all) < 5 && !(named && len(t.words) > 1) && anyRare {
		all = o.attempt(&t, relaxed, true, false)
	}
	for i, w := range t.words {
		relaxed[i] = !w.quoted && !w.optional
	}
	if len(all) == 0 {
		all = o.attempt(&t, relaxed, true, false)
	}
	if len(all) == 0 {
		all = o.attempt(&t, relaxed, true, true)
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

func (o oracle) where(matches func(*Document) bool) []int {
	var found []int
	for i := range o {
		if matches(&o[i]) {
			found = append(found, i)
		}
	}
	return found
}

func (o oracle) attempt(t *text, relaxed []bool, relaxedNames, fewerWords bool) []int {
	most := uint32(t.required)
	masks := make([]uint32, len(o))
	for i := range o {
		terms := allTerms(&o[i])
		for j, w := range t.words {
			if slices.ContainsFunc(terms, func(term string) bool { return wordMatches(w, term, relaxed[j]) }) {
				masks[i] |= 1 << j & most
			}
		}
	}
	count := bits.OnesCount32(most)
	if fewerWords {
		count = 0
		for _, m := range masks {
			if m&uint32(t.quoted) == uint32(t.quoted) {
				count = max(count, bits.OnesCount32(m))
			}
		}
	}
	var found []int
	for i := range o {
		named := t.compact != "" && slices.ContainsFunc(compactNamesOf(&o[i]), func(name string) bool {
			return strings.HasPrefix(name, t.compact) || relaxedNames && withinMaxEdits(t.compact, name) ||
				t.compactID != "" && strings.HasPrefix(name, t.compactID) ||
				relaxedNames && strings.Contains(t.compactID, ".") && withinMaxEdits(t.compactID, name) ||
				len(t.typed) == 2 && strings.HasPrefix(name, truncate(t.typed[1]+t.typed[0]))
		})
		publisher := len(t.publishers) == 0 || matchesAny(t.publishers, o[i].Publisher, o[i].PublisherTitle)
		phrases := !slices.ContainsFunc(t.phrases, func(p phrase) bool { return !o[i].containsPhrase(p.words) })
		quoted := masks[i]&uint32(t.quoted) == uint32(t.quoted)
		if quoted && (named || count > 0 && bits.OnesCount32(masks[i]) == count) && publisher && phrases {
			found = append(found, i)
		}
	}
	return found
}

func wordMatches(w word, term string, relaxed bool) bool {
	return term == w.text || w.prefix && strings.HasPrefix(term, w.text) || relaxed && withinMaxEdits(w.text, term)
}

// withinMaxEdits reports whether a may be a misspelling of b.
func withinMaxEdits(a, b string) bool {
	x, y := []rune(a), []rune(b)
	switch longer := max(len(x), len(y)); {
	case longer >= 9:
		return distance(x, y) <= 2
	case longer >= 5:
		return distance(x, y) <= 1
	}
	return a == b
}

// distance is the table of optimal string alignment as in textbooks.
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

// textTags returns the searchable texts of the tags. Hidden tags have none, except file
// types.
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

func compactNamesOf(d *Document) (all []string) {
	d.compactNames(func(name string) { all = append(all, name) })
	return all
}

// sorted sorts numbers of documents by comparing the documents.
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
		case query.TrendingDaily:
			return float64(d.Use.Daily)
		case query.TrendingWeekly:
			return float64(d.Use.Weekly)
		case query.TrendingMonthly:
			return float64(d.Use.Monthly)
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
	installs := func(i int) int64 {
		switch by {
		case query.TrendingDaily, query.TrendingWeekly, query.TrendingMonthly:
			return o[i].Installs
		}
		return 0
	}
	sign := -1
	if direction == query.Ascending || direction == query.DefaultOrder && (by == query.Title || by == query.Publisher) {
		sign = 1
	}
	slices.SortStableFunc(numbers, func(i, j int) int {
		if by == query.Relevance {
			return cmp.Compare(i, j)
		}
		return cmp.Or(sign*cmp.Compare(value(i), value(j)), sign*cmp.Compare(installs(i), installs(j)), sign*cmp.Compare(name(i), name(j)), cmp.Compare(fold.String(o[i].ID), fold.String(o[j].ID)))
	})
	return numbers
}

// containsPhrase reports whether the words follow each other in one field. In scripts
// without spaces, a word need only be part of a word of the field.
func (d *Document) containsPhrase(phrase []string) bool {
	fields := slices.Concat([]string{d.Title, d.Name, d.Publisher, d.PublisherTitle, d.Description}, textTags(d), d.Contributed)
	for _, c := range d.Categories {
		fields = append(fields, category(c))
	}
	return slices.ContainsFunc(fields, func(field string) bool {
		have := words(field)
		for i := 0; i+len(phrase) <= len(have); i++ {
			if slices.EqualFunc(have[i:i+len(phrase)], phrase, func(have, want string) bool {
				return have == want || isUnspaced(want) && strings.Contains(have, want)
			}) {
				return true
			}
		}
		return false
	})
}
