package query

import (
	"hash/maphash"
	"slices"
	"strings"
	"unicode/utf8"

	"galbuild/index/internal/fold"
)

// The default page size, and the largest page of a list. Results for ids and names are one
// page of any length: an update check requests everything that is installed, and must get all
// of it.
const (
	DefaultPageSize = 50
	MaxPageSize     = 1_000
)

// Limits of a query. Whatever exceeds them is dropped, not refused. Values that are equal
// without regard to case count once.
const (
	MaxFilters      = 64      // filters of a query; each is a search, and editors send one
	MaxNames        = 10_000  // ids and names of a query
	MaxValues       = 100     // values of one type in a filter, such as tags
	MaxQueryValues  = 1_000   // values of a query, not counting ids, names and texts
	MaxTexts        = 4       // texts of a filter
	MaxLength       = 1_000   // bytes of a value; longer values are truncated
	MaxBytes        = 1 << 20 // bytes of all values of a query, not counting texts
	maxNumberLength = 64      // bytes of a number
)

// MaxSize returns the largest page size that f may have.
func (f *Filter) MaxSize() int { return max(MaxPageSize, min(f.countNames(), MaxNames)) }

// Named reports whether f requests extensions by id or name.
func (f *Filter) Named() bool { return f.countNames() > 0 }

// countNames returns the number of ids and names.
func (f *Filter) countNames() int { return len(f.IDs) + len(f.Names) }

// reader reads a query within the limits.
type reader struct {
	scanner
	names, values, bytes int // accepted names and values, and their bytes
	seed                 maphash.Seed
	seen                 hashes // hashes of type and value, for filters with many values
	seenNames            bool   // whether seen contains the ids and names of the filter
	key                  []byte
	sort                 Sort // order requested by the texts of the filter
}

// linearLimit is the number of values that are compared one by one to find duplicates.
// Longer lists use hashes.
const linearLimit = 8

// addValue adds value, whose criterion has this type, to list, unless list contains it
// already. A value that exceeds the limits is dropped.
func (r *reader) addValue(list *[]string, kind int64, value string) {
	value = truncate(strings.TrimSpace(value))
	switch {
	case len(*list) == MaxValues:
	case r.values == MaxQueryValues || r.bytes+len(value) > MaxBytes:
		matchNothing(list)
	case !r.isRepeated(*list, kind, value):
		r.values++
		r.bytes += len(value)
		*list = append(*list, value)
	}
}

// addName adds an id or a name to f. A name that exceeds the limits is dropped. Repeated
// names do not find more, so they are removed only when the limits are reached: comparing
// all names would make update checks slower.
func (r *reader) addName(f *Filter, kind int64, name string) {
	list := &f.Names
	if kind == kindID {
		list = &f.IDs
	}
	name = truncate(strings.TrimSpace(name))
	if r.exceedsNames(name) && !r.seenNames {
		r.dropRepeated(&f.IDs, kindID)
		r.dropRepeated(&f.Names, kindName)
		r.seenNames = true
	}
	switch {
	case r.exceedsNames(name):
		matchNothing(list)
	case !r.seenNames || r.seen.add(r.hash(kind, name)):
		if len(*list) == 1 { // a query for two names is usually an update check for many
			*list = slices.Grow(*list, 63)
		}
		r.names++
		r.bytes += len(name)
		*list = append(*list, name)
	}
}

// exceedsNames reports whether one more name would exceed the limits.
func (r *reader) exceedsNames(name string) bool {
	return r.names == MaxNames || r.bytes+len(name) > MaxBytes
}

// dropRepeated removes duplicate ids or names from list, and adds the others to seen.
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

// matchNothing adds the empty value, which matches nothing, to an empty list. Without it, a
// filter whose values were all dropped would match more.
func matchNothing(list *[]string) {
	if len(*list) == 0 {
		*list = append(*list, "")
	}
}

// isRepeated reports whether list, the accepted values of this type, already contains
// value. It compares 64-bit hashes that clients cannot predict.
func (r *reader) isRepeated(list []string, kind int64, value string) bool {
	if len(list) < linearLimit {
		for _, existing := range list {
			if strings.EqualFold(existing, value) {
				return true
			}
		}
		return false
	}
	if len(list) == linearLimit {
		for _, existing := range list {
			r.seen.add(r.hash(kind, existing))
		}
	}
	return !r.seen.add(r.hash(kind, value))
}

func (r *reader) hash(kind int64, value string) uint64 {
	r.key = fold.Append(append(r.key[:0], byte(kind)), value)
	return maphash.Bytes(r.seed, r.key)
}

// hashes is a set of hashes: a table with linear probing, at most half full, in which zero
// is a free slot.
type hashes struct {
	slots []uint64 // the length is a power of two
	count int
}

// add adds h. It returns false if the set already contains it.
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
	*s = hashes{slots: make([]uint64, max(16*linearLimit, 2*len(all)))}
	for _, h := range all {
		if h != 0 {
			s.add(h)
		}
	}
}

// reset removes all hashes.
func (s *hashes) reset() {
	if s.count > 0 {
		clear(s.slots)
		s.count = 0
	}
}

// addText adds a text, unless there are too many.
func (r *reader) addText(list *[]string, text string) {
	text = truncate(strings.TrimSpace(text))
	if text != "" && len(*list) < MaxTexts && !r.isRepeated(*list, kindText, text) {
		*list = append(*list, text)
	}
}

// truncate cuts a value that is longer than MaxLength, between two characters.
func truncate(value string) string {
	if len(value) <= MaxLength {
		return value
	}
	end := MaxLength
	for end > MaxLength-utf8.UTFMax && !utf8.RuneStart(value[end]) {
		end--
	}
	return value[:end]
}
