package index

import (
	"fmt"
	"slices"
	"sort"

	"galbuild/index/segment"
)

// dictionary maps strings, sorted by their bytes, to ascending lists of documents. All
// slices share the memory of the index.
type dictionary struct {
	text  []byte   // the strings, one after the other
	ends  []uint32 // where each string ends in text
	lists []uint32 // where the list of each string ends in docs
	docs  []uint32
}

func (d *dictionary) len() int { return len(d.ends) }

func (d *dictionary) at(i int) []byte {
	if i == 0 {
		return d.text[:d.ends[0]]
	}
	return d.text[d.ends[i-1]:d.ends[i]]
}

// span returns the bounds of the list of string i within docs.
func (d *dictionary) span(i int) (from, to uint32) {
	if i > 0 {
		from = d.lists[i-1]
	}
	return from, d.lists[i]
}

func (d *dictionary) list(i int) []uint32 {
	from, to := d.span(i)
	return d.docs[from:to]
}

// find returns the position of s, or the position where it would be inserted.
func (d *dictionary) find(s string) (int, bool) {
	i := sort.Search(d.len(), func(i int) bool { return string(d.at(i)) >= s })
	return i, i < d.len() && string(d.at(i)) == s
}

// prefixEnd returns the end of the range of strings that begin with s. The range begins at
// from, as returned by find. The search starts with small steps, because most ranges are
// short.
func (d *dictionary) prefixEnd(from int, s string) int {
	begins := func(i int) bool { t := d.at(i); return len(t) >= len(s) && string(t[:len(s)]) == s }
	step := 1
	for from+step < d.len() && begins(from+step) {
		from, step = from+step, 2*step
	}
	return from + sort.Search(min(step, d.len()-from), func(i int) bool { return !begins(from + i) })
}

// openDictionary opens the sections whose names begin with name and checks every offset and
// document number in them, so that no lookup can leave the file. It does not check the
// order of the strings: if they are not sorted, some are not found.
func openDictionary(s *segment.Segment, name string, documents int) (dictionary, error) {
	d, err := readDictionary(s, name)
	if err != nil {
		return dictionary{}, err
	}
	for i := range d.len() {
		if !isAscending(d.list(i), documents) {
			return dictionary{}, fmt.Errorf("%w: section %q: list %d is not ascending or contains unknown documents", segment.ErrCorrupt, name+".docs", i)
		}
	}
	return d, nil
}

// readDictionary is openDictionary without the check of the document numbers.
func readDictionary(s *segment.Segment, name string) (dictionary, error) {
	var raw [4][]byte
	for i, part := range []string{".text", ".ends", ".list", ".docs"} {
		var err error
		if raw[i], err = s.Section(name + part); err != nil {
			return dictionary{}, err
		}
	}
	d := dictionary{text: raw[0], ends: sums(segment.Uint32s(raw[1])), lists: sums(segment.Uint32s(raw[2])), docs: sums(segment.Uint32s(raw[3]))}
	if len(d.lists) != len(d.ends) || !endsAt(d.ends, len(d.text)) || !endsAt(d.lists, len(d.docs)) {
		return dictionary{}, fmt.Errorf("%w: sections %q have inconsistent sizes", segment.ErrCorrupt, name)
	}
	return d, nil
}

// endsAt reports whether offsets are ascending, repeats allowed, and the last one is size.
// An empty slice ends at 0.
func endsAt(offsets []uint32, size int) bool {
	if len(offsets) == 0 {
		return size == 0
	}
	return slices.IsSorted(offsets) && uint64(offsets[len(offsets)-1]) == uint64(size)
}

// isAscending reports whether numbers are strictly ascending and less than limit.
func isAscending(numbers []uint32, limit int) bool {
	next := uint64(0)
	for _, n := range numbers {
		if uint64(n) < next {
			return false
		}
		next = uint64(n) + 1
	}
	return next <= uint64(limit)
}
