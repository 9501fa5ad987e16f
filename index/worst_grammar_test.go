package index

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
)

// A request is the body of a query that a client may send, in a form that can be changed
// step by step.
type request struct {
	Filters []requestFilter `json:"filters"`
	Flags   int             `json:"flags,omitempty"`
}

type requestFilter struct {
	Criteria []requestCriterion `json:"criteria,omitempty"`
	Page     int                `json:"pageNumber,omitempty"`
	Size     int                `json:"pageSize,omitempty"`
	Sort     int                `json:"sortBy,omitempty"`
	Order    int                `json:"sortOrder,omitempty"`
}

type requestCriterion struct {
	Type  int    `json:"filterType"`
	Value string `json:"value"`
}

// body returns the JSON, as short as possible.
func (q *request) body() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(q); err != nil {
		panic(err) // a request can always be encoded
	}
	return bytes.TrimSpace(b.Bytes())
}

func (q *request) clone() *request {
	c := &request{slices.Clone(q.Filters), q.Flags}
	for i := range c.Filters {
		c.Filters[i].Criteria = slices.Clone(c.Filters[i].Criteria)
	}
	return c
}

// A grammar makes requests from the content of a gallery, and from unusual values.
type grammar struct {
	*rand.Rand
	words, publishers, ids, tags, categories []string
}

func newGrammar(r *rand.Rand, docs []Document, ix *Index) *grammar {
	g := &grammar{Rand: r, categories: someCategories, tags: vocabulary}
	for range 4000 {
		g.words = append(g.words, string(ix.terms.at(r.IntN(ix.terms.len()))))
	}
	for i := range ix.terms.len() { // the frequent ones as often as all others
		if len(ix.terms.list(i)) > len(docs)/20 {
			g.words = append(g.words, slices.Repeat([]string{string(ix.terms.at(i))}, 40)...)
		}
	}
	for i := range docs {
		g.publishers = append(g.publishers, docs[i].Publisher)
		g.ids = append(g.ids, docs[i].ID, docs[i].UUID)
	}
	return g
}

// strange are words that are expensive to read, or have little meaning.
var strange = []string{
	"\ufdfa", "\ufdfa\ufdfa\ufdfa", "a\u0301\u0301\u0301", "z\u0300\u0316\u0300", "\u1100\u1161\u11a8", "漢", "漢字仮名交", "ไทย", "שלום", "\u202eabc",
	"ß", "İ", "ﬃ", "①②③", "c++", "#", "!!!", "aaaaaaaaaaaa", "eaeaeaeaea", "e", "a", "s", "", ".",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
}

func (g *grammar) word() string {
	w := pick(g.Rand, g.words)
	switch g.IntN(8) {
	case 0:
		return pick(g.Rand, strange)
	case 1:
		return firstRunes(w, 1+g.IntN(3))
	case 2, 3:
		return g.misspell(w)
	case 4:
		letters := make([]byte, 4+g.IntN(9))
		for i := range letters {
			letters[i] = "etaoinsrlhdcu"[g.IntN(13)]
		}
		return string(letters)
	}
	return w
}

func (g *grammar) misspell(word string) string {
	letters := []rune(word)
	for range 1 + g.IntN(2) {
		if len(letters) > 0 {
			letters[g.IntN(len(letters))] = rune("qxzjkweaio"[g.IntN(10)])
		}
	}
	return string(letters)
}

// token is a part of a text.
func (g *grammar) token() string {
	switch g.IntN(10) {
	case 4:
		return "@" + g.word()
	case 5:
		return pick(g.Rand, []string{"@tag:", "@ext:", "category:", "@id:", "@sort:", "@unknown:"}) + g.word()
	case 0:
		return `"` + g.word() + `"`
	case 1:
		return `"` + g.word() + " " + g.word() + `"`
	case 2:
		return "publisher:" + pick(g.Rand, g.publishers)
	case 3:
		return `publisher:"` + pick(g.Rand, g.publishers) + `"`
	}
	return g.word()
}

func (g *grammar) text() string {
	all := make([]string, 1+g.IntN(5))
	for i := range all {
		all[i] = g.token()
	}
	return strings.Join(all, " ")
}

func (g *grammar) criterion() requestCriterion {
	kind := []int{10, 10, 10, 10, 1, 2, 4, 5, 7, 8, 9, 12, 13, 18, 19, 23, 24}[g.IntN(17)]
	c := requestCriterion{Type: kind}
	switch kind {
	case 10:
		c.Value = g.text()
	case 1:
		c.Value = pick(g.Rand, g.tags)
	case 4, 7:
		c.Value = pick(g.Rand, g.ids)
	case 5:
		c.Value = pick(g.Rand, g.categories)
	case 8, 23:
		c.Value = pick(g.Rand, append(somePlatforms, platforms...))
	case 12, 13:
		c.Value = pick(g.Rand, []string{"4096", "4", "256", "2048", "4294967295"})
	default:
		c.Value = pick(g.Rand, g.publishers)
	}
	return c
}

func (g *grammar) filter() requestFilter {
	f := requestFilter{}
	for range g.IntN(4) {
		f.Criteria = append(f.Criteria, g.criterion())
	}
	g.reorder(&f)
	return f
}

// reorder changes the order and the page.
func (g *grammar) reorder(f *requestFilter) {
	f.Page = []int{0, 0, 2, 9999, 200}[g.IntN(5)]
	f.Size = []int{0, 1, 1000, 10000}[g.IntN(4)]
	f.Sort = []int{0, 0, 0, 1, 2, 3, 4, 6, 10, 12}[g.IntN(10)]
	f.Order = g.IntN(3)
}

// change changes q a little.
func (g *grammar) change(q *request) {
	if len(q.Filters) == 0 {
		q.Filters = append(q.Filters, g.filter())
	}
	f := &q.Filters[g.IntN(len(q.Filters))]
	switch g.IntN(9) {
	case 0:
		q.Filters = append(q.Filters, g.filter())
	case 1: // many of one kind
		for range g.IntN(64) {
			other := requestFilter{Page: f.Page, Size: f.Size, Sort: f.Sort, Order: f.Order}
			for _, c := range f.Criteria {
				other.Criteria = append(other.Criteria, g.vary(c))
			}
			q.Filters = append(q.Filters, other)
		}
		q.Filters = q.Filters[:min(len(q.Filters), 70)]
	case 2:
		i := g.IntN(len(q.Filters))
		q.Filters = slices.Delete(q.Filters, i, i+1)
	case 3:
		g.reorder(f)
	case 4:
		q.Flags = []int{0, 1, 950}[g.IntN(3)]
	case 5:
		f.Criteria = append(f.Criteria, g.criterion())
	default:
		g.changeCriterion(f)
	}
}

func (g *grammar) changeCriterion(f *requestFilter) {
	if len(f.Criteria) == 0 {
		f.Criteria = append(f.Criteria, g.criterion())
		return
	}
	i := g.IntN(len(f.Criteria))
	switch c := &f.Criteria[i]; g.IntN(5) {
	case 0:
		f.Criteria = slices.Delete(f.Criteria, i, i+1)
	case 1: // many of one kind
		for range g.IntN(120) {
			f.Criteria = append(f.Criteria, g.vary(*c))
		}
		f.Criteria = f.Criteria[:min(len(f.Criteria), 300)]
	default:
		*c = g.vary(*c)
	}
}

// vary returns another criterion of the same type. Of a text, it changes a part.
func (g *grammar) vary(c requestCriterion) requestCriterion {
	if c.Type != 10 {
		for {
			if other := g.criterion(); other.Type == c.Type {
				return other
			}
		}
	}
	all := strings.Split(c.Value, " ")
	i := g.IntN(len(all))
	switch g.IntN(5) {
	case 0:
		all = slices.Delete(all, i, i+1)
	case 1:
		all = append(all, g.token())
	case 2:
		for range g.IntN(20) {
			all = append(all, g.token())
		}
	default:
		all[i] = g.token()
	}
	c.Value = strings.Join(all[:min(len(all), 400)], " ")
	return c
}
