package index

import (
	"fmt"
	"math/bits"
	"slices"
	"unicode/utf8"

	"galbuild/index/segment"
)

// tolerance returns how many letters of a word of n letters may be wrong: one
// from five letters on, two from nine. What counts is the longer of the word
// typed and the word meant.
func tolerance(n int) int {
	switch {
	case n >= 9:
		return 2
	case n >= 5:
		return 1
	}
	return 0
}

// reach returns how many mistakes a word of n letters can be away from the word
// meant, which may be longer by the mistakes made.
func reach(n int) int {
	most := 0
	for longer := range 3 {
		if t := tolerance(n + longer); t >= longer {
			most = t
		}
	}
	return most
}

// neighbours are the strings of a dictionary by the number of their letters, each
// with its signature, for finding those that a word may be meant for.
type neighbours struct {
	starts []uint32 // where the strings of 0, 1, … letters start in all; the last is the end
	all    []uint64 // number of the string << 32 | signature; ascending for each length
}

const nearStarts = maxWord + 2

func newNeighbours(d *dictionary) neighbours {
	n := neighbours{make([]uint32, nearStarts), make([]uint64, d.len())}
	for i := range d.len() {
		n.starts[countLetters(d.at(i))+1]++
	}
	for i := 1; i < nearStarts; i++ {
		n.starts[i] += n.starts[i-1]
	}
	next := slices.Clone(n.starts)
	for i := range d.len() {
		k := countLetters(d.at(i))
		n.all[next[k]] = uint64(i)<<32 | uint64(signature(d.at(i)))
		next[k]++
	}
	return n
}

// countLetters counts no further than the longest word that is ever looked for.
func countLetters(word []byte) int { return min(utf8.RuneCount(word), maxWord) }

func (n neighbours) write(w *segment.Writer, name string) {
	w.Add(name+".near", segment.Bytes32(n.starts), segment.Bytes64(n.all))
}

// openNeighbours reads the section that newer files have, or makes up for it.
func openNeighbours(s *segment.Segment, name string, d *dictionary) (neighbours, error) {
	raw, err := s.Section(name + ".near")
	if err != nil {
		return newNeighbours(d), nil
	}
	if len(raw) != 4*nearStarts+8*d.len() {
		return neighbours{}, fmt.Errorf("%w: section %q has %d bytes for %d strings", segment.ErrCorrupt, name+".near", len(raw), d.len())
	}
	n := neighbours{segment.Uint32s(raw[:4*nearStarts]), segment.Uint64s(raw[4*nearStarts:])}
	if !reaches(n.starts, d.len()) || slices.ContainsFunc(n.all, func(e uint64) bool { return e>>32 >= uint64(d.len()) }) {
		return neighbours{}, fmt.Errorf("%w: section %q leads outside", segment.ErrCorrupt, name+".near")
	}
	return n, nil
}

// lexicon is a dictionary in which words are looked for that may be misspelt.
type lexicon struct {
	dictionary
	near neighbours
}

func openLexicon(s *segment.Segment, name string, documents int) (lexicon, error) {
	d, err := openDictionary(s, name, documents)
	if err != nil {
		return lexicon{}, err
	}
	near, err := openNeighbours(s, name, &d)
	return lexicon{d, near}, err
}

// similar yields the strings that word may be meant for, with the number of
// mistakes. It compares signatures with all strings of about that length, of which
// hardly any are left to be compared letter by letter. It ends early if there is not
// enough work left.
func (l *lexicon) similar(word string, work *Work, yield func(i, wrong int)) {
	var room letters
	typed := room.of([]byte(word))
	limit := reach(len(typed))
	if limit == 0 {
		return
	}
	want := signature([]byte(word))
	from, to := l.near.starts[len(typed)-limit], l.near.starts[min(len(typed)+limit, maxWord)+1]
	if from > to || !work.take(int(to-from)/signaturesPerStep) { // from > to only in a damaged file
		return
	}
	most := 2 * limit
	for _, e := range l.near.all[from:to] {
		if bits.OnesCount32(uint32(e)^want) > most {
			continue
		}
		if !work.take(mistakesCost) {
			return
		}
		if i, wrong := int(e>>32), l.compare(typed, int(e>>32), limit); wrong < far {
			yield(i, wrong)
		}
	}
}

// compare returns how many letters of string i differ from the typed word, or far if more
// differ than are allowed.
func (l *lexicon) compare(typed []rune, i, limit int) int {
	var room letters
	meant := room.of(l.at(i))
	if wrong := mistakes(typed, meant, limit); wrong <= tolerance(max(len(typed), len(meant))) {
		return wrong
	}
	return far
}

// signaturesPerStep is how many signatures are compared in a step. mistakesCost is the cost
// of comparing two words letter by letter, in steps.
const (
	signaturesPerStep = 3
	mistakesCost      = 40
)

// letters is room for those of a word.
type letters [maxWord]rune

// of returns the letters of word, which are cut off behind maxWord.
func (l *letters) of(word []byte) []rune {
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

// signature has a bit for each small letter of the alphabet that is in word, and
// six for all others. A mistake changes two bits at most.
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

const far = 100 // more mistakes than are ever allowed

// mistakes returns how many letters must be left out, put in, replaced, or swapped
// with the next to make b of a (optimal string alignment); more than limit if it
// is more. Of the table only the cells within limit of the diagonal are filled in.
func mistakes(a, b []rune, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return far
	}
	var rows [3][maxWord + 2]uint8
	for j := range len(b) + 1 {
		rows[0][j] = uint8(j)
	}
	for i := 1; i <= len(a); i++ {
		row, above, higher := &rows[i%3], &rows[(i+2)%3], &rows[(i+1)%3]
		from, to := max(1, i-limit), min(len(b), i+limit)
		row[from-1] = far
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
		row[to+1] = far
		if int(least) > limit {
			return far
		}
	}
	return int(rows[len(a)%3][len(b)])
}
