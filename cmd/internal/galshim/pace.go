package galshim

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A pace cuts off a client that does not take its response. Of what is held in memory for
// it, a client must take 1 kB/s, averaged over each stall; of a file that is sent from the
// disk it must take something in each stall, because a large package may need long over a
// slow line.
//
// What a client has taken is what its system has acknowledged, where ours tells (see
// acked). A deadline for each write would not do, because the buffers of systems fill and
// drain in steps of up to megabytes. Elsewhere it is what could be written.
type pace struct {
	control *http.ResponseController
	stall   time.Duration
	conn    net.Conn     // nil unless it has acknowledged everything that its client took
	written atomic.Int64 // bytes of the body
	writing atomic.Bool  // rather than making what is to be written
	chunk   int          // how much to write at a time

	mu    sync.Mutex
	timer *time.Timer // nil until there is much to write
	least int64       // to be taken within a stall
	taken int64       // at the last check
	ended bool
}

// connKey is the key of a request's connection in its context.
type connKey struct{}

// streamsKey is that of the number of requests over HTTP/2 on it.
type streamsKey struct{}

func withConn(ctx context.Context, conn net.Conn) context.Context {
	ctx = context.WithValue(ctx, streamsKey{}, new(atomic.Int64))
	return context.WithValue(ctx, connKey{}, below(conn))
}

// below returns what a TLS connection is made over, or conn.
func below(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return conn
}

// begin gives the client time to take the header and what comes with it.
func (p *pace) begin() {
	p.control.SetWriteDeadline(time.Now().Add(p.stall)) // in tests there are none, and nobody to wait for
}

// watch begins to look at what the client takes.
func (p *pace) watch(r *http.Request, least int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.least = least
	if p.timer != nil {
		return
	}
	if r.ProtoMajor == 1 { // with HTTP/2, several responses share a connection
		p.conn, _ = r.Context().Value(connKey{}).(net.Conn)
	}
	p.taken = p.progress()
	if p.chunk = chunk; p.conn == nil {
		p.chunk = smallChunk
	}
	p.control.SetWriteDeadline(time.Time{})
	p.timer = time.AfterFunc(p.stall, p.check)
}

// progress returns a number that grows by as much as the client takes.
func (p *pace) progress() int64 {
	if p.conn != nil {
		if n, ok := acked(p.conn); ok {
			return n
		}
		p.conn, p.taken = nil, 0
	}
	return p.written.Load()
}

// check cuts the client off unless it has taken enough.
func (p *pace) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	taken := p.progress()
	if taken-p.taken < p.least && p.writing.Load() {
		if tcp, ok := p.conn.(*net.TCPConn); ok {
			tcp.SetLinger(0) // nor does the system go on sending
		}
		p.control.SetWriteDeadline(time.Now())
		return
	}
	p.taken = taken
	p.timer.Reset(p.stall)
}

// end leaves what is still to be written a last deadline.
func (p *pace) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.timer != nil {
		p.timer.Stop()
		p.begin()
	}
}
