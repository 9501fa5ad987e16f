package collect

import (
	"context"
	"slices"
	"strings"

	"galbuild/build/collect/lock"
)

// Outdated is a package of a lock for which an update would have another.
type Outdated struct {
	ID       string `json:"id"`
	Platform string `json:"platform,omitempty"`
	Locked   string `json:"locked"`         // version
	Newest   string `json:"newest"`         // version that an update would choose; "" if upstreams do not offer the package any more
	Held     []Held `json:"held,omitempty"` // newer versions that the policy excludes
}

// Requests returns the requests with which a lock was made. The error has all mistakes.
func Requests(l *lock.Lock) ([]Request, error) {
	p := &parser{}
	for _, r := range l.Requests {
		o := origin{source: r.Source}
		if scheme.MatchString(r.Request) || isGitHub(r.Request) {
			p.address(r.Request, o)
		} else {
			p.id(r.Request, o)
		}
	}
	return p.requests, p.err()
}

// LockRequests returns requests as a lock has them, each once.
func LockRequests(requests []Request) (all []lock.Request) {
	seen := make(map[lock.Request]bool)
	for _, r := range requests {
		request := lock.Request{Request: r.String(), Source: r.Source}
		if !seen[request] {
			seen[request] = true
			all = append(all, request)
		}
	}
	return all
}

// Update makes the plan in which the extensions with these ids, and what they newly need, are
// chosen again. All others stay as c.Lock has them. No ids are all. The error is that of ctx.
func Update(ctx context.Context, requests []Request, ids []string, c Config) (*Plan, error) {
	x := newClosure(&c)
	if len(ids) > 0 {
		x.pinned = func(id string) bool {
			return !slices.ContainsFunc(ids, func(other string) bool { return strings.EqualFold(other, id) })
		}
	}
	return x.plan(ctx, requests)
}

// Outdated returns the packages of the earlier lock that the plan replaces, and those that no
// upstream offers any more, sorted.
func (p *Plan) Outdated() []Outdated {
	all := []Outdated{}
	for i := range p.Entries {
		e := &p.Entries[i]
		o := Outdated{ID: e.ID, Platform: e.Platform}
		switch e.Status {
		case Updated:
			o.Locked, o.Newest = e.Replaces, e.Version
		case Withdrawn:
			o.Locked = e.Version
		case Same:
			o.Locked, o.Newest = e.Version, e.Version
		}
		o.Held = p.heldSince(e)
		if e.Status == Updated || e.Status == Withdrawn || len(o.Held) > 0 {
			all = append(all, o)
		}
	}
	return all
}

// heldSince returns the newer versions of a package that the policy excludes.
func (p *Plan) heldSince(e *Planned) (held []Held) {
	for _, h := range p.Held {
		if strings.EqualFold(h.ID, e.ID) && lock.Compare(h.entry(), lock.Entry{ID: e.ID, Version: e.Version}) < 0 {
			held = append(held, h)
		}
	}
	return held
}

// Why returns the shortest chain by which each request wants an extension of a lock: the source of
// the request, such as "list.txt", followed by ids in lower case, each of which wants the next.
// The chains are sorted, shortest first. There is none if the lock does not have the extension.
func Why(l *lock.Lock, id string) [][]string {
	by := make(map[string][]string) // who wants an extension, by lower-case id
	for i := range l.Entries {
		id := strings.ToLower(l.Entries[i].ID)
		by[id] = append(by[id], l.Entries[i].WantedBy...)
	}
	var chains [][]string
	seen := map[string]bool{strings.ToLower(id): true}
	for paths := [][]string{{strings.ToLower(id)}}; len(paths) > 0; {
		var longer [][]string
		for _, path := range paths {
			wanted := slices.Sorted(slices.Values(by[path[0]]))
			for _, who := range slices.Compact(wanted) {
				if seen[who] {
					continue
				}
				seen[who] = true
				chain := append([]string{who}, path...)
				if by[who] == nil {
					chains = append(chains, chain)
				} else {
					longer = append(longer, chain)
				}
			}
		}
		paths = longer
	}
	return chains
}
