package index

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"

	"galbuild/index/internal/fold"
	"galbuild/index/segment"
)

// pins are the documents that come first in the results of certain texts. It is a dictionary whose
// strings are the words of a text, joined with spaces. The documents of a text are in the order of
// the results.
type pins struct{ dictionary }

// find returns the documents that come first if these are the words of a text.
func (p *pins) find(words []string, s *scores) []uint32 {
	s.joined = s.joined[:0]
	for i, w := range words {
		if i > 0 {
			s.joined = append(s.joined, ' ')
		}
		s.joined = append(s.joined, w...)
	}
	i, ok := sort.Find(p.len(), func(i int) int { return bytes.Compare(s.joined, p.at(i)) })
	if !ok {
		return nil
	}
	return p.list(i)
}

// pinCost is the cost of finding the pinned documents among the matches, in steps for each match.
const pinCost = 1

// addPinned adds the documents that are pinned to t to its matches, with the highest scores. A text
// with phrases or publishers has no pinned documents.
func (ix *Index) addPinned(t *text, all []match, s *scores) []match {
	if ix.pins.len() == 0 || t.compact == "" || len(t.publishers) > 0 {
		return all
	}
	pinned := ix.pins.find(t.typed, s)
	if len(pinned) == 0 || !s.work.take(keyCost+2*len(pinned)+pinCost*len(all)) {
		return all
	}
	for position, d := range pinned {
		s.byDocument[d].sum = math.MaxUint32 - uint32(position)
	}
	add := func(d uint32) match {
		m := newMatch(s.byDocument[d].sum, d)
		s.byDocument[d] = score{}
		return m
	}
	for i, m := range all {
		if s.byDocument[m.document()].sum > 0 {
			all[i] = add(m.document())
		}
	}
	for _, d := range pinned {
		if s.byDocument[d].sum > 0 {
			all = append(all, add(d))
		}
	}
	s.found = all // keeps the memory
	return all
}

// writePins writes the sections of the pins. Ids of other extensions than those of the documents
// are left out.
func writePins(w *segment.Writer, all []ranked, pinned map[string][]string) {
	lists := pinnedDocuments(all, pinned)
	var d dictionary
	for _, text := range slices.Sorted(maps.Keys(lists)) {
		d.text, d.docs = append(d.text, text...), append(d.docs, lists[text]...)
		d.ends, d.lists = append(d.ends, uint32(len(d.text))), append(d.lists, uint32(len(d.docs)))
	}
	d.write(w, "pin")
}

// pinnedDocuments returns the numbers of the pinned documents by the words of the text. Texts with
// the same words have the documents of all of them.
func pinnedDocuments(all []ranked, pinned map[string][]string) map[string][]uint32 {
	numbers := make(map[string]uint32)
	if len(pinned) > 0 {
		for i := range all {
			numbers[all[i].id] = uint32(i)
		}
	}
	lists := make(map[string][]uint32)
	for _, text := range slices.Sorted(maps.Keys(pinned)) {
		words := strings.Join(wordsOfQuery(text), " ")
		for _, id := range pinned[text] {
			n, ok := numbers[fold.String(id)]
			if ok && words != "" && !slices.Contains(lists[words], n) {
				lists[words] = append(lists[words], n)
			}
		}
	}
	return lists
}

func openPins(s *segment.Segment, documents int) (pins, error) {
	d, err := readDictionary(s, "pin")
	if err != nil {
		return pins{}, err
	}
	for _, n := range d.docs {
		if uint64(n) >= uint64(documents) {
			return pins{}, fmt.Errorf("%w: section %q contains document %d of %d", segment.ErrCorrupt, "pin.docs", n, documents)
		}
	}
	return pins{d}, nil
}

// Pin is the documents that come first in the results of a text.
type Pin struct {
	Text string // its words, folded, with one space between them
	Hits []Hit  // in the order of the results
}

// Pins returns the pins, sorted by text.
func (ix *Index) Pins() []Pin {
	all := make([]Pin, ix.pins.len())
	for i := range all {
		all[i].Text = string(ix.pins.at(i))
		for _, d := range ix.pins.list(i) {
			all[i].Hits = append(all[i].Hits, Hit(d))
		}
	}
	return all
}
