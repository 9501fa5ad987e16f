package galshim

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// connect returns both ends of a connection, the first of which can be corked.
func connect(t *testing.T) (*corkedConn, net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConnections(listener, new(http.Server), 1)
	defer l.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); conn.Close() })
	return conn.(*corkedConn), client
}

// TestCork checks that what is written to a corked connection is sent with the next long write, or
// when it is uncorked, in order.
func TestCork(t *testing.T) {
	conn, client := connect(t)
	long := bytes.Repeat([]byte("long"), heldBytes)
	wantKept := func() {
		t.Helper()
		client.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if n, err := client.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("%d bytes were sent", n)
		}
		client.SetReadDeadline(time.Time{})
	}
	want := func(b ...[]byte) {
		t.Helper()
		all := bytes.Join(b, nil)
		got := make([]byte, len(all))
		if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, all) {
			t.Errorf("the bytes differ: %v", err)
		}
	}
	write := func(b []byte) {
		t.Helper()
		if n, err := conn.Write(b); n != len(b) || err != nil {
			t.Errorf("write of %d bytes: %d, %v", len(b), n, err)
		}
	}
	uncork := func() {
		t.Helper()
		if err := conn.uncork(); err != nil {
			t.Error(err)
		}
	}
	write([]byte("at once"))
	want([]byte("at once"))
	for range 2 {
		conn.cork()
		write([]byte("one"))
		write([]byte("two"))
		wantKept()
		write(long)
		want([]byte("onetwo"), long)
		write([]byte("three"))
		wantKept()
		uncork()
		want([]byte("three"))
		uncork()
	}
	conn.cork()
	write([]byte("lost"))
	conn.Close()
	if n, err := conn.Write(long); n != 0 || err == nil {
		t.Errorf("a write to a closed connection: %d, %v", n, err)
	}
}

// TestWriteWhole sends bodies of all sizes around those of buffers, over one connection. Those that
// fit in a packet must arrive at once, with their header.
func TestWriteWhole(t *testing.T) {
	const packet = 8 << 10
	body := bytes.Repeat([]byte("0123456789"), 2*heldBytes)
	srv := newHTTPServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w := newReply(rw, r, time.Minute)
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		w.Header().Set("Content-Length", strconv.Itoa(n))
		if w.corked == nil {
			t.Error("the connection cannot be corked")
		}
		if err := w.writeWhole(body[:n]); err != nil {
			t.Error(err)
		}
	}), nil, slog.New(slog.DiscardHandler))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(limitConnections(listener, srv, 2))
	defer srv.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	stream := bufio.NewReaderSize(client, 4*packet)
	for n := 0; n < len(body); n += 1 + n/60 {
		fmt.Fprintf(client, "GET /?n=%d HTTP/1.1\r\nHost: h\r\n\r\n", n)
		resp, err := http.ReadResponse(stream, nil)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if n < packet && stream.Buffered() != n {
			t.Errorf("%d bytes: %d of them arrived with the header", n, stream.Buffered())
		}
		if got := text(t, resp); got != string(body[:n]) {
			t.Fatalf("%d bytes: got %d, or they differ", n, len(got))
		}
	}
}

// flushed is a response that is written to a connection, and calls a function when it is flushed.
type flushed struct {
	net.Conn
	header  http.Header
	onFlush func()
}

func (f *flushed) Header() http.Header { return f.header }
func (f *flushed) WriteHeader(int)     {}
func (f *flushed) Flush()              { f.onFlush() }

// TestWriteWholeFails checks that a client that does not read the end of a response is noticed, and
// one that has gone.
func TestWriteWholeFails(t *testing.T) {
	conn, _ := connect(t)
	w := &reply{corked: conn, pace: pace{stall: time.Minute, chunk: heldBytes}}
	response := &flushed{Conn: conn, header: make(http.Header)}
	w.ResponseWriter, w.pace.response = response, response
	response.onFlush = func() {
		if w.pace.since.Load() == 0 {
			t.Error("the end of the response is not a write")
		}
		conn.Close()
	}
	if err := w.writeWhole(make([]byte, heldBytes)); err == nil {
		t.Error("there is no error after the connection has ended")
	}
	if w.pace.since.Load() != 0 {
		t.Error("the write has not ended")
	}
}
