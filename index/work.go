package index

import (
	"context"
	"math"

	"galbuild/index/query"
)

// Limits of work in steps. A step is roughly the work of reading an entry of a list and
// adding it to a sum: 4 ns on a core of a 2020s server.
const (
	// requestSteps limits all searches of a request together.
	requestSteps = 3_000_000
	// One search has searchSteps, plus textSteps for each byte of its texts and nameSteps
	// for each id or name. A filter and its response have at least 170 bytes, and an id has
	// 30.
	searchSteps = 200_000
	textSteps   = 500
	nameSteps   = 100
	// documentSteps raises searchSteps in large galleries, whose lists are longer. It is
	// multiplied by the number of documents.
	documentSteps = 20
	// pollSteps is the number of steps between two checks of the context.
	pollSteps = 4096
)

// Work counts and limits the steps of all searches of one request, see "Work" in the package
// comment. It ends when the context of the request ends, usually because the client has
// disconnected. A nil *Work has no limit. A Work must not be used by several goroutines at a time.
type Work struct {
	ctx        context.Context
	err        error
	steps      int  // steps taken by all searches so far
	lastPoll   int  // steps at the last check of ctx
	limit      int  // limit of steps for the current search
	nextPoll   int  // steps at which to check ctx and the limit
	incomplete bool // the current search has omitted a part of its work
}

// NewWork returns the work of one request. It ends when ctx ends.
func NewWork(ctx context.Context) *Work { return &Work{ctx: ctx} }

// Err returns the error of the context if the work has ended, and nil otherwise. The
// results of a search that ended early are incomplete and must not be sent.
func (w *Work) Err() error {
	if w == nil {
		return nil
	}
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	return w.err
}

// unlimitedWork returns the work of a search without a limit.
func unlimitedWork() Work {
	return Work{ctx: context.Background(), limit: math.MaxInt, nextPoll: math.MaxInt}
}

// begin starts a search for f among this number of documents.
func (w *Work) begin(f *query.Filter, documents int) {
	search := max(searchSteps, documentSteps*documents) + nameSteps*(len(f.IDs)+len(f.Names))
	for _, t := range f.Text {
		search += textSteps * len(t)
	}
	w.limit = min(w.steps+search, max(requestSteps, 2*documentSteps*documents))
	w.nextPoll = min(w.limit, w.lastPoll+pollSteps)
	w.incomplete = false
}

// take takes n steps and returns true. If fewer steps are left, or if the context has
// ended, it takes none and returns false; the caller then omits the work.
func (w *Work) take(n int) bool {
	if n > w.nextPoll-w.steps && !w.poll(n) {
		return false
	}
	w.steps += n
	return true
}

// poll checks the context and reports whether n more steps may be taken.
func (w *Work) poll(n int) bool {
	if w.err == nil && w.steps-w.lastPoll >= pollSteps/2 {
		w.lastPoll, w.err = w.steps, w.ctx.Err()
	}
	if n > w.limit-w.steps || w.err != nil {
		w.incomplete = true
		return false
	}
	w.nextPoll = min(w.limit, w.steps+n+pollSteps)
	return true
}
