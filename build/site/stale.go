package site

import (
	"regexp"
	"slices"
	"strconv"

	"galbuild/build/blob"
	"galbuild/build/history"
)

var historyPath = regexp.MustCompile(`^(?:` + history.EntryDir + `([1-9][0-9]{0,17})-([0-9a-f]{16})\.json|` +
	history.HeadDir + `([1-9][0-9]{0,17})-([0-9a-f]{16})\.head)$`)

// StaleHistory returns those of the paths that belong to no history: the entries and heads of
// commands that were killed before their generation became current, or that wrote at the same time
// as another command, whose generation became current. The files of an earlier history are not
// stale.
//
// It reads only files that may be stale: those that share their number with others, and those that
// follow the head.
func StaleHistory(files Files, head history.Head, paths []string) ([]string, error) {
	l := &staleHistory{files: files, head: head, entries: make(map[int64][]string), heads: make(map[int64][]string), staleEntries: make(map[blob.Ref]bool)}
	for _, path := range paths {
		if m := historyPath.FindStringSubmatch(path); m != nil {
			l.add(m[1], m[2], l.entries)
			l.add(m[3], m[4], l.heads)
		}
	}
	for number, digits := range l.entries {
		if err := l.checkEntries(number, digits); err != nil {
			return nil, err
		}
	}
	l.checkFirst()
	for number, digits := range l.heads {
		if err := l.checkHeads(number, digits); err != nil {
			return nil, err
		}
	}
	slices.Sort(l.stale)
	return l.stale, nil
}

// staleHistory is a call of StaleHistory.
type staleHistory struct {
	files          Files
	head           history.Head
	entries, heads map[int64][]string // digits in the names of files, by number
	others         []*history.Entry   // of other histories
	staleEntries   map[blob.Ref]bool
	stale          []string
}

func (l *staleHistory) add(number, digits string, to map[int64][]string) {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		to[n] = append(to[n], digits)
	}
}

// mayBeStale reports whether one of the files with a number may be stale.
func (l *staleHistory) mayBeStale(number int64, digits []string) bool {
	return number == l.head.Number+1 || number <= l.head.Number && len(digits) > 1
}

// entry returns the digits in the name of the entry with a number, or "" after the last one.
func (l *staleHistory) entry(number int64) (string, error) {
	switch {
	case number > l.head.Number:
		return "", nil
	case number == l.head.Number:
		return digitsOf(l.head.Entry), nil
	case len(l.entries[number]) == 1:
		return l.entries[number][0], nil
	}
	digits, err := l.entry(number + 1)
	if err != nil {
		return "", err
	}
	next, err := l.read(number+1, digits)
	if err != nil {
		return "", err
	}
	return digitsOf(next.Previous), nil
}

func digitsOf(ref blob.Ref) string { return ref.String()[:16] }

func (l *staleHistory) read(number int64, digits string) (*history.Entry, error) {
	text, err := l.files(history.EntryDir+strconv.FormatInt(number, 10)+"-"+digits+".json", maxEntry)
	if err != nil {
		return nil, err
	}
	return history.ParseEntry(text)
}

// checkEntries finds the stale entries among those with a number.
func (l *staleHistory) checkEntries(number int64, all []string) error {
	if !l.mayBeStale(number, all) {
		return nil
	}
	want, err := l.entry(number)
	if err != nil {
		return err
	}
	for _, digits := range all {
		if digits == want {
			continue
		}
		e, err := l.read(number, digits)
		switch {
		case err != nil: // it is not known to be stale, so it stays
		case e.HistoryID() == l.head.History:
			l.addEntry(e)
		default:
			l.others = append(l.others, e)
		}
	}
	return nil
}

func (l *staleHistory) addEntry(e *history.Entry) {
	l.staleEntries[e.SHA256()] = true
	l.stale = append(l.stale, e.Path())
}

// checkFirst finds the stale ones among the first entries of other histories: those that no second
// entry follows. They are from commands that published to the same empty target.
func (l *staleHistory) checkFirst() {
	for _, e := range l.others {
		followed := slices.ContainsFunc(l.others, func(next *history.Entry) bool { return next.Number == 2 && next.History == e.SHA256() })
		if e.Number == 1 && !followed {
			l.addEntry(e)
		}
	}
}

// checkHeads finds the stale heads among those with a number.
func (l *staleHistory) checkHeads(number int64, all []string) error {
	if !l.mayBeStale(number, all) {
		return nil
	}
	want, err := l.entry(number)
	if err != nil {
		return err
	}
	for _, digits := range all {
		path := history.HeadDir + strconv.FormatInt(number, 10) + "-" + digits + ".head"
		text, err := l.files(path, history.MaxHead)
		if err != nil {
			continue
		}
		h, err := history.ParseHead(text)
		if err == nil && (l.staleEntries[h.Entry] || h.History == l.head.History && digitsOf(h.Entry) != want) {
			l.stale = append(l.stale, path)
		}
	}
	return nil
}
