package index

import (
	"math/bits"
	"slices"
)

// match is a document and its score: the complement of the score in the high half, the
// number of the document in the low half. A smaller match is better. Of two with the same
// score, the document with more installs is smaller.
type match uint64

func newMatch(score, document uint32) match { return match(^score)<<32 | match(document) }

func (m match) document() uint32 { return uint32(m) }
func (m match) score() uint32    { return ^uint32(m >> 32) }

// selectBest sorts the n best matches to the front. The others follow in no particular
// order.
func selectBest(all []match, n int) {
	if 4*n >= len(all) {
		slices.Sort(all)
		return
	}
	heap := all[:n] // with the worst match on top
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

// sink restores the order of the heap below position i.
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

// scores computes the scores of documents for a text.
type scores struct {
	work         *Work
	byDocument   []score     // by document; zero between two attempts
	touched      []uint32    // documents whose entry in byDocument is not zero
	plans        []plan      // one for each word of the text
	terms        []candidate // candidates of all plans
	anyCorrected bool        // corrections were added to a word
	namesReady   bool        // similarNames is valid
	similarNames []uint32    // positions of the compact names that are similar to the text
	allowed      bitmap      // documents of the requested publishers; nil if all
	found        []match     // result of the last attempt
	saved        []match     // matches of the previous texts
	decomposed   []byte      // buffer for a field
	joined       []byte      // buffer for the words of a text
	savedScores  []uint64    // 1 + the scores of saved, by document; zero between two texts
}

type score struct {
	sum      uint32 // points of the best term of each word
	best     uint32 // points of the best term of the latest word
	words    uint16 // set of words that match, one bit for each
	nameMark uint16 // how much of a compact name the text matches, 0 to fullNameMark
}

// plan is a word of the text with its candidate terms.
type plan struct {
	word        string
	bit         uint16
	direct      []candidate // terms that equal the word or, if it may be a prefix, begin with it
	corrections []candidate // terms that are similar to the word
	corrected   bool        // corrections have been added
	quoted      bool        // the word is part of a phrase and is never corrected
	optional    bool        // the word need not match
	documents   int         // number of documents of the most frequent candidate
}

// candidate is a term that a word may mean, with its likeness to the word.
type candidate struct {
	term    int
	quality uint32
}

// Qualities of candidates, in sixteenths. A prefix has a quality of 4 to 12, in proportion to
// its length.
const (
	exactQuality  = 16
	prefixQuality = 4 // plus up to prefixRange
	prefixRange   = 8
	editQuality   = 8 // minus editPenalty for each edit
	editPenalty   = 2
)

// Marks of documents whose compact name the text matches: the text equals the name, equals it with
// its two words swapped, or is similar to it. If the text is only a prefix of the name, the mark is
// between prefixNameMark and the mark for the full name, in proportion to the length of the prefix.
const (
	fullNameMark       = 64
	swappedNameMark    = 40
	misspelledNameMark = 32
	prefixNameMark     = 8
)

// prepare removes the results of the last attempt.
func (s *scores) prepare(documents int) {
	if s.byDocument == nil {
		s.byDocument = make([]score, documents)
	}
	s.touched, s.found = s.touched[:0], s.found[:0]
}

// addTerms adds the scores of the candidates for the word with this bit. It skips documents
// that do not match all words of need.
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
			if s.byDocument[d].words&need == need {
				s.addTerm(d, bit, uint32(weights[i])*factor)
			}
		}
	}
}

// lookUp adds the scores of one candidate. It searches its long list for the few documents
// that can still match.
func (s *scores) lookUp(docs []uint32, weights []uint8, bit, need uint16, factor uint32) {
	for _, d := range s.touched {
		if s.byDocument[d].words&need != need {
			continue
		}
		if i, ok := slices.BinarySearch(docs, d); ok {
			s.addTerm(d, bit, uint32(weights[i])*factor)
		}
	}
}

// addTerm adds points for a word. Only the best term of a word counts.
func (s *scores) addTerm(d uint32, bit uint16, points uint32) {
	of := &s.byDocument[d]
	switch {
	case of.words&bit == 0:
		if of.words|of.nameMark == 0 {
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

// setNameMark raises the name marks of docs to mark.
func (s *scores) setNameMark(docs []uint32, mark uint16) {
	if !s.work.take(len(docs)) {
		return
	}
	for _, d := range docs {
		of := &s.byDocument[d]
		if of.words|of.nameMark == 0 {
			s.touched = append(s.touched, d)
		}
		of.nameMark = max(of.nameMark, mark)
	}
}

// mostWords returns the largest number of required words that one document matches, among
// the documents that match all quoted words.
func (s *scores) mostWords(t *text) int {
	most := 0
	for _, d := range s.touched {
		if words := s.byDocument[d].words; words&t.quoted == t.quoted {
			most = max(most, bits.OnesCount16(words&t.required))
		}
	}
	return most
}
