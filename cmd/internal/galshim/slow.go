package galshim

import (
	"io"
	"net"
	"sync"
	"time"

	"galbuild/render/splice"
)

// longResponses are the long responses that are being written. If they have used up their part of
// the budget and another one needs a buffer, the one whose client has not read for the longest time
// is cut off. Otherwise, a few hundred clients that do not read could prevent all lists for a
// minute.
type longResponses struct {
	slow time.Duration // time that a client may read nothing while others need the memory
	wait time.Duration // time that a response waits for the buffer of one that was cut off

	mu  sync.Mutex
	all map[*pace]struct{}
}

func (l *longResponses) add(p *pace) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[p] = struct{}{}
}

func (l *longResponses) remove(p *pace) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, p)
}

// cutSlowest cuts off the response that has been waiting for its client for the longest
// time. It returns false if none has been waiting for l.slow.
func (l *longResponses) cutSlowest() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var slowest *pace
	least := time.Now().Add(-l.slow).UnixNano()
	for p := range l.all {
		if since := p.since.Load(); since != 0 && since <= least {
			slowest, least = p, since
		}
	}
	if slowest == nil {
		return false
	}
	delete(l.all, slowest)
	slowest.cut()
	return true
}

// buffer returns a buffer for about n bytes like buffers.get. If the budget allows none, it
// cuts off a slow client.
func (s *server) buffer(n int, w io.Writer) *splice.Buffer {
	b := s.buffers.get(n, w)
	if b != nil || !s.long.cutSlowest() {
		return b
	}
	for end := time.Now().Add(s.long.wait); b == nil && time.Now().Before(end); b = s.buffers.get(n, w) {
		time.Sleep(time.Millisecond)
	}
	return b
}

// cut disconnects the client of a response that is being written.
func (p *pace) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.disconnect()
	}
}

// disconnect ends the connection. The system drops what it has not sent yet.
func (p *pace) disconnect() {
	if tcp, ok := p.conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	p.setDeadline(time.Now())
}
