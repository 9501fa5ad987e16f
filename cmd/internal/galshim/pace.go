package galshim

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A pace disconnects a client that does not read its response. A client must read a response that
// is held in memory at 1 kB/s at least, averaged over each stall period. Of a file that is sent
// from the disk, it must read at least a byte in each stall period, because a large package may
// take long over a slow line. The first period begins after a second: most responses have ended by
// then, and need no check.
//
// On Linux, the bytes that a client has read are those that its system has acknowledged (see
// acked). A deadline for each write would not be sufficient, because the buffers of both systems
// fill and drain in steps of up to megabytes. On other systems, the bytes that were written are
// used.
type pace struct {
	response http.ResponseWriter
	stall    time.Duration
	conn     net.Conn     // nil with HTTP/2, where several responses share a connection
	counted  bool         // acknowledged bytes can be counted
	written  atomic.Int64 // bytes of the body
	since    atomic.Int64 // time at which the current write began, in nanoseconds since 1970, or 0
	chunk    int          // bytes to write at a time

	mu    sync.Mutex
	timer *time.Timer // nil until there is much to write
	least int64       // bytes that the client must read in a stall period
	last  int64       // progress at the last check, -1 before the first
	ended bool
}

// firstCheck is the time from the beginning of a response to its first stall period.
const firstCheck = time.Second

// begin sets a deadline for the response header and the first bytes of the body.
func (p *pace) begin() {
	p.setDeadline(time.Now().Add(p.stall))
}

func (p *pace) setDeadline(t time.Time) {
	if p.conn != nil {
		p.conn.SetWriteDeadline(t) // this is what the controller does, without looking for the connection
		return
	}
	http.NewResponseController(p.response).SetWriteDeadline(t) // it fails in tests without a connection
}

// watch starts to check how much the client reads.
func (p *pace) watch(least int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.least = least
	if p.timer != nil {
		return
	}
	p.counted, p.last = p.conn != nil, -1
	if p.chunk = chunk; p.conn == nil {
		p.chunk = smallChunk
	}
	p.setDeadline(time.Time{})
	p.timer = time.AfterFunc(min(p.stall, firstCheck), p.check)
}

// progress returns a number that grows with every byte that the client reads.
func (p *pace) progress() int64 {
	if p.counted {
		if n, ok := acked(p.conn); ok {
			return n
		}
		p.counted, p.last = false, -1
	}
	return p.written.Load()
}

// beginWrite and endWrite are called around each write to the client.
func (p *pace) beginWrite() { p.since.Store(time.Now().UnixNano()) }

func (p *pace) endWrite() { p.since.Store(0) }

// check disconnects the client unless it has read enough.
func (p *pace) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	now := p.progress()
	if p.last >= 0 && now-p.last < p.least && p.since.Load() != 0 {
		p.disconnect()
		return
	}
	p.last = now
	p.timer.Reset(p.stall)
}

// end stops checking, and sets a last deadline for the bytes that have not been written yet.
func (p *pace) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.timer != nil {
		p.timer.Stop()
		p.begin()
	}
}
