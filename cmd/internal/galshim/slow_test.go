package galshim

import (
	"fmt"
	"net"
	"testing"
	"time"
)

// TestUnreadResponses lets clients that do not read use up the budget for long responses. Another
// client gets its list, because one of the unread responses is cut off.
func TestUnreadResponses(t *testing.T) {
	const clients = 3
	dir := t.TempDir()
	sample{more: 900, full: true}.write(t, dir)
	g := open(t, dir, folder{dir}, func(c *config) { c.slow = time.Millisecond })
	g.long.wait = time.Minute                             // on a busy machine, a response that is cut off may end late
	g.buffers.budget.most = clients * pieceBuffer * 4 / 3 // long responses have three quarters of it
	srv := startUnbuffered(t, g)
	long := queryBody("", 900, 0)
	for range clients {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		fmt.Fprintf(conn, "POST /api/extensionquery HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(long), long)
	}
	settle(t, func() bool { return g.waitingClients() == clients })
	if resp := g.request("POST", "/api/extensionquery", queryBody("", 50, 4)); resp.StatusCode != 200 {
		t.Errorf("status %d, want 200", resp.StatusCode)
	}
	settle(t, func() bool { return g.waitingClients() == clients-1 })
}

// waitingClients returns how many long responses wait for their clients.
func (s *server) waitingClients() int {
	s.long.mu.Lock()
	defer s.long.mu.Unlock()
	n := 0
	for p := range s.long.all {
		if since := p.since.Load(); since != 0 && time.Now().UnixNano()-since > int64(s.long.slow) {
			n++
		}
	}
	return n
}
