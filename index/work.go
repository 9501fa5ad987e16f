package index

import "context"

// Work bounds what the searches of one request may cost together. It ends when the
// client of the request has gone. A nil *Work has no bound. It is for one goroutine.
type Work struct {
	ctx context.Context
	err error
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
