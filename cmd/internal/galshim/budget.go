package galshim

import (
	"errors"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"galbuild/render/splice"
)

// errNoMemory is the error of a request for which the budget of all requests is not sufficient.
var errNoMemory = errors.New("the memory for all requests is used up")

// A budget counts the bytes that all requests together hold in memory. Request bodies and
// responses have separate budgets, so that clients that send large bodies do not prevent
// responses to others.
type budget struct {
	used atomic.Int64
	most int64
}

// newBudget returns a budget of so many bytes, or of an eighth of Go's memory limit if that
// is less.
func newBudget(most int64) *budget {
	return &budget{most: min(most, debug.SetMemoryLimit(-1)/8)}
}

// take adds n bytes and returns true, unless the budget does not allow them.
func (h *budget) take(n int) bool {
	if h.used.Add(int64(n)) <= h.most {
		return true
	}
	h.give(n)
	return false
}

// takeLong is take for a response that is not short. It leaves a quarter of the budget to
// short ones, so that editors get theirs however many clients are slow to read long ones.
func (h *budget) takeLong(n int) bool {
	if h.used.Add(int64(n)) <= h.most-h.most/4 {
		return true
	}
	h.give(n)
	return false
}

// give returns n bytes to the budget.
func (h *budget) give(n int) { h.used.Add(int64(-n)) }

// buffers are the buffers that responses are written through, in two sizes. The budget
// counts them.
type buffers struct {
	held          *budget
	pieces, whole sync.Pool // of *splice.Buffer
}

// get returns a buffer for about n bytes, which passes its content on to w. The buffer is
// smaller if n is too large or the budget does not allow it. It is nil if the budget allows
// none.
func (p *buffers) get(n int, w io.Writer) *splice.Buffer {
	if !isLong(n) {
		return takeBuffer(&p.pieces, pieceBuffer, p.held.take, w)
	}
	if withFraming(n) <= wholeBuffer {
		if b := takeBuffer(&p.whole, wholeBuffer, p.held.takeLong, w); b != nil {
			return b
		}
	}
	return takeBuffer(&p.pieces, pieceBuffer, p.held.takeLong, w)
}

// isLong reports whether a response of about n bytes does not fit in the buffer of a short one.
func isLong(n int) bool { return withFraming(n) > pieceBuffer }

// withFraming adds what surrounds the extensions in a response of about n bytes.
func withFraming(n int) int { return n + n/8 }

func takeBuffer(pool *sync.Pool, size int, take func(n int) bool, w io.Writer) *splice.Buffer {
	if !take(size) {
		return nil
	}
	b, ok := pool.Get().(*splice.Buffer)
	if !ok {
		return splice.NewBuffer(make([]byte, 0, size), w)
	}
	b.Reset(w)
	return b
}

// put returns a buffer that get returned.
func (p *buffers) put(b *splice.Buffer) {
	if b == nil {
		return
	}
	p.held.give(b.Cap())
	b.Reset(nil)
	if b.Cap() == wholeBuffer {
		p.whole.Put(b)
	} else {
		p.pieces.Put(b)
	}
}

// bodies are the buffers that request bodies are read into. The budget counts all but the
// first bytes of each.
type bodies struct {
	held  *budget
	pool  sync.Pool                 // of *body
	large [len(bodySizes)]sync.Pool // of *[]byte, by class
}

// bodySizes are the sizes of buffers for bodies, by class. The last one holds the largest
// body and one byte more, which shows whether the body is too long.
var bodySizes = [...]int{freeBody, 128 << 10, 1 << 20, maxBody + 512}

func (p *bodies) get() *body {
	if b, ok := p.pool.Get().(*body); ok {
		return b
	}
	b := &body{of: p, first: make([]byte, 0, freeBody)}
	b.bytes = b.first
	return b
}

func (p *bodies) put(b *body) {
	b.drop()
	p.pool.Put(b)
}

// A body is a request body that is being read. Its buffer grows with the bytes that have
// arrived, not with the announced length.
type body struct {
	of    *bodies
	class int    // class of the buffer
	first []byte // the buffer of class 0
	large *[]byte
	bytes []byte // the bytes that have arrived, in the buffer
}

// read reads r to its end, a long body in pieces that wait for their turn. The error is
// errNoMemory if the budget does not allow all of it. The rest is then read and dropped,
// because clients do not read a response before they have sent their whole body.
func (b *body) read(r io.Reader, turns turn) error {
	dropped := false
	for {
		if len(b.bytes) == cap(b.bytes) && (dropped || !b.grow()) {
			dropped = true
			b.drop()
		}
		n, err := b.readPiece(r, turns, dropped)
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case err == io.EOF && dropped:
			return errNoMemory
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

func (b *body) readPiece(r io.Reader, turns turn, dropped bool) (int, error) {
	free := b.bytes[len(b.bytes):cap(b.bytes)]
	if b.class == 0 && !dropped {
		return r.Read(free)
	}
	return turns.piece(func() (int, error) { return r.Read(free) })
}

// grow moves the body to a buffer of the next class, if the budget allows it.
func (b *body) grow() bool {
	next := b.class + 1
	if next == len(bodySizes) || !b.of.held.take(bodySizes[next]) {
		return false
	}
	large, ok := b.of.large[next].Get().(*[]byte)
	if !ok {
		made := make([]byte, 0, bodySizes[next])
		large = &made
	}
	arrived := append(*large, b.bytes...)
	b.drop()
	b.class, b.large, b.bytes = next, large, arrived
	return true
}

// drop returns the buffer and its bytes to the budget.
func (b *body) drop() {
	if b.class > 0 {
		b.of.held.give(bodySizes[b.class])
		b.of.large[b.class].Put(b.large)
	}
	b.class, b.large, b.bytes = 0, nil, b.first
}
