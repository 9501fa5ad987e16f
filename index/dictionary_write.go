package index

import (
	"slices"
	"strings"

	"galbuild/index/segment"
)

// lister collects which documents each string leads to. Documents come in
// ascending order; a document that comes twice for a string counts once, with its
// larger weight.
type lister struct {
	numbers  map[string]uint32 // of the strings, as they came
	strings  []string
	size     int      // of all strings, in bytes
	latest   []uint32 // for each string, 1 + number of its latest posting
	counts   []uint32 // for each string, its postings
	postings []posting
}

type posting struct {
	number uint32 // of the string
	doc    uint32
	weight uint8
}

func newLister() *lister { return &lister{numbers: make(map[string]uint32)} }

// add keeps nothing of s, which may be used again.
func (l *lister) add(s []byte, doc uint32, weight uint8) {
	n, ok := l.numbers[string(s)]
	if !ok {
		n = uint32(len(l.strings))
		s := string(s)
		l.numbers[s] = n
		l.strings = append(l.strings, s)
		l.size += len(s)
		l.latest = append(l.latest, 0)
		l.counts = append(l.counts, 0)
	}
	if i := l.latest[n]; i > 0 && l.postings[i-1].doc == doc {
		l.postings[i-1].weight = max(l.postings[i-1].weight, weight)
		return
	}
	l.postings = append(l.postings, posting{n, doc, weight})
	l.latest[n] = uint32(len(l.postings))
	l.counts[n]++
}

// write adds the sections of a dictionary and returns it, with the weights beside
// its docs.
func (l *lister) write(w *segment.Writer, name string) (dictionary, []uint8) {
	d, weights := l.dictionary()
	w.Add(name+".text", d.text)
	w.Add(name+".ends", segment.Bytes32(d.ends))
	w.Add(name+".list", segment.Bytes32(d.lists))
	w.Add(name+".docs", segment.Bytes32(d.docs))
	return d, weights
}

// dictionary sorts what was collected.
func (l *lister) dictionary() (dictionary, []uint8) {
	n := len(l.strings)
	d := dictionary{
		text: make([]byte, 0, l.size), ends: make([]uint32, n),
		lists: make([]uint32, n), docs: make([]uint32, len(l.postings)),
	}
	next := make([]uint32, n) // for each string, where in docs its next document goes
	end := uint32(0)
	for i, number := range l.order() {
		d.text = append(d.text, l.strings[number]...)
		next[number] = end
		end += l.counts[number]
		d.ends[i], d.lists[i] = uint32(len(d.text)), end
	}
	weights := make([]uint8, len(l.postings))
	for _, p := range l.postings {
		d.docs[next[p.number]], weights[next[p.number]] = p.doc, p.weight
		next[p.number]++
	}
	return d, weights
}

// order returns the numbers of the strings, which are sorted by bytes.
func (l *lister) order() []uint32 {
	numbers := make([]uint32, len(l.strings))
	for i := range numbers {
		numbers[i] = uint32(i)
	}
	slices.SortFunc(numbers, func(a, b uint32) int { return strings.Compare(l.strings[a], l.strings[b]) })
	return numbers
}
