package index

import (
	"strings"
	"sync/atomic"

	"galbuild/index/query"
)

// Limits of what is remembered: 1.6 MiB if every slot is taken by a long text
// with many results.
const (
	memoSlots = 2048 // a power of two
	memoHits  = 150  // three pages of an editor
	memoText  = 64   // bytes
)

// memo remembers what texts were found to mean. Everybody begins with the same
// few letters and looks for the same extensions, and a short text matches the
// most documents. An index never changes, so neither does what is remembered.
// A text has two slots it may be in; when both are taken, the first is given to
// the latest. Safe for concurrent use.
//
// Results do not depend on the memo. Incomplete results are not stored. A stored result
// costs as many steps as it took to find, so the next searches of the request have as many
// left as without the memo. A client that fills the memo with other texts makes others
// wait as long as without a memo, and no longer.
type memo struct {
	slots [memoSlots]atomic.Pointer[meaning]
}

// meaning is the beginning of a result, which nobody changes.
type meaning struct {
	text  string
	head  []Hit // the first memoHits, or all
	all   int   // how many match
	steps int   // steps that it took to find them
}

func (m *memo) slotsOf(text string) [2]*atomic.Pointer[meaning] {
	h := hash(text)
	return [2]*atomic.Pointer[meaning]{&m.slots[h%memoSlots], &m.slots[(h>>16)%memoSlots]}
}

func (m *memo) find(text string) *meaning {
	for _, slot := range m.slotsOf(text) {
		if known := slot.Load(); known != nil && known.text == text {
			return known
		}
	}
	return nil
}

// get returns the page that f asks for of the results for text, if remembered and
// if there is enough work left to find them.
func (m *memo) get(text string, f *query.Filter, work *Work) (Result, bool) {
	known := m.find(text)
	if known == nil {
		return Result{}, false
	}
	from, to := window(f, known.all)
	if from < to && to > len(known.head) || known.steps > work.limit-work.steps || !work.take(known.steps) {
		return Result{}, false
	}
	hits := make([]Hit, to-from)
	if from < to { // else the page is beyond the end
		copy(hits, known.head[from:])
	}
	return Result{hits, known.all}, true
}

// put remembers the matches of text, of which at least the first memoHits are in
// order, and how many steps it took to find them.
func (m *memo) put(text string, all []match, steps int) {
	known := &meaning{strings.Clone(text), make([]Hit, min(len(all), memoHits)), len(all), steps}
	for i := range known.head {
		known.head[i] = Hit(all[i].document())
	}
	slots := m.slotsOf(text)
	if first := slots[0].Load(); first != nil && first.text != text && slots[1].CompareAndSwap(nil, known) {
		return
	}
	slots[0].Store(known)
}
