package collect

import (
	"context"
	"errors"

	"galbuild/build/collect/lock"
)

// Outdated is a package of a lock of which there is a newer one.
type Outdated struct {
	ID       string `json:"id"`
	Platform string `json:"platform,omitempty"`
	Locked   string `json:"locked"` // version
	Newest   string `json:"newest"` // version that an update would choose; "" if upstreams do not offer the package any more
	Held     []Held `json:"held,omitempty"`
}

// Update makes the plan in which the extensions with these ids, and what they newly need, are
// chosen again; all others stay as they are locked. No ids are all. What is asked for follows from
// the lock, see [Requests].
func Update(ctx context.Context, ids []string, c Config) (*Plan, error) {
	return nil, errors.ErrUnsupported
}

// Requests returns what was asked for when a lock was made.
func Requests(l *lock.Lock) []Request { return nil }

// ListOutdated returns the packages of c.Lock that an update would replace, sorted.
func ListOutdated(ctx context.Context, c Config) ([]Outdated, error) {
	return nil, errors.ErrUnsupported
}

// Why returns the shortest chains by which an extension of a lock is wanted: each begins with what was requested,
// such as "list.txt @^1.2", followed by ids in lower case, and ends with the id.
func Why(l *lock.Lock, id string) [][]string { return nil }
