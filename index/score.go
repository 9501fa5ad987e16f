package index

import (
	"math/bits"
	"slices"
)

// match is a document and how well it fits: the complement of the score in the
// high half, the document's number in the low one. Smaller is better, and of two
// that fit alike the more popular.
type match uint64

func newMatch(score, document uint32) match { return match(^score)<<32 | match(document) }

func (m match) document() uint32 { return uint32(m) }
func (m match) score() uint32    { return ^uint32(m >> 32) }

// best puts the n best matches in front, in order. The others stay behind in
// any order.
func best(all []match, n int) {
	if 4*n >= len(all) {
		slices.Sort(all)
		return
	}
	heap := all[:n] // the worst on top
	for i := n / 2; i >= 0; i-- {
		sink(heap, i)
	}
	for i := n; i < len(all) && n > 0; i++ {
		if all[i] < heap[0] {
			all[i], heap[0] = heap[0], all[i]
			sink(heap, 0)
		}
	}
	slices.Sort(heap)
}

func sink(heap []match, i int) {
	for {
		child := 2*i + 1
		if child >= len(heap) {
			return
		}
		if child+1 < len(heap) && heap[child+1] > heap[child] {
			child++
		}
		if heap[i] >= heap[child] {
			return
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}

// scores adds up what the words of a text say of each document.
type scores struct {
	work       *Work
	of         []score     // zero between two attempts
	touched    []uint32    // documents whose score is not zero
	plans      []plan      // one for each word
	terms      []candidate // of all plans
	doubtful   bool        // whether any word is taken for misspelt
	similar    bool        // whether names are known
	names      []uint32    // numbers of those that the text may be meant for, misspelt
	allowed    bitmap      // documents of the publishers asked for
	found      []match     // of the last attempt
	first      []match     // of the texts before
	decomposed []byte      // a field
	sums       []uint64    // 1 + their scores by document; zero between two texts
}

type score struct {
	sum   uint32 // of the words' best terms
	best  uint32 // of the terms of the latest word
	words uint16 // bits of the words that match
	whole uint16 // 0 to wholeName: how much of a name the text is
}

// plan is a word of the text and the terms it may stand for.
type plan struct {
	word      string
	bit       uint16
	typed     []candidate // that it is or begins
	meant     []candidate // that it may be a mistake for
	doubted   bool        // whether these were looked for
	quoted    bool        // whether it is part of a phrase, and no mistake
	optional  bool        // whether it need not match
	documents int         // that have the most frequent of the terms
}

// candidate is a term that a word may mean, and how likely.
type candidate struct {
	term    int
	quality uint32
}

// Qualities, in sixteenths. The beginning of a term counts by how much of the
// term it is.
const (
	exactQuality   = 16
	beginQuality   = 4 // and up to beginRange more
	beginRange     = 8
	mistakeQuality = 8 // less mistakeCost for each mistake
	mistakeCost    = 2
)

// wholeName is the mark of a text that is a whole name, turnedName of two words
// that are one the other way round, misspeltName of a misspelt name. The beginning
// of a name is marked with begunName and its part of the rest.
const (
	wholeName    = 64
	turnedName   = 56
	misspeltName = 48
	begunName    = 8
)

// prepare forgets the last attempt.
func (s *scores) prepare(documents int) {
	if s.of == nil {
		s.of = make([]score, documents)
	}
	s.touched, s.found = s.touched[:0], s.found[:0]
}

// addTerms scores terms of the word with this bit. Documents that do not have all
// the words of need are passed over.
func (s *scores) addTerms(t *terms, all []candidate, bit, need uint16, rarity uint32) {
	for _, c := range all {
		from, to := t.span(c.term)
		docs, weights, factor := t.docs[from:to], t.weights[from:to], c.quality*rarity
		few := need != 0 && 16*len(s.touched) < len(docs)
		cost := len(docs)
		if few {
			cost = lookUpCost * len(s.touched)
		}
		if !s.work.take(cost) {
			continue
		}
		if few {
			s.lookUp(docs, weights, bit, need, factor)
			continue
		}
		for i, d := range docs {
			if s.of[d].words&need == need {
				s.addTerm(d, bit, uint32(weights[i])*factor)
			}
		}
	}
}

// lookUp adds a long list by looking for the few documents that can still match.
func (s *scores) lookUp(docs []uint32, weights []uint8, bit, need uint16, factor uint32) {
	for _, d := range s.touched {
		if s.of[d].words&need != need {
			continue
		}
		if i, ok := slices.BinarySearch(docs, d); ok {
			s.addTerm(d, bit, uint32(weights[i])*factor)
		}
	}
}

// addTerm counts of each word the best term only.
func (s *scores) addTerm(d uint32, bit uint16, points uint32) {
	of := &s.of[d]
	switch {
	case of.words&bit == 0:
		if of.words|of.whole == 0 {
			s.touched = append(s.touched, d)
		}
		of.words |= bit
		of.sum += points
		of.best = points
	case points > of.best:
		of.sum += points - of.best
		of.best = points
	}
}

func (s *scores) mark(docs []uint32, mark uint16) {
	if !s.work.take(len(docs)) {
		return
	}
	for _, d := range docs {
		of := &s.of[d]
		if of.words|of.whole == 0 {
			s.touched = append(s.touched, d)
		}
		of.whole = max(of.whole, mark)
	}
}

// mostWords returns the largest number of required words that one document has, among the
// documents that have all quoted words.
func (s *scores) mostWords(t *text) int {
	most := 0
	for _, d := range s.touched {
		if words := s.of[d].words; words&t.quoted == t.quoted {
			most = max(most, bits.OnesCount16(words&t.required))
		}
	}
	return most
}
