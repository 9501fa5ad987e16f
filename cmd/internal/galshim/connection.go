package galshim

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// A connection is what galshim knows about the connection of a request.
type connection struct {
	below   net.Conn     // a TCP connection or a Unix socket
	peer    peer         // the other end
	corked  *corkedConn  // nil if the connection cannot be corked
	streams atomic.Int64 // running requests over HTTP/2
}

// connKey is the key of a request's connection in its context.
type connKey struct{}

func withConn(ctx context.Context, conn net.Conn) context.Context {
	c := &connection{below: below(conn), peer: newPeer(conn.RemoteAddr().String(), conn.LocalAddr())}
	c.corked, _ = conn.(*corkedConn)
	return context.WithValue(ctx, connKey{}, c)
}

// connectionOf returns the connection of a request, or nil in tests without one.
func connectionOf(r *http.Request) *connection {
	c, _ := r.Context().Value(connKey{}).(*connection)
	return c
}

// below returns the TCP connection or Unix socket that a connection consists of.
func below(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if corked, ok := conn.(*corkedConn); ok {
		conn = corked.TCPConn
	}
	return conn
}

// A corkedConn is a TCP connection that can be corked, as by the socket option TCP_CORK: what is
// written first is kept, and sent together with what is written next. Package http writes the
// header of a response and the first bytes of its body apart from the rest. Sent together, they
// need one system call, and the client wakes up once.
//
// Only the goroutine that writes to the connection may call its methods.
type corkedConn struct {
	*net.TCPConn
	held   *[heldBytes]byte // nil if the connection is not corked
	n      int              // bytes in held
	parts  [2][]byte
	vector net.Buffers // of parts
}

// heldBytes is the size of the buffer that package http writes to a connection. What is longer is
// not kept.
const heldBytes = 4 << 10

var heldPool = sync.Pool{New: func() any { return new([heldBytes]byte) }}

// cork begins to keep what is written.
func (c *corkedConn) cork() {
	if c.held == nil {
		c.held, c.n = heldPool.Get().(*[heldBytes]byte), 0
	}
}

// uncork sends what is kept, and ends keeping.
func (c *corkedConn) uncork() error {
	if c.held == nil {
		return nil
	}
	_, err := c.send(nil)
	heldPool.Put(c.held)
	c.held = nil
	return err
}

// Write implements [net.Conn].
func (c *corkedConn) Write(b []byte) (int, error) {
	switch {
	case c.held == nil:
		return c.TCPConn.Write(b)
	case len(b) <= heldBytes-c.n:
		c.n += copy(c.held[c.n:], b)
		return len(b), nil
	}
	return c.send(b)
}

// send sends what is kept, and then b. It returns how many bytes of b were sent.
func (c *corkedConn) send(b []byte) (int, error) {
	if c.n == 0 && len(b) == 0 {
		return 0, nil
	}
	kept := c.n
	c.parts = [2][]byte{c.held[:c.n], b}
	c.vector, c.n = c.parts[:], 0
	n, err := c.vector.WriteTo(c.TCPConn)
	c.parts = [2][]byte{}
	return max(0, int(n)-kept), err
}
