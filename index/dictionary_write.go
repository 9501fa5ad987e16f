package index

import (
	"slices"
	"strings"

	"galbuild/index/segment"
)

// dictionaryBuilder collects the documents of each string. Documents must be added in
// ascending order. If a document is added to a string more than once, it has one posting,
// with the largest weight.
type dictionaryBuilder struct {
	numbers     map[string]uint32 // number of each string, in the order in which they were added
	strings     []string
	size        int      // total length of the strings in bytes
	lastPosting []uint32 // for each string, 1 + index of its last posting
	counts      []uint32 // for each string, the number of its postings
	postings    []posting
}

type posting struct {
	number uint32 // number of the string
	doc    uint32
	weight uint8
}

func newDictionaryBuilder() *dictionaryBuilder {
	return &dictionaryBuilder{numbers: make(map[string]uint32)}
}

// add adds a document to the list of s. It does not retain s.
func (l *dictionaryBuilder) add(s []byte, doc uint32, weight uint8) {
	n, ok := l.numbers[string(s)]
	if !ok {
		n = uint32(len(l.strings))
		s := string(s)
		l.numbers[s] = n
		l.strings = append(l.strings, s)
		l.size += len(s)
		l.lastPosting = append(l.lastPosting, 0)
		l.counts = append(l.counts, 0)
	}
	if i := l.lastPosting[n]; i > 0 && l.postings[i-1].doc == doc {
		l.postings[i-1].weight = max(l.postings[i-1].weight, weight)
		return
	}
	l.postings = append(l.postings, posting{n, doc, weight})
	l.lastPosting[n] = uint32(len(l.postings))
	l.counts[n]++
}

// write writes the sections of the dictionary. It returns the dictionary, and a weight for
// each element of docs.
func (l *dictionaryBuilder) write(w *segment.Writer, name string) (dictionary, []uint8) {
	d, weights := l.dictionary()
	d.write(w, name)
	return d, weights
}

func (d *dictionary) write(w *segment.Writer, name string) {
	w.Add(name+".text", d.text)
	w.Add(name+".ends", segment.Bytes32(differences(d.ends)))
	w.Add(name+".list", segment.Bytes32(differences(d.lists)))
	w.Add(name+".docs", segment.Bytes32(differences(d.docs)))
}

// dictionary returns the sorted dictionary, and a weight for each element of docs.
func (l *dictionaryBuilder) dictionary() (dictionary, []uint8) {
	n := len(l.strings)
	d := dictionary{
		text: make([]byte, 0, l.size), ends: make([]uint32, n),
		lists: make([]uint32, n), docs: make([]uint32, len(l.postings)),
	}
	next := make([]uint32, n) // for each string, the position of its next document in docs
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

// order returns the numbers of the strings, sorted by the bytes of the strings.
func (l *dictionaryBuilder) order() []uint32 {
	numbers := make([]uint32, len(l.strings))
	for i := range numbers {
		numbers[i] = uint32(i)
	}
	slices.SortFunc(numbers, func(a, b uint32) int { return strings.Compare(l.strings[a], l.strings[b]) })
	return numbers
}
