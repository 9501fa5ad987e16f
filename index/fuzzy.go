package index

import (
	"fmt"
	"math/bits"
	"slices"
	"unicode/utf8"

	"galbuild/index/segment"
)

// maxEdits returns the number of edits by which a word and a term may differ: 1 from five
// letters on, 2 from nine. n is the length of the longer of the two.
func maxEdits(n int) int {
	switch {
	case n >= 9:
		return 2
	case n >= 5:
		return 1
	}
	return 0
}

// editRadius returns the largest number of edits by which a term may differ from a word of
// n letters. The term may be longer than the word, by as many letters as there are edits.
func editRadius(n int) int {
	most := 0
	for longer := range 3 {
		if t := maxEdits(n + longer); t >= longer {
			most = t
		}
	}
	return most
}

// signatureTable lists the strings of a dictionary by length, with a signature of each, to
// find strings that are similar to a word. Lengths are in letters.
type signatureTable struct {
	starts  []uint32 // where the strings of 0, 1, … letters start in entries, and the end
	entries []uint64 // position of the string << 32 | signature; ascending for each length
}

const numStarts = maxWord + 2

func newSignatureTable(d *dictionary) signatureTable {
	n := signatureTable{make([]uint32, numStarts), make([]uint64, d.len())}
	for i := range d.len() {
		n.starts[countLetters(d.at(i))+1]++
	}
	for i := 1; i < numStarts; i++ {
		n.starts[i] += n.starts[i-1]
	}
	next := slices.Clone(n.starts)
	for i := range d.len() {
		k := countLetters(d.at(i))
		n.entries[next[k]] = uint64(i)<<32 | uint64(signature(d.at(i)))
		next[k]++
	}
	return n
}

// countLetters returns the number of letters of word, at most maxWord.
func countLetters(word []byte) int { return min(utf8.RuneCount(word), maxWord) }

func (n signatureTable) write(w *segment.Writer, name string) {
	w.Add(name+".near", segment.Bytes32(n.starts), segment.Bytes64(n.entries))
}

func openSignatureTable(s *segment.Segment, name string, d *dictionary) (signatureTable, error) {
	raw, err := s.Section(name + ".near")
	if err != nil {
		return signatureTable{}, err
	}
	if len(raw) != 4*numStarts+8*d.len() {
		return signatureTable{}, fmt.Errorf("%w: section %q has %d bytes for %d strings", segment.ErrCorrupt, name+".near", len(raw), d.len())
	}
	n := signatureTable{segment.Uint32s(raw[:4*numStarts]), segment.Uint64s(raw[4*numStarts:])}
	if !endsAt(n.starts, d.len()) || slices.ContainsFunc(n.entries, func(e uint64) bool { return e>>32 >= uint64(d.len()) }) {
		return signatureTable{}, fmt.Errorf("%w: section %q is out of bounds", segment.ErrCorrupt, name+".near")
	}
	return n, nil
}

// fuzzyDictionary is a dictionary that can be searched for strings similar to a word.
type fuzzyDictionary struct {
	dictionary
	signatures signatureTable
}

func openFuzzyDictionary(s *segment.Segment, name string, documents int) (fuzzyDictionary, error) {
	d, err := openDictionary(s, name, documents)
	if err != nil {
		return fuzzyDictionary{}, err
	}
	signatures, err := openSignatureTable(s, name, &d)
	return fuzzyDictionary{d, signatures}, err
}

// similar yields the positions of the strings that are similar to word, with the number of
// edits. It compares the signatures of all strings of about the same length. Hardly any
// remain to be compared letter by letter. It ends early if too few steps are left.
func (l *fuzzyDictionary) similar(word string, work *Work, yield func(i, edits int)) {
	var buf letterBuffer
	typed := buf.decode([]byte(word))
	limit := editRadius(len(typed))
	if limit == 0 {
		return
	}
	want := signature([]byte(word))
	from, to := l.signatures.starts[len(typed)-limit], l.signatures.starts[min(len(typed)+limit, maxWord)+1]
	if from > to || !work.take(int(to-from)/signaturesPerStep) { // from > to in a damaged file
		return
	}
	most := 2 * limit
	for _, e := range l.signatures.entries[from:to] {
		if bits.OnesCount32(uint32(e)^want) > most {
			continue
		}
		if !work.take(compareCost) {
			return
		}
		if i, edits := int(e>>32), l.compare(typed, int(e>>32), limit); edits < tooFar {
			yield(i, edits)
		}
	}
}

// compare returns the number of edits between the typed word and string i, or tooFar if
// there are more than maxEdits allows.
func (l *fuzzyDictionary) compare(typed []rune, i, limit int) int {
	var buf letterBuffer
	term := buf.decode(l.at(i))
	if edits := editDistance(typed, term, limit); edits <= maxEdits(max(len(typed), len(term))) {
		return edits
	}
	return tooFar
}

// signaturesPerStep is the number of signatures that are compared in a step. compareCost is
// the cost of comparing two words letter by letter, in steps.
const (
	signaturesPerStep = 3
	compareCost       = 40
)

// letterBuffer is a buffer for the letters of a word.
type letterBuffer [maxWord]rune

// decode returns the letters of word, at most maxWord.
func (l *letterBuffer) decode(word []byte) []rune {
	n := 0
	for _, r := range string(word) {
		if n == len(l) {
			break
		}
		l[n] = r
		n++
	}
	return l[:n]
}

// signature returns the set of letters of word: a bit for each letter from a to z, and six
// bits for all others. An edit changes at most two bits.
func signature(word []byte) uint32 {
	s := uint32(0)
	for _, r := range string(word) {
		if 'a' <= r && r <= 'z' {
			s |= 1 << (r - 'a')
		} else {
			s |= 1 << (26 + r%6)
		}
	}
	return s
}

// tooFar is more edits than are ever allowed.
const tooFar = 100

// editDistance returns how many letters must be deleted, inserted, replaced, or swapped
// with the next one to turn a into b (optimal string alignment), or any number greater than
// limit if there are more than limit. It only computes the cells of the table within limit
// of the diagonal.
func editDistance(a, b []rune, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return tooFar
	}
	var rows [3][maxWord + 2]uint8
	for j := range len(b) + 1 {
		rows[0][j] = uint8(j)
	}
	for i := 1; i <= len(a); i++ {
		row, above, higher := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		from, to := max(1, i-limit), min(len(b), i+limit)
		row[from-1] = tooFar
		if from == 1 {
			row[0] = uint8(i)
		}
		least := row[from-1]
		for j := from; j <= to; j++ {
			cost := above[j-1]
			if a[i-1] != b[j-1] {
				cost = 1 + min(cost, above[j], row[j-1])
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					cost = min(cost, higher[j-2]+1)
				}
			}
			row[j] = cost
			least = min(least, cost)
		}
		row[to+1] = tooFar
		if int(least) > limit {
			return tooFar
		}
	}
	return int(rows[len(a)%3][len(b)])
}
