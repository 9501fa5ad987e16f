package index

import "unicode/utf8"

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

// similar yields the strings of d that word may be meant for, with the number of
// mistakes: letters left out, put in, replaced, or swapped with the next (optimal
// string alignment).
//
// It goes through the sorted strings as through a tree: one row of the distance
// table for each letter of the current string, kept for the next string as far as
// the two begin alike. Where no cell of a row is within the limit, every string
// with that beginning is skipped.
func (d *dictionary) similar(word string, yield func(i, mistakes int)) {
	letters := []rune(word)
	t := newTable(letters)
	for i := 0; i < d.len() && t.limit > 0; {
		text := d.at(i)
		size, alive := t.follow(text)
		if !alive {
			i = d.prefixEnd(i, string(text[:size]))
			continue
		}
		if n := t.last(); n <= tolerance(max(len(letters), t.depth)) {
			yield(i, n)
		}
		i++
	}
}

// table holds the rows of the distance table for a path of letters. Only the
// cells within limit of the diagonal are filled in; those next to them are far.
type table struct {
	word  []rune
	limit int
	path  []rune
	sizes []int     // bytes of path up to and with each letter
	rows  [][]uint8 // rows[0] is for the empty path
	depth int       // rows in use, less one
}

const far = 100 // more mistakes than are ever allowed

func newTable(word []rune) *table {
	t := &table{word: word}
	for longer := range 3 { // the word meant may be longer by the mistakes made
		if tolerance(len(word)+longer) >= longer {
			t.limit = tolerance(len(word) + longer)
		}
	}
	first := make([]uint8, len(word)+1)
	for j := range first {
		first[j] = uint8(min(j, far))
	}
	t.rows = [][]uint8{first}
	return t
}

// follow makes the rows those of text. If no string that begins like text can be
// similar, it stops, and returns how many bytes make that beginning.
func (t *table) follow(text []byte) (size int, alive bool) {
	depth := 0
	for size < len(text) {
		r, n := utf8.DecodeRune(text[size:])
		size += n
		if depth < t.depth && t.path[depth] == r && t.sizes[depth] == size {
			depth++
			continue
		}
		t.depth = depth
		t.push(r, size)
		depth++
		if t.dead() {
			t.depth-- // the next string differs here or before
			return size, false
		}
	}
	t.depth = depth
	return size, true
}

func (t *table) push(r rune, size int) {
	t.path = append(t.path[:t.depth], r)
	t.sizes = append(t.sizes[:t.depth], size)
	t.depth++
	if len(t.rows) <= t.depth {
		t.rows = append(t.rows, make([]uint8, len(t.word)+1))
	}
	t.fill(r)
}

// fill computes the last row, for a path that ends in r.
func (t *table) fill(r rune) {
	above, row := t.rows[t.depth-1], t.rows[t.depth]
	from, to := max(1, t.depth-t.limit), min(len(t.word), t.depth+t.limit)
	if from > len(t.word) {
		from = len(t.word) + 1
	}
	row[from-1] = far
	if from == 1 {
		row[0] = uint8(min(t.depth, far))
	}
	for j := from; j <= to; j++ {
		cost := uint8(1)
		if t.word[j-1] == r {
			cost = 0
		}
		row[j] = min(above[j-1]+cost, above[j]+1, row[j-1]+1)
		if j > 1 && t.depth > 1 && t.word[j-1] == t.path[t.depth-2] && t.word[j-2] == r {
			row[j] = min(row[j], t.rows[t.depth-2][j-2]+1)
		}
	}
	if to < len(t.word) {
		row[to+1] = far
	}
}

func (t *table) dead() bool {
	row := t.rows[t.depth]
	for j := max(0, t.depth-t.limit); j <= min(len(t.word), t.depth+t.limit); j++ {
		if int(row[j]) <= t.limit {
			return false
		}
	}
	return true
}

// last returns the distance of the whole path to the whole word.
func (t *table) last() int {
	if t.depth < len(t.word)-t.limit || t.depth > len(t.word)+t.limit {
		return far
	}
	return int(t.rows[t.depth][len(t.word)])
}
