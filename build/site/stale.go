package site

import (
	"regexp"
	"slices"
	"strconv"

	"galbuild/build/blob"
	"galbuild/build/history"
)

var logPath = regexp.MustCompile(`^(?:` + history.EntryDir + `([1-9][0-9]{0,17})-([0-9a-f]{16})\.json|` +
	history.HeadDir + `([1-9][0-9]{0,17})-([0-9a-f]{16})\.head)$`)

// StaleLog returns those of the paths that no history needs: entries and heads of writers who lost
// a race for a number, or who were killed before their generation became current. Files of an
// earlier history stay, after which a new one was begun.
//
// It reads only files whose number others have too, and those that follow the head.
func StaleLog(files Files, head history.Head, paths []string) ([]string, error) {
	l := &staleLog{files: files, head: head, entries: make(map[int64][]string), heads: make(map[int64][]string), lost: make(map[blob.Ref]bool)}
	for _, path := range paths {
		if m := logPath.FindStringSubmatch(path); m != nil {
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

// staleLog is a call of StaleLog.
type staleLog struct {
	files          Files
	head           history.Head
	entries, heads map[int64][]string // digits in the names of files, by number
	others         []*history.Entry   // of other histories
	lost           map[blob.Ref]bool  // entries that are stale
	stale          []string
}

func (l *staleLog) add(number, digits string, to map[int64][]string) {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		to[n] = append(to[n], digits)
	}
}

// isOdd reports whether one of the files with a number may be stale.
func (l *staleLog) isOdd(number int64, digits []string) bool {
	return number == l.head.Number+1 || number <= l.head.Number && len(digits) > 1
}

// entry returns the digits in the name of the entry with a number, or "" after the last one.
func (l *staleLog) entry(number int64) (string, error) {
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

func (l *staleLog) read(number int64, digits string) (*history.Entry, error) {
	text, err := l.files(history.EntryDir+strconv.FormatInt(number, 10)+"-"+digits+".json", maxEntry)
	if err != nil {
		return nil, err
	}
	return history.ParseEntry(text)
}

// checkEntries finds the stale entries among those with a number.
func (l *staleLog) checkEntries(number int64, all []string) error {
	if !l.isOdd(number, all) {
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
		case err != nil: // nobody knows what it is
		case e.LogID() == l.head.Log:
			l.drop(e)
		default:
			l.others = append(l.others, e)
		}
	}
	return nil
}

func (l *staleLog) drop(e *history.Entry) {
	l.lost[e.SHA256()] = true
	l.stale = append(l.stale, e.Path())
}

// checkFirst drops the first entries that no second one follows: of writers who published to the
// same empty target.
func (l *staleLog) checkFirst() {
	for _, e := range l.others {
		followed := slices.ContainsFunc(l.others, func(next *history.Entry) bool { return next.Number == 2 && next.Log == e.SHA256() })
		if e.Number == 1 && !followed {
			l.drop(e)
		}
	}
}

// checkHeads finds the stale heads among those with a number.
func (l *staleLog) checkHeads(number int64, all []string) error {
	if !l.isOdd(number, all) {
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
		if err == nil && (l.lost[h.Entry] || h.Log == l.head.Log && digitsOf(h.Entry) != want) {
			l.stale = append(l.stale, path)
		}
	}
	return nil
}
