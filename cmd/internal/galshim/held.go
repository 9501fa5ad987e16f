package galshim

import (
	"errors"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// errNoMemory is why a request is shed that would hold more than there is for all.
var errNoMemory = errors.New("too much is held in memory for others")

// held counts the bytes that all requests hold in memory together. Bodies and responses are
// counted apart: whoever sends much must not keep others from being answered.
type held struct {
	used atomic.Int64
	most int64
}

// newHeld returns a budget of so many bytes, or of an eighth of Go's memory limit if that is
// less.
func newHeld(most int64) *held {
	return &held{most: min(most, debug.SetMemoryLimit(-1)/8)}
}

// take adds n bytes, unless they would be too many.
func (h *held) take(n int) bool {
	if h.used.Add(int64(n)) <= h.most {
		return true
	}
	h.give(n)
	return false
}

// takeLong is take for a response that is not short. It leaves a quarter of all to those that
// are: what editors ask is answered, however many clients take long over long responses.
func (h *held) takeLong(n int) bool {
	if h.used.Add(int64(n)) <= h.most-h.most/4 {
		return true
	}
	h.give(n)
	return false
}

// give takes n bytes away.
func (h *held) give(n int) { h.used.Add(int64(-n)) }

// buffers are what responses are written through, of two sizes. They are held.
type buffers struct {
	held          *held
	pieces, whole sync.Pool // of *[]byte
}

// get returns a buffer for about n bytes, a smaller one if they are too many or there is no
// room for it, and nil if there is no room at all.
func (p *buffers) get(n int) *[]byte {
	n += n / 8 // framing comes on top
	if n <= pieceBuffer {
		return p.from(&p.pieces, pieceBuffer, p.held.take)
	}
	if n <= wholeBuffer {
		if b := p.from(&p.whole, wholeBuffer, p.held.takeLong); b != nil {
			return b
		}
	}
	return p.from(&p.pieces, pieceBuffer, p.held.takeLong)
}

func (p *buffers) from(pool *sync.Pool, size int, take func(n int) bool) *[]byte {
	if !take(size) {
		return nil
	}
	if b, ok := pool.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, size)
	return &b
}

// put takes back what get returned.
func (p *buffers) put(b *[]byte) {
	if b == nil {
		return
	}
	p.held.give(cap(*b))
	if cap(*b) == wholeBuffer {
		p.whole.Put(b)
	} else {
		p.pieces.Put(b)
	}
}

// bodies are what bodies of requests are read into. All but the first bytes of each are
// held.
type bodies struct {
	held  *held
	pool  sync.Pool                 // of *body
	large [len(bodySizes)]sync.Pool // of *[]byte, by class
}

// bodySizes are the sizes of buffers for bodies, by class. The last takes any body, and
// leaves room to see that nothing follows.
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

// A body grows with what has arrived, not with what was announced.
type body struct {
	of    *bodies
	class int    // of the buffer
	first []byte // the buffer of class 0
	large *[]byte
	bytes []byte // what has arrived, in the buffer
}

// read reads r to its end. The error is errNoMemory if there is no room for all of it: then
// the rest has been read too, but not kept, for clients do not look at a response before
// they have sent all.
func (b *body) read(r io.Reader) error {
	for {
		if len(b.bytes) == cap(b.bytes) && !b.grow() {
			b.drop()
			if _, err := io.Copy(io.Discard, r); err != nil {
				return err
			}
			return errNoMemory
		}
		n, err := r.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// grow moves the body to a buffer of the next class, if there is room for it.
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

// drop gives back what is held.
func (b *body) drop() {
	if b.class > 0 {
		b.of.held.give(bodySizes[b.class])
		b.of.large[b.class].Put(b.large)
	}
	b.class, b.large, b.bytes = 0, nil, b.first
}
