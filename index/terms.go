package index

import (
	"fmt"
	"strings"

	"galbuild/index/segment"
)

// Weights of the fields. What an extension is called outweighs all that is said
// of it: of many words in tags and descriptions one fits by chance. A word in the
// name or title weighs all the more the fewer words there are beside it: "Python"
// is more about Python than "Python Extension Pack for Everyone" is.
const (
	titleWeight          = 100
	nameWeight           = 60
	tagWeight            = 25
	publisherWeight      = 20
	publisherTitleWeight = 20
	categoryWeight       = 15
	descriptionWeight    = 10
	contributedWeight    = 4
	maxWeight            = 255

	// unnamedWeight is the most that a word means which is in neither title nor name,
	// however many other fields have it. No word of a name means less.
	unnamedWeight = nameWeight / 2
	// partsPerWord is how many times as much as one of its humps a word means: who types
	// "java" does not mean "JavaScript".
	partsPerWord = 2
)

// weigher gathers the terms of one document at a time.
type weigher struct {
	numbers map[string]int // of the terms
	terms   []weighed
	field   int
}

type weighed struct {
	term      string
	best, sum int
	field     int  // the last one that had the term
	latest    int  // what it meant in that field
	named     bool // whether it is in the title or name
}

// weigh returns the terms of d and their weights: the best field's, and an
// eighth of what the others have. All tags are one field, and so are all categories and all
// contributed texts: repeating a word in many of them does not make it mean more. The terms
// are valid until the next call.
func (w *weigher) weigh(d *Document) []weighed {
	if w.numbers == nil {
		w.numbers = make(map[string]int)
	}
	clear(w.numbers)
	w.terms, w.field = w.terms[:0], 0
	w.add(shared(titleWeight, d.Title), true, d.Title)
	w.add(shared(nameWeight, d.Name), true, d.Name)
	for i := range w.terms {
		w.terms[i].named = true
	}
	w.add(publisherWeight, true, d.Publisher)
	w.add(publisherTitleWeight, true, d.PublisherTitle)
	w.add(tagWeight, true, d.searchedTags()...)
	w.add(categoryWeight, false, d.currentCategories()...)
	w.add(descriptionWeight, false, d.Description)
	w.add(contributedWeight, false, d.Contributed...)
	return w.terms
}

// searchedTags returns the texts of the tags that are searched.
func (d *Document) searchedTags() []string {
	var all []string
	for _, tag := range d.Tags {
		if tag = searchedTag(tag); tag != "" {
			all = append(all, tag)
		}
	}
	return all
}

// currentCategories returns the categories by their current names.
func (d *Document) currentCategories() []string {
	var all []string
	for _, c := range d.Categories {
		all = append(all, category(c))
	}
	return all
}

// extensionTag begins the tags that packagers write for the types of files that an
// extension contributes a language for.
// Source: vsce's LanguageProcessor.
const extensionTag = "__ext_"

// searchedTag returns the text by which a tag is searched: nothing of a hidden one, which
// begins with an underscore, but the type of file of __ext_tsx.
func searchedTag[T string | []byte](tag T) T {
	if len(tag) == 0 || tag[0] != '_' {
		return tag
	}
	if n := len(extensionTag); len(tag) > n && strings.EqualFold(string(tag[:n]), extensionTag) {
		return tag[n:]
	}
	return tag[:0]
}

// shared returns half of weight, and of the other half this word's share.
func shared(weight int, field string) int {
	n := 0
	for range chunks(plain(field)) {
		n++
	}
	return weight/2 + weight/(2*max(1, n))
}

// add adds the terms of a field, which may have several texts.
func (w *weigher) add(weight int, joints bool, texts ...string) {
	w.field++
	for _, text := range texts {
		fieldTerms(text, joints, func(term string, part bool) {
			if part {
				w.addTerm(term, weight/partsPerWord)
			} else {
				w.addTerm(term, weight)
			}
		})
	}
}

// addTerm counts the largest weight that a term has in a field.
func (w *weigher) addTerm(term string, weight int) {
	n, ok := w.numbers[term]
	if !ok {
		n = len(w.terms)
		w.numbers[term] = n
		w.terms = append(w.terms, weighed{term: term})
	}
	t := &w.terms[n]
	if t.field != w.field {
		t.field, t.latest = w.field, 0
	}
	t.sum += max(0, weight-t.latest)
	t.latest = max(weight, t.latest)
	t.best = max(weight, t.best)
}

func (t *weighed) weight() uint8 {
	most := maxWeight
	if !t.named {
		most = unnamedWeight
	}
	return uint8(min(t.best+(t.sum-t.best)/8, most))
}

// wholeNames yields what a person may type who knows exactly what she wants:
// title, name and id, without spaces and signs between the words.
func (d *Document) wholeNames(yield func(string)) {
	for _, s := range []string{d.Title, d.Name, d.ID} {
		if s = squeeze(s); s != "" {
			yield(s)
		}
	}
}

// terms is a lexicon whose lists say how much a term means to a document.
type terms struct {
	lexicon
	weights []uint8 // beside docs
}

func writeTerms(w *segment.Writer, all []ranked) {
	terms, names := newLister(), newLister()
	var weigher weigher
	var room []byte
	for i, d := range all {
		for _, t := range weigher.weigh(d.Document) {
			room = append(room[:0], t.term...)
			terms.add(room, uint32(i), t.weight())
		}
		d.wholeNames(func(name string) { names.add(append(room[:0], name...), uint32(i), 0) })
	}
	d, weights := terms.write(w, "trm")
	w.Add("trm.wght", weights)
	newNeighbours(&d).write(w, "trm")
	d, _ = names.write(w, "nam")
	newNeighbours(&d).write(w, "nam")
}

func openTerms(s *segment.Segment, documents int) (terms, error) {
	l, err := openLexicon(s, "trm", documents)
	if err != nil {
		return terms{}, err
	}
	weights, err := s.Section("trm.wght")
	if err != nil {
		return terms{}, err
	}
	if len(weights) != len(l.docs) {
		return terms{}, fmt.Errorf("%w: section %q has %d weights for %d documents", segment.ErrCorrupt, "trm.wght", len(weights), len(l.docs))
	}
	return terms{l, weights}, nil
}
