package index

import (
	"context"
	"math"

	"galbuild/index/query"
)

// Limits of work, in steps. A step is about what it takes to read an entry of a list
// and add it up, 4 ns on a core of 2020s servers.
const (
	// requestSteps is what all searches of a request may take together.
	requestSteps = 3_000_000
	// searchSteps, textSteps and nameSteps are what one search may take: so many, and so
	// many for each byte of its texts, and for each id or name. A filter and the response
	// to it have 170 bytes at least, and an id 30.
	searchSteps = 200_000
	textSteps   = 500
	nameSteps   = 100
	// documentSteps raises searchSteps for large galleries, whose lists are longer:
	// so many for each document.
	documentSteps = 20
	// pollSteps is how many steps are taken between two looks at the context.
	pollSteps = 4096
)

// Work counts what the searches of one request take and bounds it, see "Work" in the
// package comment. It ends when the client of the request has gone. A nil *Work has no
// bound. It is for one goroutine.
type Work struct {
	ctx    context.Context
	err    error
	steps  int  // taken by now
	polled int  // steps at the latest look at ctx
	limit  int  // of steps, for the search under way
	next   int  // steps at which to look at ctx or the limit
	short  bool // the search under way had to leave something out
}

// NewWork returns the work of one request, which ends with ctx.
func NewWork(ctx context.Context) *Work { return &Work{ctx: ctx} }

// Err returns why searches ended early, nil if none did. Results of a search that
// ended early are not complete and must not be sent.
func (w *Work) Err() error {
	if w == nil {
		return nil
	}
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	return w.err
}

// unbounded returns the work of a search that may take as long as it takes.
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

// take takes n steps, if there are as many left. If not, or if the client has gone,
// it takes none: the caller leaves out what they are for.
func (w *Work) take(n int) bool {
	if n > w.next-w.steps && !w.look(n) {
		return false
	}
	w.steps += n
	return true
}

// look reports whether n steps more may be taken.
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
