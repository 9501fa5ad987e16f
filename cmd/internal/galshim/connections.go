package galshim

import (
	"net"
	"net/http"
	"sync"
)

// connections is a listener with only so many connections at a time. When there are no
// more, one that is idle is closed for the next, and without any the next waits in the
// system's queue.
type connections struct {
	net.Listener
	free   chan struct{} // a token for each that may be accepted
	closed chan struct{}
	close  func() error

	mu     sync.Mutex
	idle   map[net.Conn]struct{}
	wanted bool // Accept waits for one to end
}

// limitConnections returns l with at most n connections at a time that srv serves.
func limitConnections(l net.Listener, srv *http.Server, n int) *connections {
	c := &connections{Listener: l, free: make(chan struct{}, n), closed: make(chan struct{}), idle: make(map[net.Conn]struct{})}
	for range n {
		c.free <- struct{}{}
	}
	c.close = sync.OnceValue(func() error { close(c.closed); return l.Close() })
	srv.ConnState = c.changed
	return c
}

// Accept implements [net.Listener].
func (c *connections) Accept() (net.Conn, error) {
	select {
	case <-c.free:
	default:
		c.want(true)
		select {
		case <-c.free:
			c.want(false)
		case <-c.closed:
			return nil, net.ErrClosed
		}
	}
	conn, err := c.Listener.Accept()
	if err != nil {
		c.free <- struct{}{}
	}
	return conn, err
}

// Close implements [net.Listener].
func (c *connections) Close() error { return c.close() }

// want has an idle connection closed, now or as soon as there is one, or no more.
func (c *connections) want(one bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wanted = one
	for conn := range c.idle {
		if !c.wanted {
			return
		}
		c.drop(conn)
	}
}

// drop closes a connection, which the server notices and reports. Of TLS it closes what is
// below: saying goodbye may take long.
func (c *connections) drop(conn net.Conn) {
	c.wanted = false
	delete(c.idle, conn)
	below(conn).Close()
}

// changed is told by the server what becomes of a connection.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateIdle:
		if c.idle[conn] = struct{}{}; c.wanted {
			c.drop(conn)
		}
	case http.StateClosed, http.StateHijacked:
		delete(c.idle, conn)
		c.free <- struct{}{}
	default:
		delete(c.idle, conn)
	}
}

// connectionsFor returns how many connections there may be where so many files can be
// open: each may have a file, or a connection to a published site, besides itself.
func connectionsFor(files uint64) int {
	const others = 32 // the log, the index, the listener, what the system wants
	if files <= others+16 {
		return 8
	}
	return int(min(maxConnections, (files-others)/2))
}
