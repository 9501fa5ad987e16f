package collect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/collect/lock"
	"galbuild/build/policy"
	"galbuild/build/upstream"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A universe is an upstream in memory. It counts requests by what they are about.
type universe struct {
	name       string
	extensions map[string]*upstream.Extension
	failing    map[string]error // by id
	changes    []upstream.Change
	feed       bool

	mutex    sync.Mutex
	asked    map[string]int // by id, and by id@version[@platform] for Complete
	requests int
}

// newUniverse returns an upstream that lists what lines describe:
//
//	acme.hello 1.2.0@linux-x64 pre engine=^1.80.0 needs=acme.a,acme.b pack=acme.c age=3d
func newUniverse(t *testing.T, name, text string) *universe {
	t.Helper()
	u := &universe{name: name, extensions: make(map[string]*upstream.Extension), failing: make(map[string]error), asked: make(map[string]int)}
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 0 {
			u.add(t, fields[0], fields[1:])
		}
	}
	return u
}

func (u *universe) add(t *testing.T, id string, fields []string) {
	t.Helper()
	e := u.extensions[strings.ToLower(id)]
	if e == nil {
		e = &upstream.Extension{ID: id, UUID: "uuid-of-" + strings.ToLower(id)}
		u.extensions[strings.ToLower(id)] = e
	}
	r := upstream.Release{Package: upstream.File{Size: -1}}
	r.Version, r.Platform, _ = strings.Cut(fields[0], "@")
	r.Package.URL = fmt.Sprintf("%s/%s-%s.vsix", u.name, strings.ToLower(id), fields[0])
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(field, "=")
		switch name {
		case "pre":
			r.PreRelease = true
		case "engine":
			r.Engine = value
		case "needs":
			r.Dependencies = strings.Split(value, ",")
		case "pack":
			r.Pack = strings.Split(value, ",")
		case "licence":
			r.Licence = value
		case "sha256":
			r.Package.SHA256 = blob.Sum([]byte(r.Package.URL + value))
		case "age":
			age, err := time.ParseDuration(strings.ReplaceAll(value, "d", "h"))
			if err != nil {
				t.Fatal(err)
			}
			r.Published = now.Add(-24 * age)
		default:
			t.Fatalf("unknown field %q", field)
		}
	}
	e.Releases = append(e.Releases, r)
}

func (u *universe) Name() string { return u.name }

func (u *universe) count(what string) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	u.asked[what]++
	u.requests++
}

func (u *universe) Extension(_ context.Context, id string) (*upstream.Extension, error) {
	u.count(id)
	if err := u.failing[id]; err != nil {
		return nil, err
	}
	if e := u.extensions[id]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("%s: %w", id, upstream.ErrNotFound)
}

// Complete states the size: that of the address, so that it is the same each time.
func (u *universe) Complete(_ context.Context, e *upstream.Extension, r *upstream.Release) error {
	what := strings.ToLower(e.ID) + "@" + key(r.Version, r.Platform)
	u.count(what)
	if err := u.failing[what]; err != nil {
		return err
	}
	r.Package.Size = int64(len(r.Package.URL))
	return nil
}

func (u *universe) List(context.Context, upstream.Listing) ([]string, error) {
	return slices.Sorted(maps.Keys(u.extensions)), nil
}

func (u *universe) Changes(_ context.Context, cursor string) (*upstream.Changes, error) {
	if !u.feed {
		return nil, upstream.ErrUnsupported
	}
	if cursor == "" {
		return &upstream.Changes{Cursor: fmt.Sprint(len(u.changes))}, nil
	}
	var n int
	if _, err := fmt.Sscan(cursor, &n); err != nil || n > len(u.changes) {
		return nil, errors.New("the cursor is too old")
	}
	return &upstream.Changes{Cursor: fmt.Sprint(len(u.changes)), All: u.changes[n:]}, nil
}

// lockOf returns the lock of a plan whose packages were downloaded.
func lockOf(p *Plan, requests ...Request) *lock.Lock {
	l := p.Lock()
	for i := range l.Entries {
		e := &l.Entries[i]
		if e.SHA256.IsZero() {
			e.SHA256 = blob.Sum([]byte(e.Address))
		}
		e.Size = max(e.Size, 1)
	}
	l.Requests = LockRequests(requests)
	return l
}

// showPlan returns a plan as text, a line for each fact.
func showPlan(p *Plan) string {
	var b strings.Builder
	for i := range p.Entries {
		e := &p.Entries[i]
		fmt.Fprintf(&b, "%s %s", e.Status, e.String())
		if e.Replaces != "" {
			fmt.Fprintf(&b, " for %s", e.Replaces)
		}
		fmt.Fprintf(&b, " < %s\n", strings.Join(e.WantedBy, ", "))
	}
	for _, m := range p.Missing {
		fmt.Fprintf(&b, "missing %s: %s\n", strings.Join(m.Chain, " > "), m.Reason)
	}
	for _, h := range p.Held {
		fmt.Fprintf(&b, "held %s@%s %s %s:%d %s", h.ID, h.Version, strings.Join(h.Platforms, ","), h.Rule, h.Line, h.Reason)
		if h.Locked {
			b.WriteString(" (locked)")
		}
		b.WriteString("\n")
	}
	for i := range p.Unwanted {
		fmt.Fprintf(&b, "unwanted %s\n", p.Unwanted[i].String())
	}
	for _, w := range p.Warnings {
		fmt.Fprintf(&b, "warning %s\n", w)
	}
	return b.String()
}

func parseAll(t *testing.T, args ...string) []Request {
	t.Helper()
	requests, err := Parse(args, ParseConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return requests
}

func parsePolicy(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("policy.json", []byte(cmp.Or(text, "{}")))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func makePlan(t *testing.T, c Config, requests ...Request) *Plan {
	t.Helper()
	c.Now = now
	p, err := MakePlan(t.Context(), requests, c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// trim removes the indentation of a text in a table.
func trim(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	lines = slices.DeleteFunc(lines, func(s string) bool { return s == "" })
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}
