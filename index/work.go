package index

import (
	"context"
	"math"

	"galbuild/index/query"
)

// Limits of work, in steps. A step is roughly the work of reading an entry of a list and
// adding it up: 4 ns on a core of a 2020s server.
const (
	// requestSteps limits all searches of a request together.
	requestSteps = 3_000_000
	// searchSteps, textSteps and nameSteps limit one search. searchSteps is fixed,
	// textSteps is added for each byte of its texts, and nameSteps for each id or name. A
	// filter and its response have at least 170 bytes, and an id 30.
	searchSteps = 200_000
	textSteps   = 500
	nameSteps   = 100
	// documentSteps raises searchSteps in large galleries, whose lists are longer. It is
	// for each document.
	documentSteps = 20
	// pollSteps is how many steps are taken between two checks of the context.
	pollSteps = 4096
)

// Work counts and limits the steps of all searches of one request, see "Work" in the
// package comment. It ends when the client of the request has gone. A nil *Work has no
// limit. It must be used by one goroutine only.
type Work struct {
	ctx    context.Context
	err    error
	steps  int  // steps taken so far
	polled int  // steps at the last check of ctx
	limit  int  // limit of steps for the current search
	next   int  // steps at which to check ctx or the limit
	short  bool // whether the current search left something out
}

// NewWork returns the work of one request, which ends with ctx.
func NewWork(ctx context.Context) *Work { return &Work{ctx: ctx} }

// Err returns why searches ended early, or nil if none did. Results of a search that ended
// early are incomplete and must not be sent.
func (w *Work) Err() error {
	if w == nil {
		return nil
	}
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	return w.err
}

// unbounded returns the work of a search without a limit.
func unbounded() Work {
	return Work{ctx: context.Background(), limit: math.MaxInt, next: math.MaxInt}
}

// begin starts a search for f among so many documents.
func (w *Work) begin(f *query.Filter, documents int) {
	search := max(searchSteps, documentSteps*documents) + nameSteps*(len(f.IDs)+len(f.Names))
	for _, t := range f.Text {
		search += textSteps * len(t)
	}
	w.limit = min(w.steps+search, max(requestSteps, 2*documentSteps*documents))
	w.next = min(w.limit, w.polled+pollSteps)
	w.short = false
}

// take takes n steps and returns true. If fewer are left, or if the client has gone, it
// takes none and returns false, and the caller leaves out the work.
func (w *Work) take(n int) bool {
	if n > w.next-w.steps && !w.look(n) {
		return false
	}
	w.steps += n
	return true
}

// look reports whether n more steps may be taken.
func (w *Work) look(n int) bool {
	if w.err == nil && w.steps-w.polled >= pollSteps/2 {
		w.polled, w.err = w.steps, w.ctx.Err()
	}
	if n > w.limit-w.steps || w.err != nil {
		w.short = true
		return false
	}
	w.next = min(w.limit, w.steps+n+pollSteps)
	return true
}
