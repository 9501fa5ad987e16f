package index

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// enoughMatches is the number of documents that makes a correction unnecessary. A word that so many
// documents contain is hardly misspelled, nor is a text that so many documents match.
const enoughMatches = 5

// match returns the filtered documents that match all texts, in no particular order.
func (ix *Index) match(texts []text, filtered *set, s *scratch) []match {
	if len(texts) == 0 {
		return nil
	}
	all := ix.matchText(&texts[0], &s.scores)
	for i := range texts[1:] {
		if len(all) == 0 {
			break
		}
		s.scores.saveMatches(all, ix.Len())
		all = s.scores.intersectSaved(ix.matchText(&texts[i+1], &s.scores))
	}
	if filtered.all {
		return all
	}
	return slices.DeleteFunc(all, func(m match) bool { return !filtered.has(m.document()) })
}

// saveMatches saves the matches of the texts so far, because the next text reuses the
// memory.
func (s *scores) saveMatches(all []match, documents int) {
	if s.savedScores == nil {
		s.savedScores = make([]uint64, documents)
	}
	s.saved = append(s.saved[:0], all...)
	for _, m := range all {
		s.savedScores[m.document()] = 1 + uint64(m.score())
	}
}

// intersectSaved returns the saved matches that are also in all, with the sums of the
// scores.
func (s *scores) intersectSaved(all []match) []match {
	both := all[:0]
	for _, m := range all {
		if score := s.savedScores[m.document()]; score > 0 {
			sum := min(score-1+uint64(m.score()), math.MaxUint32)
			both = append(both, newMatch(uint32(sum), m.document()))
		}
	}
	for _, m := range s.saved {
		s.savedScores[m.document()] = 0
	}
	return both
}

// matchText returns the documents that match t. They are valid until the next call. It
// applies the relaxations of the package comment as far as needed, and adds pinned documents.
func (ix *Index) matchText(t *text, s *scores) []match {
	ix.allowPublishers(t.publishers, s)
	if len(t.words) == 0 {
		return ix.matchPublishers(s)
	}
	ix.planWords(t, s)
	all := ix.attempt(t, s, false)
	if len(all) < enoughMatches && !hasExactName(t, all) && ix.relaxSpelling(s, enoughMatches) {
		all = ix.attempt(t, s, false)
	}
	if len(all) == 0 && ix.relaxSpelling(s, math.MaxInt) {
		all = ix.attempt(t, s, false)
	}
	if len(all) == 0 && len(t.words) > 1 {
		all = ix.attempt(t, s, true)
	}
	return ix.addPinned(t, all, s)
}

// hasExactName reports whether the text has several words and is exactly the name of one of
// the matches. A single word is not enough: "Jupiter" is a name, but most people who type
// it look for Jupyter.
func hasExactName(t *text, all []match) bool {
	return len(t.words) > 1 && slices.ContainsFunc(all, func(m match) bool { return m.score() >= exactNamePoints })
}

// planWords looks up the candidates of each word, without corrections.
func (ix *Index) planWords(t *text, s *scores) {
	s.plans, s.terms, s.anyCorrected, s.namesReady = s.plans[:0], s.terms[:0], false, false
	for i, w := range t.words {
		from := len(s.terms)
		documents := ix.addCandidates(w, s)
		s.plans = append(s.plans, plan{word: w.text, bit: 1 << i, quoted: w.quoted, optional: w.optional, direct: s.terms[from:], documents: documents})
	}
}

// candidateCost is the cost of scoring one candidate term of a word, in steps.
const candidateCost = 3

// addCandidates adds to s.terms the term that equals w and, if w may be a prefix, the terms that
// begin with w. It returns the number of documents of the most frequent one.
func (ix *Index) addCandidates(w word, s *scores) (most int) {
	from, exact := ix.terms.find(w.text)
	to := from
	if w.prefix {
		to = ix.terms.prefixEnd(from, w.text)
	} else if exact {
		to++
	}
	if !s.work.take(candidateCost * (to - from)) {
		return 0
	}
	for i := from; i < to; i++ {
		quality := prefixQuality + uint32(prefixRange*len(w.text)/max(1, len(ix.terms.at(i))))
		if exact && i == from {
			quality = exactQuality
		}
		s.terms = append(s.terms, candidate{i, quality})
		most = max(most, len(ix.terms.list(i)))
	}
	return most
}

// relaxSpelling adds corrections to the words whose most frequent term has fewer than limit
// documents, except quoted and optional words. It reports whether it added corrections to
// any word that had none before.
func (ix *Index) relaxSpelling(s *scores, limit int) bool {
	added := false
	for i := range s.plans {
		if p := &s.plans[i]; !p.corrected && !p.quoted && !p.optional && p.documents < limit {
			p.corrected, added = true, true
			ix.addCorrections(p, s)
		}
	}
	s.anyCorrected = s.anyCorrected || added
	return added
}

// addCorrections adds the terms that are similar to the word, except those that addCandidates has
// added. The latter are a range of the sorted terms.
func (ix *Index) addCorrections(p *plan, s *scores) {
	from := len(s.terms)
	ix.terms.similar(p.word, s.work, func(i, edits int) {
		if n := len(p.direct); n > 0 && p.direct[0].term <= i && i <= p.direct[n-1].term {
			return
		}
		s.terms = append(s.terms, candidate{i, uint32(editQuality - editPenalty*edits)})
		p.documents = max(p.documents, len(ix.terms.list(i)))
	})
	p.corrections = s.terms[from:]
}

// attempt returns the documents that match all words, with the corrections added so far. With
// fewerWords, it returns the documents that match the largest number of words that any document
// matches. Phrases and publishers must match in any case. The result is valid until the next
// attempt.
func (ix *Index) attempt(t *text, s *scores, fewerWords bool) []match {
	s.prepare(ix.Len())
	ix.addWords(s, fewerWords)
	ix.addNameMatches(t, s)
	wordCount := bits.OnesCount16(t.required)
	if fewerWords {
		wordCount = s.mostWords(t)
	}
	s.work.take(totalCost * len(s.touched)) // even if no steps are left: the scores must be cleared
	for _, d := range s.touched {
		of := s.byDocument[d]
		s.byDocument[d] = score{}
		if (of.nameMark > 0 || wordCount > 0 && bits.OnesCount16(of.words&t.required) == wordCount) && of.words&t.quoted == t.quoted && (s.allowed == nil || s.allowed.has(d)) {
			s.found = append(s.found, newMatch(ix.totalScore(t, s, of, d), d))
		}
	}
	if list := ix.keys.find(keyID, t.id); len(list) > 0 {
		promote(s.found, list[0])
	}
	if len(t.phrases) > 0 {
		s.found = ix.filterByPhrases(t, s)
	}
	return s.found
}

// totalCost is the cost of summing the scores of a document, in steps.
const totalCost = 2

// addWords adds the scores of every word, the rarest word first and optional words last. So in the
// long lists of frequent words, it only looks up the few documents that match the rare words.
func (ix *Index) addWords(s *scores, fewerWords bool) {
	key := func(p *plan) int {
		if p.optional {
			return math.MaxInt
		}
		return p.documents
	}
	slices.SortStableFunc(s.plans, func(a, b plan) int { return cmp.Compare(key(&a), key(&b)) })
	need := uint16(0)
	for i := range s.plans {
		p := &s.plans[i]
		points := rarity(ix.Len(), p.documents)
		s.addTerms(&ix.terms, p.direct, p.bit, need, points)
		s.addTerms(&ix.terms, p.corrections, p.bit, need, points)
		if !fewerWords && !p.optional {
			need |= p.bit
		}
	}
}

// rarity returns the factor for a word that n of all documents have. It grows with the
// logarithm of all/n, in integers, so that the result is the same on every machine.
func rarity(all, n int) uint32 {
	return 2 + uint32(bits.Len(uint(all/max(1, n))))
}

// addNameMatches marks the documents with a compact name that equals the compact form of the text,
// or begins with it. They match even if their words are separated differently: "liveserv" finds
// "Live Server". If words were corrected, it also marks those with a similar compact name.
func (ix *Index) addNameMatches(t *text, s *scores) {
	if t.compact == "" {
		if name, ok := ix.names.find(t.compactPhrase); ok {
			s.setNameMark(ix.names.list(name), fullNameMark)
		}
		return
	}
	ix.markNames(t.compact, fullNameMark, s)
	if t.compactID != "" {
		ix.markNames(t.compactID, fullNameMark, s)
	}
	if t.swapped != "" {
		ix.markNames(t.swapped, swappedNameMark, s)
	}
	if !s.anyCorrected {
		return
	}
	if !s.namesReady {
		s.namesReady, s.similarNames = true, s.similarNames[:0]
		ix.addSimilarNames(t.compact, s)
		if strings.Contains(t.compactID, ".") {
			ix.addSimilarNames(t.compactID, s)
		}
	}
	for _, name := range s.similarNames {
		s.setNameMark(ix.names.list(int(name)), misspelledNameMark)
	}
}

// addSimilarNames adds the compact names that are similar to text to s.similarNames.
func (ix *Index) addSimilarNames(text string, s *scores) {
	ix.names.similar(text, s.work, func(i, edits int) {
		if edits > 0 {
			s.similarNames = append(s.similarNames, uint32(i))
		}
	})
}

// markNames marks the documents with a compact name that equals text or begins with it.
func (ix *Index) markNames(text string, mark int, s *scores) {
	from, exact := ix.names.find(text)
	to := ix.names.prefixEnd(from, text)
	if !s.work.take(candidateCost * (to - from)) {
		return
	}
	if exact {
		s.setNameMark(ix.names.list(from), uint16(mark))
		from++
	}
	for i := from; i < to; i++ {
		part := (mark - prefixNameMark) * len(text) / len(ix.names.at(i))
		s.setNameMark(ix.names.list(i), uint16(prefixNameMark+part))
	}
}

// Points in addition to those of the words. For each 64th of a compact name that the text matches,
// namePartPoints times the number of required words are added. The sum is multiplied by 1 to 4.9
// for popularity. The other points put a name that was typed in full before all names that begin
// with it or contain it, even if the spaces between its words were omitted, and an id before names.
const (
	namePartPoints    = 300
	popularityBase    = 64
	compactNamePoints = 1 << 28
	exactNamePoints   = 1 << 29
	exactIDPoints     = 1 << 30
)

// totalScore returns the score of document d for text t.
func (ix *Index) totalScore(t *text, s *scores, of score, d uint32) uint32 {
	points := of.sum + uint32(of.nameMark)*namePartPoints*uint32(bits.OnesCount16(t.required))
	points = points / 8 * (popularityBase + uint32(ix.popular[d]))
	switch {
	case of.nameMark != fullNameMark:
	case s.work.take(ix.readCost(d)) && ix.isExactName(t, d):
		points += exactNamePoints
	case len(t.typed) == 1:
		points += compactNamePoints
	}
	return points
}

// isExactName reports whether t is the title or the name of document d, word by word. Name
// marks only compare compact forms: the words of "react native" are not those of
// "ReactNative".
func (ix *Index) isExactName(t *text, d uint32) bool {
	r := textReader(ix.textOf(int(d)))
	r.bytes() // id
	r.bytes() // uuid
	name := string(r.bytes())
	r.bytes() // publisher
	r.bytes() // publisher's title
	title := string(r.bytes())
	return wordsEqual(title, t.typed) || wordsEqual(name, t.typed)
}

// promote adds the points for an id that was typed in full to the document with this id.
func promote(all []match, document uint32) {
	for i, m := range all {
		if m.document() == document {
			all[i] = newMatch(m.score()+exactIDPoints, document)
		}
	}
}

// allowPublishers sets s.allowed to the documents of the publishers, given by name or
// title.
func (ix *Index) allowPublishers(publishers []string, s *scores) {
	s.allowed = nil
	if len(publishers) == 0 {
		return
	}
	s.allowed = newBitmap(ix.Len())
	for _, p := range publishers {
		for _, kind := range []byte{keyPublisher, keyPublisherTitle} {
			if list := ix.keys.find(kind, p); s.work.take(keyCost + len(list)) {
				s.allowed.add(list)
			}
		}
	}
}

// matchPublishers returns the matches of a text that has publishers only.
func (ix *Index) matchPublishers(s *scores) []match {
	s.prepare(ix.Len())
	if s.allowed == nil || !s.work.take(s.allowed.count()) {
		return nil
	}
	s.allowed.each(func(d uint32) bool {
		s.found = append(s.found, newMatch(uint32(ix.popular[d]), d))
		return true
	})
	return s.found
}
