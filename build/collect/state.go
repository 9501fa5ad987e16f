package collect

import "time"

// State is what a run has learned, for the next one: with it, an extension that is locked and has
// not changed is not looked up again. It is a cache. A run without it sends more requests, and makes
// the same plan.
type State struct {
	Cursors map[string]string    `json:"cursors"` // of the feeds, by name of the upstream
	Known   map[string]KnownWant `json:"known"`   // by lower-case id
}

// KnownWant is how an extension was chosen.
type KnownWant struct {
	Selection string    `json:"selection"`      // a hash of the requests, settings and policy
	Until     time.Time `json:"until,omitzero"` // the choice may differ from then on
}
