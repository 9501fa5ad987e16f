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
	numbers map[string]int // of the terms
	terms   []weighed
	field   int
}

type weighed struct {
	term      string
	best, sum int
	field     int // the last one that had the term
}

// weigh returns the terms of d and their weights: the best field's, and an
// eighth of what the others have. They are valid until the next call.
func (w *weigher) weigh(d *Document) []weighed {
	if w.numbers == nil {
		w.numbers = make(map[string]int)
	}
	clear(w.numbers)
	w.terms, w.field = w.terms[:0], 0
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
	n := 0
	for range chunks(plain(field)) {
		n++
	}
	return weight/2 + weight/(2*max(1, n))
}

func (w *weigher) add(field string, weight int, joints bool) {
	w.field++
	fieldTerms(field, joints, func(term string) {
		n, ok := w.numbers[term]
		if !ok {
			n = len(w.terms)
			w.numbers[term] = n
			w.terms = append(w.terms, weighed{term: term})
		}
		if t := &w.terms[n]; t.field != w.field {
			t.field, t.best, t.sum = w.field, max(t.best, weight), t.sum+weight
		}
	})
}

func (t *weighed) weight() uint8 {
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
