package collect

import (
	"context"
	"errors"
	"slices"
	"strings"

	"galbuild/build/blob"
	"galbuild/build/jsondoc"
	"galbuild/build/upstream"
)

// State is what a run has learned, for the next one: with it, an extension that is locked and has
// not changed is not looked up again, if its upstreams have a feed. It is a cache. A run without it
// sends more requests, and makes the same plan.
type State struct {
	Settings blob.Ref          `json:"settings"` // a hash of those of Config on which a choice depends
	Cursors  map[string]string `json:"cursors"`  // of the feeds, by name of the upstream
	Known    map[string]*Known `json:"known"`    // by lower-case id
}

// Known is how an extension was chosen. Extensions of which something is missing, held back or
// worth a warning are not known, so that the next run finds the same again.
type Known struct {
	Upstreams []string            `json:"upstreams"` // names of those that were queried
	Chosen    map[string][]string `json:"chosen"`    // version[@platform] of the packages, by what was wanted
	Needs     map[string][]string `json:"needs"`     // the ids that a package needs, by version[@platform]
}

// settings returns a hash of everything but the upstreams' content and the lock on which the choice
// of an extension depends.
func (c *Config) settings() blob.Ref {
	var names []string
	for _, u := range c.Upstreams {
		names = append(names, u.Name())
	}
	text, _ := jsondoc.Line([]any{names, c.Engines, c.Platforms, c.PreReleases, c.Keep, c.Packs, string(c.policy().Text())}) // cannot fail
	return blob.Sum(text)
}

// Unchanged reads the feeds of the upstreams since the last run. It returns a function that reports
// whether an extension is unchanged at the upstreams that were queried for it, and the cursors for
// the next run. An upstream without a feed may have changed everything.
func Unchanged(ctx context.Context, upstreams []upstream.Upstream, cursors map[string]string) (unchanged func(id string, queried []string) bool, next map[string]string) {
	next = make(map[string]string)
	changed := make(map[string]map[string]bool) // ids by upstream
	for _, u := range upstreams {
		cursor := cursors[u.Name()]
		changes, err := u.Changes(ctx, cursor)
		if err != nil && cursor != "" && !errors.Is(err, upstream.ErrUnsupported) {
			cursor = "" // it may be too old for the upstream
			changes, err = u.Changes(ctx, cursor)
		}
		if err != nil {
			continue
		}
		next[u.Name()] = changes.Cursor
		if cursor == "" {
			continue
		}
		ids := make(map[string]bool)
		for _, change := range changes.All {
			ids[strings.ToLower(change.ID)] = true
		}
		changed[u.Name()] = ids
	}
	return func(id string, queried []string) bool {
		for _, name := range queried {
			if ids, ok := changed[name]; !ok || ids[id] {
				return false
			}
		}
		return len(queried) > 0
	}, next
}

// useState lets the closure use what the last run has learned.
func (x *closure) useState(ctx context.Context) *State {
	if x.State == nil {
		return nil
	}
	next := &State{Settings: x.settings(), Known: make(map[string]*Known)}
	var unchanged func(id string, queried []string) bool
	unchanged, next.Cursors = Unchanged(ctx, x.Upstreams, x.State.Cursors)
	if x.State.Settings != next.Settings {
		return next
	}
	x.known = func(id string) *Known {
		if k := x.State.Known[id]; k != nil && unchanged(id, k.Upstreams) {
			return k
		}
		return nil
	}
	return next
}

// learn returns what is known of an extension, or nil if it must be looked up again.
func (x *closure) learn(n *node) *Known {
	earlier := x.known(n.id)
	if !n.lookedUp {
		return earlier
	}
	if x.pinned(n.id) || len(n.unsatisfied()) > 0 {
		return nil
	}
	k := &Known{Chosen: make(map[string][]string), Needs: make(map[string][]string)}
	for _, u := range x.Upstreams {
		if name := u.Name(); n.listings[name] != nil || earlier != nil && slices.Contains(earlier.Upstreams, name) {
			k.Upstreams = append(k.Upstreams, name)
		}
	}
	for w, found := range n.wants {
		if w.address != "" || len(found.held)+len(found.warnings) > 0 {
			return nil
		}
		keys := []string{}
		for i := range found.chosen {
			choice := &found.chosen[i]
			if choice.status != "" {
				return nil
			}
			keys = append(keys, choice.key())
			if len(choice.needs) > 0 {
				k.Needs[choice.key()] = choice.needs
			}
		}
		k.Chosen[w.String()] = keys
	}
	return k
}
