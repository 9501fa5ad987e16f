package galshim

import (
	"io"
	"net"
	"testing"
)

// TestAcked counts the bytes that the other end has acknowledged.
func TestAcked(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	before, ok := acked(conn)
	if !ok {
		t.Fatal("there is no count for a TCP connection")
	}
	const size = 50_000
	if _, err := conn.Write(make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(client, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	settle(t, func() bool { n, _ := acked(conn); return n-before == size })
	if _, ok := acked(struct{ net.Conn }{conn}); ok {
		t.Error("there is a count for another connection")
	}
}
