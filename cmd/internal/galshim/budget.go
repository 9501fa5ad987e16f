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

// A budget limits the bytes that all requests together use in memory. Request bodies and
// responses have separate budgets, so that clients that send large bodies do not prevent
// responses to others.
type budget struct {
	used atomic.Int64
	most int64
}

// newBudget returns a budget of most bytes, or of an eighth of Go's memory limit if that is less.
func newBudget(most int64) *budget {
	return &budget{most: min(most, debug.SetMemoryLimit(-1)/8)}
}

// reserve reserves n bytes. It returns false if the budget does not allow them.
func (b *budget) reserve(n int) bool {
	if b.used.Add(int64(n)) <= b.most {
		return true
	}
	b.release(n)
	return false
}

// reserveLong is reserve for a long response. It leaves a quarter of the budget to short responses,
// so that editors get them even if many clients read long ones slowly.
func (b *budget) reserveLong(n int) bool {
	if b.used.Add(int64(n)) <= b.most-b.most/4 {
		return true
	}
	b.release(n)
	return false
}

// release returns n bytes to the budget.
func (b *budget) release(n int) { b.used.Add(int64(-n)) }

// buffers are the buffers that responses are written through, in two sizes. The budget
// counts them.
type buffers struct {
	budget        *budget
	pieces, whole sync.Pool // of *splice.Buffer
}

// get returns a buffer for a response of about n bytes, which writes its content to w. The buffer
// is smaller if n is too large or the budget does not allow a large one. It is nil if the budget
// does not allow any.
func (p *buffers) get(n int, w io.Writer) *splice.Buffer {
	if !isLong(n) {
		return newBuffer(&p.pieces, pieceBuffer, p.budget.reserve, w)
	}
	if withFraming(n) <= wholeBuffer {
		if b := newBuffer(&p.whole, wholeBuffer, p.budget.reserveLong, w); b != nil {
			return b
		}
	}
	return newBuffer(&p.pieces, pieceBuffer, p.budget.reserveLong, w)
}

// isLong reports whether a response of about n bytes does not fit in the buffer of a short one.
func isLong(n int) bool { return withFraming(n) > pieceBuffer }

// withFraming adds what surrounds the extensions in a response of about n bytes.
func withFraming(n int) int { return n + n/8 }

// newBuffer returns a buffer from a pool, or nil if reserve does not allow it.
func newBuffer(pool *sync.Pool, size int, reserve func(n int) bool, w io.Writer) *splice.Buffer {
	if !reserve(size) {
		return nil
	}
	b, ok := pool.Get().(*splice.Buffer)
	if !ok {
		return splice.NewBuffer(make([]byte, 0, size), w)
	}
	b.Reset(w)
	return b
}

// put puts a buffer of get back, which may be nil.
func (p *buffers) put(b *splice.Buffer) {
	if b == nil {
		return
	}
	p.budget.release(b.Cap())
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
	budget *budget
	pool   sync.Pool                 // of *body
	large  [len(bodySizes)]sync.Pool // of *[]byte, by class
}

// bodySizes are the sizes of buffers for bodies, by class. The last one is larger than the largest
// body, so that a body that is too long is detected.
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

// read reads r to its end. The pieces of a long body wait for their turns. If the budget does not
// allow the whole body, read reads and drops the rest, because clients do not read a response
// before they have sent their whole body, and returns errNoMemory.
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
	if next == len(bodySizes) || !b.of.budget.reserve(bodySizes[next]) {
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
		b.of.budget.release(bodySizes[b.class])
		b.of.large[b.class].Put(b.large)
	}
	b.class, b.large, b.bytes = 0, nil, b.first
}
