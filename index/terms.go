package index

import (
	"fmt"
	"strings"

	"galbuild/index/segment"
)

// Weights of the fields. A word in the title or name describes an extension better than one in a
// tag or description, where many words occur by chance. In a title or name, a word has more weight
// if there are fewer other words: "Python" is more about Python than "Python Extension Pack for
// Everyone".
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

	// maxUnnamedWeight limits the weight of a term that is in neither the title nor the
	// name, however many other fields contain it. It is the least weight of a word of the
	// name.
	maxUnnamedWeight = nameWeight / 2
	// partDivisor divides the weight of a term that is only a camel-case part of a word: a
	// person who types "java" does not look for "JavaScript".
	partDivisor = 2
)

// termWeigher collects the terms of one document at a time.
type termWeigher struct {
	numbers map[string]int // positions in terms
	terms   []weightedTerm
	field   int
}

type weightedTerm struct {
	term        string
	best, sum   int
	lastField   int  // number of the last field with the term
	fieldWeight int  // weight of the term in that field
	inName      bool // the title or name contains the term
}

// weigh returns the terms of d with their weights: the weight of the best field, plus an
// eighth of the weights of the others. All tags are one field, and so are all categories
// and all contributed texts, so that repeating a word in many of them adds no weight. The
// terms are valid until the next call.
func (w *termWeigher) weigh(d *Document) []weightedTerm {
	if w.numbers == nil {
		w.numbers = make(map[string]int)
	}
	clear(w.numbers)
	w.terms, w.field = w.terms[:0], 0
	w.add(dividedWeight(titleWeight, d.Title), true, d.Title)
	w.add(dividedWeight(nameWeight, d.Name), true, d.Name)
	for i := range w.terms {
		w.terms[i].inName = true
	}
	w.add(publisherWeight, true, d.Publisher)
	w.add(publisherTitleWeight, true, d.PublisherTitle)
	w.add(tagWeight, true, d.searchedTags()...)
	w.add(categoryWeight, false, d.currentCategories()...)
	w.add(descriptionWeight, false, d.Description)
	w.add(contributedWeight, false, d.Contributed...)
	return w.terms
}

// searchedTags returns the searchable texts of the tags.
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

// fileTypeTag is the prefix of the tags that packagers add for each file type of the
// languages that an extension contributes.
//
// Source: vsce's LanguageProcessor.
const fileTypeTag = "__ext_"

// searchedTag returns the searchable text of a tag. Hidden tags, which begin with an
// underscore, have none, except for file types: the text of __ext_tsx is "tsx".
func searchedTag[T string | []byte](tag T) T {
	if len(tag) == 0 || tag[0] != '_' {
		return tag
	}
	if n := len(fileTypeTag); len(tag) > n && strings.EqualFold(string(tag[:n]), fileTypeTag) {
		return tag[n:]
	}
	return tag[:0]
}

// dividedWeight returns half of weight, plus the other half divided by the number of words
// in the field.
func dividedWeight(weight int, field string) int {
	n := 0
	for range rawWords(normalize(field)) {
		n++
	}
	return weight/2 + weight/(2*max(1, n))
}

// add adds the terms of a field, which may have several texts.
func (w *termWeigher) add(weight int, joinPairs bool, texts ...string) {
	w.field++
	for _, text := range texts {
		fieldTerms(text, joinPairs, func(term string, part bool) {
			if part {
				w.addTerm(term, weight/partDivisor)
			} else {
				w.addTerm(term, weight)
			}
		})
	}
}

// addTerm adds a term of the current field. Only its largest weight in a field counts.
func (w *termWeigher) addTerm(term string, weight int) {
	n, ok := w.numbers[term]
	if !ok {
		n = len(w.terms)
		w.numbers[term] = n
		w.terms = append(w.terms, weightedTerm{term: term})
	}
	t := &w.terms[n]
	if t.lastField != w.field {
		t.lastField, t.fieldWeight = w.field, 0
	}
	t.sum += max(0, weight-t.fieldWeight)
	t.fieldWeight = max(weight, t.fieldWeight)
	t.best = max(weight, t.best)
}

func (t *weightedTerm) weight() uint8 {
	most := maxWeight
	if !t.inName {
		most = maxUnnamedWeight
	}
	return uint8(min(t.best+(t.sum-t.best)/8, most))
}

// compactNames yields the compact forms of title, name and id.
func (d *Document) compactNames(yield func(string)) {
	for _, s := range []string{compact(d.Title), compact(d.Name), compactID(d.ID)} {
		if s != "" {
			yield(s)
		}
	}
}

// terms is the dictionary of terms, with the weight of each term in each of its documents.
type terms struct {
	fuzzyDictionary
	weights []uint8 // for each element of docs
}

func writeTerms(w *segment.Writer, all []ranked, synonyms synonyms) {
	terms, names := newDictionaryBuilder(), newDictionaryBuilder()
	var weigher termWeigher
	var buf []byte
	for i, d := range all {
		for _, t := range weigher.weigh(d.Document) {
			buf = append(buf[:0], t.term...)
			terms.add(buf, uint32(i), t.weight())
			for _, s := range synonyms.of(t.term) {
				buf = append(buf[:0], s...)
				terms.add(buf, uint32(i), t.weight())
			}
		}
		d.compactNames(func(name string) {
			names.add(append(buf[:0], name...), uint32(i), 0)
			for _, s := range synonyms[name] {
				names.add(append(buf[:0], s...), uint32(i), 0)
			}
		})
	}
	d, weights := terms.write(w, "trm")
	w.Add("trm.wght", weights)
	newSignatureTable(&d).write(w, "trm")
	d, _ = names.write(w, "nam")
	newSignatureTable(&d).write(w, "nam")
}

func openTerms(s *segment.Segment, documents int) (terms, error) {
	l, err := openFuzzyDictionary(s, "trm", documents)
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
