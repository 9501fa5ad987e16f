package index

import (
	"bytes"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// leniency is how far a search goes to find something.
type leniency int

const (
	strict   leniency = iota // every word, as typed
	doubting                 // every word; those that hardly any document has may be misspelt
	misspelt                 // every word, all of them perhaps misspelt
	loose                    // as many words as any document has
)

// enough is how many documents make it pointless to suspect a mistake: a word
// typed wrong may itself be a word, but seldom one of many extensions.
const enough = 5

// match returns the documents of found that match all texts, in no order.
func (ix *Index) match(texts []text, found *set, s *scratch) []match {
	all := ix.matchText(&texts[0], s)
	for i := range texts[1:] {
		first := slices.Clone(all) // the next text uses the same memory
		all = both(first, ix.matchText(&texts[i+1], s))
	}
	return slices.DeleteFunc(all, func(m match) bool { return !found.has(m.document()) })
}

// both returns the documents in a and b with the sum of their scores.
func both(a, b []match) []match {
	scores := make(map[uint32]uint32, len(a))
	for _, m := range a {
		scores[m.document()] = m.score()
	}
	var all []match
	for _, m := range b {
		if score, ok := scores[m.document()]; ok {
			sum := min(uint64(score)+uint64(m.score()), math.MaxUint32)
			all = append(all, newMatch(uint32(sum), m.document()))
		}
	}
	return all
}

func (ix *Index) matchText(t *text, s *scratch) []match {
	if len(t.words) == 0 {
		return ix.matchPublishers(t)
	}
	all := ix.attempt(t, strict, &s.scores)
	if len(all) < enough && !certain(all) {
		all = ix.attempt(t, doubting, &s.scores)
	}
	for how := misspelt; how <= loose && len(all) == 0; how++ {
		all = ix.attempt(t, how, &s.scores)
	}
	return all
}

// certain reports whether one of the documents has exactly the name typed.
func certain(all []match) bool {
	return slices.ContainsFunc(all, func(m match) bool { return m.score() >= namePoints })
}

// attempt returns the documents that match t with this much leniency, until the
// next attempt. What is in quotation marks, and the publisher, must match with
// any.
func (ix *Index) attempt(t *text, how leniency, s *scores) []match {
	s.reset()
	doubt := ix.addWords(t, how, s)
	ix.addWhole(t, doubt, s)
	most := len(t.words)
	if how == loose {
		most = s.mostWords()
	}
	all := s.found
	for _, d := range s.touched {
		of := &s.of[d]
		if (of.whole > 0 || most > 0 && bits.OnesCount32(of.words) == most) && ix.holds(t, d) {
			all = append(all, newMatch(ix.total(t, of, d), d))
		}
	}
	s.found = all
	if list := ix.keys.find(keyID, t.id); len(list) > 0 {
		return promote(all, list[0])
	}
	return all
}

// addWords scores every word, the rarest first: of the lists of the others only
// a few entries are then looked at. It reports whether it took any word for
// misspelt.
func (ix *Index) addWords(t *text, how leniency, s *scores) (doubt bool) {
	type plan struct {
		bit        uint32
		candidates []candidate
		documents  int
	}
	plans := make([]plan, 0, maxQueryWords)
	for i, w := range t.words {
		from := len(s.terms)
		documents := ix.candidates(w, s)
		if how >= misspelt || how == doubting && documents < enough {
			doubt = true
			documents = max(documents, ix.misspelt(w, s, from))
		}
		plans = append(plans, plan{1 << i, s.terms[from:], documents})
	}
	slices.SortStableFunc(plans, func(a, b plan) int { return a.documents - b.documents })
	need := uint32(0)
	for _, p := range plans {
		s.addWord(&ix.terms, p.candidates, p.bit, need, rarity(ix.Len(), p.documents))
		if how != loose {
			need |= p.bit
		}
	}
	return doubt
}

// rarity is what a word in n of all documents is worth, growing with the
// logarithm of how rare it is. Whole numbers make every machine agree.
func rarity(all, n int) uint32 {
	return 2 + uint32(bits.Len(uint(all/max(1, n))))
}

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
	for i := from; i < to; i++ {
		quality := beginQuality + uint32(beginRange*len(w.text)/len(ix.terms.at(i)))
		if exact && i == from {
			quality = exactQuality
		}
		s.terms = append(s.terms, candidate{i, quality})
		most = max(most, len(ix.terms.list(i)))
	}
	return most
}

// misspelt adds the terms that w may be meant for, but for those it is or
// begins: these are in s.terms already, a range from the index from on.
func (ix *Index) misspelt(w word, s *scores, from int) (most int) {
	typed := s.terms[from:]
	ix.terms.similar(w.text, func(i, mistakes int) {
		if len(typed) > 0 && typed[0].term <= i && i <= typed[len(typed)-1].term {
			return
		}
		s.terms = append(s.terms, candidate{i, uint32(mistakeQuality - mistakeCost*mistakes)})
		most = max(most, len(ix.terms.list(i)))
	})
	return most
}

// addWhole marks the documents one of whose names the text is, or begins. They
// match even if the words are spaced otherwise: "liveserv" finds "Live Server".
func (ix *Index) addWhole(t *text, doubt bool, s *scores) {
	if t.whole == "" {
		return
	}
	ix.markNames(t.whole, wholeName, s)
	if t.turned != "" {
		ix.markNames(t.turned, turnedName, s)
	}
	if doubt {
		ix.names.similar(t.whole, func(i, mistakes int) {
			if mistakes > 0 {
				s.addWhole(ix.names.list(i), misspeltName)
			}
		})
	}
}

// markNames marks the documents one of whose names text is, or begins.
func (ix *Index) markNames(text string, mark int, s *scores) {
	from, exact := ix.names.find(text)
	if exact {
		s.addWhole(ix.names.list(from), uint32(mark))
		from++
	}
	for i := from; i < ix.names.len() && bytes.HasPrefix(ix.names.at(i), []byte(text)); i++ {
		part := (mark - begunName) * len(text) / len(ix.names.at(i))
		s.addWhole(ix.names.list(i), uint32(begunName+part))
	}
}

// Points beside those of the words. wholePoints times the number of words is
// what each 64th of a name is worth; popularity multiplies the points by up to
// 4.9; a name typed as it is spelled comes before all that is not, and an id
// before the names.
const (
	wholePoints    = 300
	popularityBase = 64
	namePoints     = 1 << 29
	idPoints       = 1 << 30
)

func (ix *Index) total(t *text, of *score, d uint32) uint32 {
	points := of.sum + of.whole*wholePoints*uint32(len(t.words))
	points = points / 8 * (popularityBase + uint32(ix.popular[d]))
	if of.whole == wholeName && ix.spells(t, d) {
		points += namePoints
	}
	return points
}

// spells reports whether t is the title or the name of the document, word by
// word. The marks say so of squeezed names only: "react native" is not how
// "ReactNative" is spelled.
func (ix *Index) spells(t *text, d uint32) bool {
	doc := ix.described(int(d))
	return slices.Equal(words(doc.Title), t.spelled) || slices.Equal(words(doc.Name), t.spelled)
}

// promote puts the document with the id that was typed first.
func promote(all []match, document uint32) []match {
	for i, m := range all {
		if m.document() == document {
			all[i] = newMatch(m.score()+idPoints, document)
		}
	}
	return all
}

// matchPublishers returns what a text without words asks for.
func (ix *Index) matchPublishers(t *text) []match {
	var all []match
	for _, p := range t.publishers {
		for _, kind := range []byte{keyPublisher, keyPublisherTitle} {
			for _, d := range ix.keys.find(kind, p) {
				all = append(all, newMatch(uint32(ix.popular[d]), d))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// holds reports whether the document is of one of the publishers and has the
// phrases.
func (ix *Index) holds(t *text, d uint32) bool {
	if len(t.publishers) > 0 && !slices.ContainsFunc(t.publishers, func(p string) bool { return ix.publishes(p, d) }) {
		return false
	}
	if len(t.phrases) == 0 {
		return true
	}
	doc := ix.described(int(d))
	for _, phrase := range t.phrases {
		if !doc.says(phrase) {
			return false
		}
	}
	return true
}

func (ix *Index) publishes(publisher string, d uint32) bool {
	for _, kind := range []byte{keyPublisher, keyPublisherTitle} {
		if _, ok := slices.BinarySearch(ix.keys.find(kind, publisher), d); ok {
			return true
		}
	}
	return false
}

// says reports whether one field has the words side by side.
func (d *Document) says(phrase []string) bool {
	fields := append([]string{d.Title, d.Name, d.Publisher, d.PublisherTitle, d.Description}, d.Tags...)
	for _, c := range d.Categories {
		fields = append(fields, category(c))
	}
	return slices.ContainsFunc(fields, func(field string) bool {
		have := words(field)
		for i := 0; i+len(phrase) <= len(have); i++ {
			if slices.EqualFunc(have[i:i+len(phrase)], phrase, isWord) {
				return true
			}
		}
		return false
	})
}

// isWord reports whether have is the word; of a run without spaces it need only
// be a part.
func isWord(have, want string) bool {
	return have == want || unspaced(want) && strings.Contains(have, want)
}
