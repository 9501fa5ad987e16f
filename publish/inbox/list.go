package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/build/site"
	"galbuild/publish/target"
)

// maxObjects limits the number of objects of a publisher that are listed.
const maxObjects = 10_000

// An item is what an inbox has of a submission. At least one of its entries is not nil.
type item struct {
	Name
	pkg, document *target.Entry
}

// time returns when the last of its objects was written.
func (i *item) time() (t time.Time) {
	for _, e := range []*target.Entry{i.pkg, i.document} {
		if e != nil && e.Modified.After(t) {
			t = e.Modified
		}
	}
	return t
}

// Skipped is something in an inbox that was not read.
type Skipped struct {
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// list returns what the inbox of a target has below a prefix, sorted by publisher and time, and the
// keys that are skipped.
func list(ctx context.Context, at target.Target, prefix string) ([]*item, []Skipped, error) {
	l := listing{items: make(map[Name]*item), objects: make(map[string]int)}
	for e, err := range at.List(ctx, prefix) {
		if err != nil {
			return nil, nil, err
		}
		l.add(e)
	}
	all := make([]*item, 0, len(l.items))
	for _, i := range l.items {
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b *item) int {
		return cmp.Or(strings.Compare(a.Publisher, b.Publisher), a.time().Compare(b.time()), slices.Compare(a.SHA256[:], b.SHA256[:]))
	})
	slices.SortFunc(l.skipped, func(a, b Skipped) int { return strings.Compare(a.Key, b.Key) })
	return all, l.skipped, nil
}

// listing are the objects of an inbox.
type listing struct {
	items   map[Name]*item
	objects map[string]int // number, by folder
	skipped []Skipped
}

func (l *listing) add(e target.Entry) {
	folder := e.Key[:strings.LastIndex(e.Key, "/")+1]
	if l.objects[folder]++; l.objects[folder] > maxObjects {
		if l.objects[folder] == maxObjects+1 {
			l.skip(folder, fmt.Errorf("has more than %d files; the rest is left out", maxObjects))
		}
		return
	}
	n, suffix, err := parseKey(e.Key)
	if err != nil {
		l.skip(e.Key, err)
		return
	}
	i := l.items[n]
	if i == nil {
		i = &item{Name: n}
		l.items[n] = i
	}
	if suffix == packageSuffix {
		i.pkg = &e
	} else {
		i.document = &e
	}
}

// maxSkipped limits the number of keys that are named, because anybody who can write to the inbox
// chooses them.
const maxSkipped = 100

func (l *listing) skip(key string, reason error) {
	if len(l.skipped) < maxSkipped {
		l.skipped = append(l.skipped, Skipped{key, reason.Error()})
	}
}

// An Entry is a submission in an inbox.
type Entry struct {
	Name
	Package string  `json:"package"`           // as the author says
	Size    int64   `json:"size"`              // in bytes, as the author says
	By      string  `json:"by"`                // as the author says
	Note    string  `json:"note"`              // of the author
	Key     string  `json:"key"`               // the ID of the key that has signed it, as the author says
	State   State   `json:"state"`             // New if nobody has read it
	Result  *Result `json:"result"`            // nil if nobody has read it
	Problem string  `json:"problem,omitempty"` // why the document cannot be read
}

// Status returns the submissions in the inbox of a target: those of a publisher, or all if that is
// "".
func Status(ctx context.Context, at target.Target, publisher string) ([]Entry, []Skipped, error) {
	prefix := site.InboxDir
	if publisher != "" {
		prefix = Folder(publisher)
	}
	items, skipped, err := list(ctx, at, prefix)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", at, err)
	}
	all := make([]Entry, len(items))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(jobs)
	for n, i := range items {
		group.Go(func() (err error) {
			all[n], err = statusOf(ctx, at, i)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", at, err)
	}
	return all, skipped, nil
}

// jobs is the number of documents that are read at a time.
const jobs = 16

func statusOf(ctx context.Context, at target.Target, i *item) (Entry, error) {
	if i.document == nil {
		return Entry{Name: i.Name, State: Incomplete, Problem: "the package has no document: its upload has not ended"}, nil
	}
	e, err := StatusOf(ctx, at, i.Name)
	if errors.Is(err, target.ErrNotExist) { // deleted in the meantime
		return Entry{Name: i.Name, State: Incomplete}, nil
	}
	if err == nil && i.pkg == nil && !e.Result.isFinal() {
		e.State, e.Problem = Incomplete, "its package is missing: submit it again"
	}
	return e, err
}

// StatusOf returns one submission. It sends one request. The error wraps [target.ErrNotExist] if
// nobody has submitted the package, or its result was deleted.
func StatusOf(ctx context.Context, at target.Target, n Name) (Entry, error) {
	e := Entry{Name: n, State: New}
	d, _, err := Read(ctx, at, n)
	if errors.Is(err, errUnreadable) {
		e.Problem = err.Error()
		return e, nil
	}
	if err != nil {
		return e, err
	}
	e.Package, e.Size = d.Package, d.Size
	if d.Public != nil && d.Private != nil {
		e.By, e.Note, e.Key = d.Private.By, d.Private.Reason, d.Public.Key
	}
	if e.Result = d.Result; e.Result != nil {
		e.State = e.Result.State
	}
	return e, nil
}
