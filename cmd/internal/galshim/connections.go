package galshim

import (
	"net"
	"net/http"
	"sync"
)

// connections is a listener with a limit of concurrent connections. At the limit, it closes
// an idle connection to accept the next one. If none is idle, the next one waits in the
// system's queue.
type connections struct {
	net.Listener
	free   chan struct{} // a token for each connection that may be accepted
	closed chan struct{}
	close  func() error

	mu      sync.Mutex
	idle    map[net.Conn]struct{}
	waiting bool // Accept waits for a connection to end
}

// limitConnections returns l with a limit of n concurrent connections, which srv serves.
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
		c.setWaiting(true)
		select {
		case <-c.free:
			c.setWaiting(false)
		case <-c.closed:
			return nil, net.ErrClosed
		}
	}
	conn, err := c.Listener.Accept()
	if err != nil {
		c.free <- struct{}{}
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		return &corkedConn{TCPConn: tcp}, nil
	}
	return conn, err
}

// open returns the number of connections. One of the tokens is that of Accept.
func (c *connections) open() int { return max(0, cap(c.free)-len(c.free)-1) }

// Close implements [net.Listener].
func (c *connections) Close() error { return c.close() }

// setWaiting sets whether Accept waits for a connection to end. If it waits, an idle connection is
// closed, now or as soon as there is one.
func (c *connections) setWaiting(waiting bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = waiting
	for conn := range c.idle {
		if !c.waiting {
			return
		}
		c.drop(conn)
	}
}

// drop closes an idle connection. The server then reports the end of the connection. Of a TLS
// connection, drop closes only the TCP connection, because the end of TLS may take long.
func (c *connections) drop(conn net.Conn) {
	c.waiting = false
	delete(c.idle, conn)
	below(conn).Close()
}

// changed is the server's hook for connections that change state.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateIdle:
		if c.idle[conn] = struct{}{}; c.waiting {
			c.drop(conn)
		}
	case http.StateClosed, http.StateHijacked:
		delete(c.idle, conn)
		c.free <- struct{}{}
	default:
		delete(c.idle, conn)
	}
}

// connectionsFor returns the limit of connections for a limit of open files. Each connection may
// need another open file, or a connection to a published site.
func connectionsFor(files uint64) int {
	const others = 32 // the log, the index, the listener, files of the system
	if files <= others+16 {
		return 8
	}
	return int(min(maxConnections, (files-others)/2))
}
