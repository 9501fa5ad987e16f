package index

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// enough is how many documents make it pointless to suspect a mistake: a word
// typed wrong may itself be a word, but seldom one of many extensions.
const enough = 5

// match returns the documents of found that match all texts, in no order.
func (ix *Index) match(texts []text, found *set, s *scratch) []match {
	if len(texts) == 0 {
		return nil
	}
	all := ix.matchText(&texts[0], &s.scores)
	for i := range texts[1:] {
		if len(all) == 0 {
			break
		}
		s.scores.carry(all, ix.Len())
		all = s.scores.both(ix.matchText(&texts[i+1], &s.scores))
	}
	if found.all {
		return all
	}
	return slices.DeleteFunc(all, func(m match) bool { return !found.has(m.document()) })
}

// carry saves the results of the texts so far. The next text uses the same memory.
func (s *scores) carry(all []match, documents int) {
	if s.sums == nil {
		s.sums = make([]uint64, documents)
	}
	s.first = append(s.first[:0], all...)
	for _, m := range all {
		s.sums[m.document()] = 1 + uint64(m.score())
	}
}

// both returns the saved matches that are also in all, with the sum of their scores.
func (s *scores) both(all []match) []match {
	kept := all[:0]
	for _, m := range all {
		if score := s.sums[m.document()]; score > 0 {
			sum := min(score-1+uint64(m.score()), math.MaxUint32)
			kept = append(kept, newMatch(uint32(sum), m.document()))
		}
	}
	for _, m := range s.first {
		s.sums[m.document()] = 0
	}
	return kept
}

// matchText returns the documents that match t, until the next call.
func (ix *Index) matchText(t *text, s *scores) []match {
	ix.allow(t.publishers, s)
	if len(t.words) == 0 {
		return ix.matchPublishers(s)
	}
	ix.plan(t, s)
	all := ix.attempt(t, s, false)
	if len(all) < enough && !certain(t, all) && ix.doubt(s, enough) {
		all = ix.attempt(t, s, false)
	}
	if len(all) == 0 && ix.doubt(s, math.MaxInt) {
		all = ix.attempt(t, s, false)
	}
	if len(all) == 0 && len(t.words) > 1 {
		all = ix.attempt(t, s, true)
	}
	return all
}

// certain reports whether one of the documents has exactly the name typed, and not
// by mistake: "Jupiter" is a name, but not the one that most people mean.
func certain(t *text, all []match) bool {
	return len(t.words) > 1 && slices.ContainsFunc(all, func(m match) bool { return m.score() >= namePoints })
}

// plan looks up the terms that each word is, or begins.
func (ix *Index) plan(t *text, s *scores) {
	s.plans, s.terms, s.doubtful, s.similar = s.plans[:0], s.terms[:0], false, false
	for i, w := range t.words {
		from := len(s.terms)
		documents := ix.candidates(w, s)
		s.plans = append(s.plans, plan{word: w.text, bit: 1 << i, quoted: w.quoted, optional: w.optional, typed: s.terms[from:], documents: documents})
	}
}

// candidateCost is the cost of scoring one candidate term for a word, in steps.
const candidateCost = 3

// candidates adds the terms that w is or begins to those of s, and returns how
// many documents the most frequent of them has.
func (ix *Index) candidates(w word, s *scores) (most int) {
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
		quality := beginQuality + uint32(beginRange*len(w.text)/max(1, len(ix.terms.at(i))))
		if exact && i == from {
			quality = exactQuality
		}
		s.terms = append(s.terms, candidate{i, quality})
		most = max(most, len(ix.terms.list(i)))
	}
	return most
}

// doubt adds corrections for words that fewer than so many documents have, but not for
// quoted or optional words. It reports whether it tried any word for the first time.
func (ix *Index) doubt(s *scores, documents int) bool {
	doubted := false
	for i := range s.plans {
		if p := &s.plans[i]; !p.doubted && !p.quoted && !p.optional && p.documents < documents {
			p.doubted, doubted = true, true
			ix.misspelt(p, s)
		}
	}
	s.doubtful = s.doubtful || doubted
	return doubted
}

// misspelt adds the terms that the word may be meant for, but for those it is or
// begins: these are a range of the sorted terms.
func (ix *Index) misspelt(p *plan, s *scores) {
	from := len(s.terms)
	ix.terms.similar(p.word, s.work, func(i, wrong int) {
		if n := len(p.typed); n > 0 && p.typed[0].term <= i && i <= p.typed[n-1].term {
			return
		}
		s.terms = append(s.terms, candidate{i, uint32(mistakeQuality - mistakeCost*wrong)})
		p.documents = max(p.documents, len(ix.terms.list(i)))
	})
	p.meant = s.terms[from:]
}

// attempt returns the documents that have all the words as planned or, if loose, as
// many as any document has, until the next attempt. What is in quotation marks, and
// the publisher, must match in any case.
func (ix *Index) attempt(t *text, s *scores, loose bool) []match {
	s.prepare(ix.Len())
	ix.addWords(s, loose)
	ix.addWhole(t, s)
	most := bits.OnesCount16(t.required)
	if loose {
		most = s.mostWords(t)
	}
	s.work.take(totalCost * len(s.touched)) // the sums must be cleared in any case
	for _, d := range s.touched {
		of := s.of[d]
		s.of[d] = score{}
		if (of.whole > 0 || most > 0 && bits.OnesCount16(of.words&t.required) == most) && of.words&t.quoted == t.quoted && (s.allowed == nil || s.allowed.has(d)) {
			s.found = append(s.found, newMatch(ix.total(t, s, of, d), d))
		}
	}
	if list := ix.keys.find(keyID, t.id); len(list) > 0 {
		promote(s.found, list[0])
	}
	if len(t.phrases) > 0 {
		s.found = ix.saying(t, s)
	}
	return s.found
}

// totalCost is the cost of summing the scores of a document, in steps.
const totalCost = 2

// addWords scores every word, the rarest first and the optional ones last: of the lists of
// the others only a few entries are then looked at.
func (ix *Index) addWords(s *scores, loose bool) {
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
		s.addTerms(&ix.terms, p.typed, p.bit, need, points)
		s.addTerms(&ix.terms, p.meant, p.bit, need, points)
		if !loose && !p.optional {
			need |= p.bit
		}
	}
}

// rarity is what a word in n of all documents is worth, growing with the
// logarithm of how rare it is. Whole numbers make every machine agree.
func rarity(all, n int) uint32 {
	return 2 + uint32(bits.Len(uint(all/max(1, n))))
}

// addWhole marks the documents one of whose names the text is, or begins. They
// match even if the words are spaced otherwise: "liveserv" finds "Live Server".
func (ix *Index) addWhole(t *text, s *scores) {
	if t.whole == "" {
		if name, ok := ix.names.find(t.phrase); ok {
			s.mark(ix.names.list(name), wholeName)
		}
		return
	}
	ix.markNames(t.whole, wholeName, s)
	if t.turned != "" {
		ix.markNames(t.turned, turnedName, s)
	}
	if !s.doubtful {
		return
	}
	if !s.similar {
		s.similar, s.names = true, s.names[:0]
		ix.names.similar(t.whole, s.work, func(i, wrong int) {
			if wrong > 0 {
				s.names = append(s.names, uint32(i))
			}
		})
	}
	for _, name := range s.names {
		s.mark(ix.names.list(int(name)), misspeltName)
	}
}

// markNames marks the documents one of whose names text is, or begins.
func (ix *Index) markNames(text string, mark int, s *scores) {
	from, exact := ix.names.find(text)
	to := ix.names.prefixEnd(from, text)
	if !s.work.take(candidateCost * (to - from)) {
		return
	}
	if exact {
		s.mark(ix.names.list(from), uint16(mark))
		from++
	}
	for i := from; i < to; i++ {
		part := (mark - begunName) * len(text) / len(ix.names.at(i))
		s.mark(ix.names.list(i), uint16(begunName+part))
	}
}

// Points beside those of the words. wholePoints times the number of required words is
// what each 64th of a name is worth; popularity multiplies the points by up to
// 4.9; a name typed in full comes before all that only begin with it or contain it, also
// if the spaces between its words were left out, and an id before the names.
const (
	wholePoints    = 300
	popularityBase = 64
	joinedPoints   = 1 << 28
	namePoints     = 1 << 29
	idPoints       = 1 << 30
)

func (ix *Index) total(t *text, s *scores, of score, d uint32) uint32 {
	points := of.sum + uint32(of.whole)*wholePoints*uint32(bits.OnesCount16(t.required))
	points = points / 8 * (popularityBase + uint32(ix.popular[d]))
	switch {
	case of.whole != wholeName:
	case s.work.take(ix.readCost(d)) && ix.spells(t, d):
		points += namePoints
	case len(t.spelled) == 1:
		points += joinedPoints
	}
	return points
}

// spells reports whether t is the title or the name of the document, word by
// word. The marks say so of squeezed names only: "react native" is not how
// "ReactNative" is spelled.
func (ix *Index) spells(t *text, d uint32) bool {
	r := textReader(ix.textOf(int(d)))
	r.bytes() // id
	r.bytes() // uuid
	name := string(r.bytes())
	r.bytes() // publisher
	r.bytes() // publisher's title
	title := string(r.bytes())
	return hasWords(title, t.spelled) || hasWords(name, t.spelled)
}

// promote makes the document with the id that was typed the best.
func promote(all []match, document uint32) {
	for i, m := range all {
		if m.document() == document {
			all[i] = newMatch(m.score()+idPoints, document)
		}
	}
}

// allow looks up the documents of the given publishers, by name or title.
func (ix *Index) allow(publishers []string, s *scores) {
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

// matchPublishers returns the matches of a text that has no words.
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
