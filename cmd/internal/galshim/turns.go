package galshim

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"galbuild/index/query"
)

// errNoTurn is why a query is refused when too many others are waiting.
var errNoTurn = errors.New("too many queries at a time")

// turns limits how many queries are worked on at a time, and allows fewer of the heavy
// ones, which may take long. While heavy queries wait for each other, light queries can be
// worked on.
type turns struct {
	light, heavy turn // a token for each query that is worked on
	long         turn // a token for each piece of a long body or response being read or written
	waiting      atomic.Int64
}

func newTurns(queries int) *turns {
	half := max(1, runtime.GOMAXPROCS(0)/2)
	return &turns{
		light: make(turn, max(1, queries)),
		heavy: make(turn, max(1, min(queries, half))),
		long:  make(turn, half),
	}
}

// A turn is the right to work on a query. It is taken before and returned after the work.
type turn chan struct{}

func (t turn) end() { <-t }

// pieceTimeout is how long a piece of a long body or response waits for its turn. The piece
// that has the turn may be waiting for its own client, so others do not wait longer.
const pieceTimeout = 2 * time.Millisecond

// piece waits for a turn, then calls do, which reads or writes a piece of a long body or
// response. Only some processors do this at a time, so that short ones need not wait for
// them.
func (t turn) piece(do func() (int, error)) (int, error) {
	select {
	case t <- struct{}{}:
		defer t.end()
	default:
		timer := time.NewTimer(pieceTimeout)
		defer timer.Stop()
		select {
		case t <- struct{}{}:
			defer t.end()
		case <-timer.C:
		}
	}
	return do()
}

// wait waits for a turn among the queries of its kind.
func (t *turns) wait(ctx context.Context, heavy bool) (turn, error) {
	of := t.light
	if heavy {
		of = t.heavy
	}
	select {
	case of <- struct{}{}:
		return of, nil
	default:
		return of, t.queue(ctx, of)
	}
}

func (t *turns) queue(ctx context.Context, of turn) error {
	defer t.waiting.Add(-1)
	if t.waiting.Add(1) > maxWaiting {
		return errNoTurn
	}
	timer := time.NewTimer(queueTimeout)
	defer timer.Stop()
	select {
	case of <- struct{}{}:
		return nil
	case <-timer.C:
		return errNoTurn
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Queries of editors are smaller than these limits.
const (
	lightBody     = 32 << 10 // bytes
	lightFilters  = 2
	lightCriteria = 500
	lightText     = 64 // bytes of text to search for
)

// isHeavyBody reports whether it may take long to read a query of n bytes.
func isHeavyBody(n int) bool { return n > lightBody }

// isHeavy reports whether it may take long to search for q.
func isHeavy(q query.Query) bool {
	text, criteria := 0, 0
	for i := range q.Filters {
		f := &q.Filters[i]
		for _, t := range f.Text {
			text += len(t)
		}
		for _, list := range [][]string{f.Tags, f.DisplayNames, f.IDs, f.Categories, f.Names, f.Targets, f.Text, f.Publishers, f.PublisherTitles, f.Platforms, f.ShortNames} {
			criteria += len(list)
		}
	}
	return len(q.Filters) > lightFilters || criteria > lightCriteria || text > lightText
}
