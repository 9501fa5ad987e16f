package query

import (
	"hash/maphash"
	"slices"
	"strings"
	"unicode/utf8"

	"galbuild/index/internal/fold"
)

// Page sizes: the default, and the maximum for lists. Results for ids and names are one
// page of any length: an update check requests everything that is installed, and must get
// all of it.
const (
	DefaultPageSize = 50
	MaxPageSize     = 1_000
)

// Limits of a query. The excess is dropped, never refused. Values that are equal without
// regard to case count once.
const (
	MaxFilters      = 64      // filters of a query; each costs a search, and editors send one
	MaxNames        = 10_000  // ids and names of a query
	MaxValues       = 100     // values of one type in a filter, such as tags
	MaxQueryValues  = 1_000   // values of a query, ids, names and texts aside
	MaxTexts        = 4       // texts of a filter
	MaxLength       = 1_000   // bytes of a value; the rest of a longer one is cut off
	MaxBytes        = 1 << 20 // bytes of all values of a query, texts aside
	maxNumberLength = 64      // bytes of a number
)

// MaxSize returns the largest page of f.
func (f *Filter) MaxSize() int { return max(MaxPageSize, min(f.names(), MaxNames)) }

// Named reports whether f requests extensions by id or name.
func (f *Filter) Named() bool { return f.names() > 0 }

func (f *Filter) names() int { return len(f.IDs) + len(f.Names) }

// reader reads a query within the limits.
type reader struct {
	scanner
	names, values, bytes int // numbers of what was kept
	seed                 maphash.Seed
	seen                 hashes // hashes of type and value, for a filter with many values
	seenNames            bool   // whether it contains the filter's ids and names
	key                  []byte
	sort                 Sort // that the texts of the filter name
}

// few is how many values are compared one by one to find duplicates.
const few = 8

// keep adds value, whose criterion is of this type, to list, unless it is there already. A
// value beyond the limits is dropped.
func (r *reader) keep(list *[]string, kind int64, value string) {
	value = cut(strings.TrimSpace(value))
	switch {
	case len(*list) == MaxValues:
	case r.values == MaxQueryValues || r.bytes+len(value) > MaxBytes:
		keepNothing(list)
	case !r.repeated(*list, kind, value):
		r.values++
		r.bytes += len(value)
		*list = append(*list, value)
	}
}

// keepName adds an id or a name to f. One beyond the limits is dropped. Repeated ones find
// no more, so they are kept, and dropped only when the limits are reached: comparing all
// would make an update check slower.
func (r *reader) keepName(f *Filter, kind int64, name string) {
	list := &f.Names
	if kind == kindID {
		list = &f.IDs
	}
	name = cut(strings.TrimSpace(name))
	if r.namesAreFull(name) && !r.seenNames {
		r.dropRepeated(&f.IDs, kindID)
		r.dropRepeated(&f.Names, kindName)
		r.seenNames = true
	}
	switch {
	case r.namesAreFull(name):
		keepNothing(list)
	case !r.seenNames || r.seen.add(r.hash(kind, name)):
		if len(*list) == 1 { // a query for two is about everything that is installed
			*list = slices.Grow(*list, 63)
		}
		r.names++
		r.bytes += len(name)
		*list = append(*list, name)
	}
}

func (r *reader) namesAreFull(name string) bool {
	return r.names == MaxNames || r.bytes+len(name) > MaxBytes
}

// dropRepeated drops the ids or names that list contains more than once, and adds the rest
// to the set of hashes.
func (r *reader) dropRepeated(list *[]string, kind int64) {
	*list = slices.DeleteFunc(*list, func(name string) bool {
		if r.seen.add(r.hash(kind, name)) {
			return false
		}
		r.names--
		r.bytes -= len(name)
		return true
	})
}

// keepNothing adds the empty value, which no extension has, to an empty list. Without it,
// a filter whose values were dropped would find more.
func keepNothing(list *[]string) {
	if len(*list) == 0 {
		*list = append(*list, "")
	}
}

// repeated reports whether list, the kept values of this type, already contains the value.
// It compares 64-bit hashes that clients cannot predict.
func (r *reader) repeated(list []string, kind int64, value string) bool {
	if len(list) < few {
		for _, known := range list {
			if strings.EqualFold(known, value) {
				return true
			}
		}
		return false
	}
	if len(list) == few {
		for _, known := range list {
			r.seen.add(r.hash(kind, known))
		}
	}
	return !r.seen.add(r.hash(kind, value))
}

func (r *reader) hash(kind int64, value string) uint64 {
	r.key = fold.Append(append(r.key[:0], byte(kind)), value)
	return maphash.Bytes(r.seed, r.key)
}

// hashes is a set of hashes: a table with linear probing, at most half full, in which
// zero is a free slot.
type hashes struct {
	slots []uint64 // a power of two of them
	count int
}

// add adds h. It returns false if it is there already.
func (s *hashes) add(h uint64) bool {
	if 2*s.count >= len(s.slots) {
		s.grow()
	}
	mask := uint64(len(s.slots) - 1)
	h = max(h, 1)
	at := h & mask
	for ; s.slots[at] != 0; at = (at + 1) & mask {
		if s.slots[at] == h {
			return false
		}
	}
	s.slots[at] = h
	s.count++
	return true
}

func (s *hashes) grow() {
	all := s.slots
	*s = hashes{slots: make([]uint64, max(16*few, 2*len(all)))}
	for _, h := range all {
		if h != 0 {
			s.add(h)
		}
	}
}

// empty removes all hashes.
func (s *hashes) empty() {
	if s.count > 0 {
		clear(s.slots)
		s.count = 0
	}
}

// keepText adds a text, unless there are too many.
func (r *reader) keepText(list *[]string, text string) {
	text = cut(strings.TrimSpace(text))
	if text != "" && len(*list) < MaxTexts && !r.repeated(*list, kindText, text) {
		*list = append(*list, text)
	}
}

// cut shortens a value to the limit, between two characters.
func cut(value string) string {
	if len(value) <= MaxLength {
		return value
	}
	end := MaxLength
	for end > MaxLength-utf8.UTFMax && !utf8.RuneStart(value[end]) {
		end--
	}
	return value[:end]
}
