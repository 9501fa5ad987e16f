package index

import (
	"maps"
	"slices"

	"galbuild/index/segment"
)

// lister collects which documents each string leads to. Documents come in
// ascending order; a document that comes twice in a row counts once, with its
// larger weight.
type lister struct {
	numbers map[string]int
	lists   [][]posting
}

type posting struct {
	doc    uint32
	weight uint8
}

func newLister() *lister { return &lister{numbers: make(map[string]int)} }

func (l *lister) add(s string, doc uint32, weight uint8) {
	n, ok := l.numbers[s]
	if !ok {
		n = len(l.lists)
		l.numbers[s] = n
		l.lists = append(l.lists, nil)
	}
	list := l.lists[n]
	if last := len(list) - 1; last >= 0 && list[last].doc == doc {
		list[last].weight = max(list[last].weight, weight)
		return
	}
	l.lists[n] = append(list, posting{doc, weight})
}

// write adds the sections of a dictionary and returns its strings, sorted. With
// weights there is one section more.
func (l *lister) write(w *segment.Writer, name string, weights bool) []string {
	sorted := slices.Sorted(maps.Keys(l.numbers))
	var text, weight []byte
	var ends, lists, docs []uint32
	for _, s := range sorted {
		text = append(text, s...)
		ends = append(ends, uint32(len(text)))
		for _, p := range l.lists[l.numbers[s]] {
			docs = append(docs, p.doc)
			weight = append(weight, p.weight)
		}
		lists = append(lists, uint32(len(docs)))
	}
	w.Add(name+".text", text)
	w.Add(name+".ends", segment.Bytes32(ends))
	w.Add(name+".list", segment.Bytes32(lists))
	w.Add(name+".docs", segment.Bytes32(docs))
	if weights {
		w.Add(name+".wght", weight)
	}
	return sorted
}
