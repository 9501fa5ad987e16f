package site

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/history"
	"galbuild/build/regularfile"
)

// ErrHistory is wrapped by the errors of commands for a site or target whose history cannot be
// read. Until it is repaired or begun again, no other generation can become current there.
var ErrHistory = errors.New("the history is damaged")

// Files reads a file of a site or target, with a limit of its size in bytes. The path is relative
// to the site.
type Files func(path string, limit int64) ([]byte, error)

// FilesIn returns the Files of the site at root.
func FilesIn(root string) Files {
	d := &Dir{Root: root}
	return func(path string, limit int64) ([]byte, error) { return regularfile.ReadFile(d.Path(path), limit) }
}

// maxEntry limits the size of an entry, in bytes. The first entry of a gallery of a million
// versions has 150 MB.
const maxEntry = MaxCompressedCatalog

// ReadHead reads the head h of a history, and checks that it is the head of the generation c.
func ReadHead(files Files, c Current, h Head) (history.Head, error) {
	text, err := files(h.Path(), history.MaxHead)
	if err != nil {
		return history.Head{}, fmt.Errorf("%w: %w", ErrHistory, err)
	}
	if got := blob.Sum(text); got != h.SHA256 {
		return history.Head{}, fmt.Errorf("%w: %s: SHA-256 is %s, want %s as in %s", ErrHistory, h.Path(), got, h.SHA256, CurrentPath)
	}
	head, err := history.ParseHead(text)
	switch {
	case err != nil:
		return history.Head{}, fmt.Errorf("%w: %s: %w", ErrHistory, h.Path(), err)
	case head.Number != h.Number, MakeCurrent(head.Catalog, head.Index, head.Private) != c, head.Generation != c.Generation:
		return history.Head{}, fmt.Errorf("%w: %s is the head of generation %s and has number %d, and %s names generation %s and number %d",
			ErrHistory, h.Path(), head.Generation, head.Number, CurrentPath, c.Generation, h.Number)
	}
	return head, nil
}

// ReadEntry reads an entry of a history.
func ReadEntry(files Files, number int64, sum blob.Ref) (*history.Entry, error) {
	path := history.EntryPath(number, sum)
	text, err := files(path, maxEntry)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrHistory, err)
	}
	if got := blob.Sum(text); got != sum {
		return nil, fmt.Errorf("%w: %s: SHA-256 is %s, want %s as in the entry or head that names it", ErrHistory, path, got, sum)
	}
	e, err := history.ParseEntry(text)
	if err == nil && e.Number != number {
		err = fmt.Errorf("the file has entry %d", e.Number)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrHistory, path, err)
	}
	return e, nil
}

// Entries yields the entries of a history, the latest first. It ends after an error.
func Entries(files Files, head history.Head) iter.Seq2[*history.Entry, error] {
	return func(yield func(*history.Entry, error) bool) {
		sum := head.Entry
		for number := head.Number; number > 0; number-- {
			e, err := ReadEntry(files, number, sum)
			if !yield(e, err) || err != nil {
				return
			}
			sum = e.Previous
		}
	}
}

// defaultKeep is how many generations keep their files by default: the current one and the previous
// one.
const defaultKeep = 2

// Kept returns the names of the generations of a history that keep their files, the latest first.
// These are the n latest ones, or the 2 latest ones if n is 0.
func Kept(files Files, head history.Head, n int) (names []string, err error) {
	n = cmp.Or(n, defaultKeep)
	for e, err := range Entries(files, head) {
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, e.Generation) {
			names = append(names, e.Generation)
		}
		if len(names) == n {
			break
		}
	}
	return names, nil
}

// Commit describes a command that makes a generation current, for its entry in the history, and
// says how many generations the command keeps. The zero value is ready for use.
type Commit struct {
	Command string // such as "build"
	By      string
	Reason  string
	When    time.Time       // zero is now
	Sender  *history.Sender // of content that was copied
	// Restart begins a new history, even if the old one is damaged.
	Restart bool
	// Copy is the head of another site, which is used unchanged instead of a new entry, because
	// a copy of an index has no history of its own. It is the head of the generation that
	// becomes current.
	Copy *history.Head
	// Sign returns the head with signatures. last is the previous head, or zero if there is
	// none or if it cannot be read. If Sign is nil, the head is not signed.
	Sign func(last, head history.Head) (history.Head, error)
	// Keep is the number of generations that keep their files, the current one included. 0
	// means 2.
	Keep int
}

// An Addition to a history is an entry with its head.
type Addition struct {
	Head  Head
	Files []TextFile // the entry, and then the head
}

// A TextFile is a small file of a site.
type TextFile struct {
	Path string
	Text []byte
}

// Append returns the entry and the head that a history needs before the generation next can become
// current. last is the head that CURRENT names, or zero if there is none.
func (c Commit) Append(files Files, old Previous, last Head, next Generation) (Addition, error) {
	var head, lastHead history.Head // head stays zero for a new history
	var previous *history.Entry
	var err error
	if !last.IsZero() {
		if lastHead, err = ReadHead(files, old.Current, last); err == nil && !c.Restart {
			head = lastHead
			previous, err = ReadEntry(files, head.Number, head.Entry)
		}
		if err != nil && !c.Restart {
			return Addition{}, err
		}
	}
	e := history.Entry{
		When: c.When, Generation: next.Generation, Catalog: next.Current.Catalog, Index: next.Index, Private: next.Private,
		Command: c.Command, By: c.By, Reason: c.Reason, Sender: c.Sender,
	}
	if e.When.IsZero() {
		e.When = time.Now()
	}
	if err := describe(&e, files, head, old.Packages, next.Catalog); err != nil {
		return Addition{}, err
	}
	entry, made, err := history.Append(previous, e)
	if err == nil && c.Sign != nil {
		made, err = c.Sign(lastHead, made)
	}
	if err != nil {
		return Addition{}, err
	}
	text := made.File()
	h := Head{made.Number, blob.Sum(text)}
	return Addition{h, []TextFile{{entry.Path(), entry.Text()}, {h.Path(), text}}}, nil
}

// describe sets how many extensions and versions the generation next has, and how its packages
// differ from those of the previous generation, which are nil if they must be read from the
// history. The first entry of a history adds all packages.
func describe(e *history.Entry, files Files, head history.Head, previous Packages, next *catalog.Catalog) error {
	now := PackagesOf(next)
	e.Extensions, e.Versions = len(next.Extensions), len(now)
	switch {
	case head.Number == 0:
		previous = nil
	case previous == nil:
		var err error
		if previous, err = replay(files, head); err != nil {
			return err
		}
	}
	e.Added, e.Removed = changes(now, previous), changes(previous, now)
	return nil
}

// Generation is a generation with its catalogue.
type Generation struct {
	Current
	Catalog *catalog.Catalog
}

// Previous is the generation that was current until another one became current.
type Previous struct {
	Current
	Packages Packages // nil if its catalogue cannot be read
}

// Packages are the hashes of the packages of a generation, by key.
type Packages map[string]blob.Ref

// PackagesOf returns the packages of a catalogue. They are not nil.
func PackagesOf(c *catalog.Catalog) Packages {
	all := make(Packages)
	for key, v := range c.Versions() {
		all[key] = v.Package.Ref
	}
	return all
}

// replay computes the packages of the last generation of a history from its entries.
func replay(files Files, head history.Head) (Packages, error) {
	var entries []*history.Entry
	for e, err := range Entries(files, head) {
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	all := make(Packages)
	for _, e := range slices.Backward(entries) {
		for _, c := range e.Removed {
			delete(all, c.Key)
		}
		for _, c := range e.Added {
			all[c.Key] = c.SHA256
		}
	}
	return all, nil
}

// changes returns the packages of a that are not in b, sorted by key.
func changes(a, b Packages) (all []history.Change) {
	for key, ref := range a {
		if other, ok := b[key]; !ok || other != ref {
			all = append(all, history.Change{Key: key, SHA256: ref})
		}
	}
	slices.SortFunc(all, func(a, b history.Change) int { return strings.Compare(a.Key, b.Key) })
	return all
}

// SenderOf returns the sender of content that is copied from a site or target with this head.
func SenderOf(h history.Head) *history.Sender {
	return &history.Sender{History: h.History, Number: h.Number, Root: h.Root, Generation: h.Generation, When: h.When}
}

// CheckHistory checks the whole history: each entry, and that the head commits to all of them.
func CheckHistory(files Files, head history.Head) error {
	err := CheckExtends(files, history.Head{}, head)
	if errors.Is(err, history.ErrInconsistent) {
		return fmt.Errorf("%w: %w", ErrHistory, err)
	}
	return err
}

// CheckExtends returns an error that wraps [history.ErrInconsistent] unless the history with the
// head newer extends that with the head older. It reads the entries after the older one.
func CheckExtends(files Files, older, newer history.Head) error {
	var entries []*history.Entry
	sum := newer.Entry
	for number := newer.Number; number > older.Number; number-- {
		e, err := ReadEntry(files, number, sum)
		if err != nil {
			return err
		}
		entries = append(entries, e)
		sum = e.Previous
	}
	slices.Reverse(entries)
	return history.Consistent(older, newer, func(yield func(*history.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	})
}
