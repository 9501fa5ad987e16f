package galshim

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"galbuild/index/query"
)

// errNoTurn is the error of a query for which too many others are running or waiting.
var errNoTurn = errors.New("too many concurrent queries")

// turns limits the number of concurrent queries. Heavy queries, which may take long, have a lower
// limit, so that light queries can run while heavy ones wait for each other.
type turns struct {
	light, heavy turn         // a token for each running query
	long         turn         // a token for each piece of a long body or response that is being read or written
	waiting      atomic.Int64 // waiting queries
	waited       atomic.Int64 // queries that have waited, or were refused because too many did
}

func newTurns(queries int) *turns {
	half := max(1, runtime.GOMAXPROCS(0)/2)
	return &turns{
		light: make(turn, max(1, queries)),
		heavy: make(turn, max(1, min(queries, half))),
		long:  make(turn, half),
	}
}

// A turn is the right to run a query: an element that is put into the channel before the work and
// taken out of it after the work.
type turn chan struct{}

func (t turn) end() { <-t }

// pieceTimeout is the longest time that a piece of a long body or response waits for its turn. The
// piece that has the turn may itself be waiting for its client.
const pieceTimeout = 2 * time.Millisecond

// piece waits for a turn, or until pieceTimeout, and then calls do, which reads or writes a piece
// of a long body or response. Thus the long ones do not occupy all processors, and the short ones
// need not wait.
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
	kind := t.light
	if heavy {
		kind = t.heavy
	}
	select {
	case kind <- struct{}{}:
		return kind, nil
	default:
		return kind, t.queue(ctx, kind)
	}
}

// queue waits for a turn until queueTimeout, unless too many queries are waiting.
func (t *turns) queue(ctx context.Context, kind turn) error {
	t.waited.Add(1)
	defer t.waiting.Add(-1)
	if t.waiting.Add(1) > maxWaiting {
		return errNoTurn
	}
	timer := time.NewTimer(queueTimeout)
	defer timer.Stop()
	select {
	case kind <- struct{}{}:
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

// isHeavyBody reports whether it may take long to parse a query of n bytes.
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
