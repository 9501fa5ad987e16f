package index

import (
	"fmt"

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
	maxWeight            = 255
)

// weigher gathers the terms of one document at a time.
type weigher struct {
	terms map[string]*termWeight
	field int
}

type termWeight struct {
	best, sum int
	field     int // the last one that had the term
}

// weigh returns the terms of d and their weights: the best field's, and an
// eighth of what the others have.
func (w *weigher) weigh(d *Document) map[string]*termWeight {
	w.terms, w.field = make(map[string]*termWeight), 0
	w.add(d.Title, shared(titleWeight, d.Title), true)
	w.add(d.Name, shared(nameWeight, d.Name), true)
	w.add(d.Publisher, publisherWeight, true)
	w.add(d.PublisherTitle, publisherTitleWeight, true)
	for _, tag := range d.Tags {
		w.add(tag, tagWeight, true)
	}
	for _, c := range d.Categories {
		w.add(category(c), categoryWeight, false)
	}
	w.add(d.Description, descriptionWeight, false)
	return w.terms
}

// shared returns half of weight, and of the other half this word's share.
func shared(weight int, field string) int {
	return weight/2 + weight/(2*max(1, len(words(field))))
}

func (w *weigher) add(field string, weight int, joints bool) {
	w.field++
	fieldTerms(field, joints, func(term string) {
		t := w.terms[term]
		if t == nil {
			t = &termWeight{}
			w.terms[term] = t
		}
		if t.field != w.field {
			t.field, t.best, t.sum = w.field, max(t.best, weight), t.sum+weight
		}
	})
}

func (t *termWeight) weight() uint8 {
	return uint8(min(t.best+(t.sum-t.best)/8, maxWeight))
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

// terms is a dictionary whose lists say how much a term means to a document.
type terms struct {
	dictionary
	weights []uint8 // beside docs
}

func openTerms(s *segment.Segment, documents int) (terms, error) {
	d, err := openDictionary(s, "trm", documents)
	if err != nil {
		return terms{}, err
	}
	weights, err := s.Section("trm.wght")
	if err != nil {
		return terms{}, err
	}
	if len(weights) != len(d.docs) {
		return terms{}, fmt.Errorf("%w: section %q has %d weights for %d documents", segment.ErrCorrupt, "trm.wght", len(weights), len(d.docs))
	}
	return terms{d, weights}, nil
}
