package galshim

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A deadlineWriter is a response that records its deadline.
type deadlineWriter struct {
	http.ResponseWriter
	deadline time.Time
}

func (w *deadlineWriter) SetWriteDeadline(t time.Time) error { w.deadline = t; return nil }

// TestPace checks that a client that reads too little within a minute is disconnected, but not
// while there is nothing to read.
func TestPace(t *testing.T) {
	const memory, disk = 60_000, 1 // bytes in a minute
	for _, x := range []struct {
		name    string
		least   int64
		each    int64 // bytes read every second
		writing bool
		cut     time.Duration // 0 for never
	}{
		{"nothing", memory, 0, true, firstCheck + time.Minute},
		{"too little", memory, 980, true, firstCheck + time.Minute},
		{"enough", memory, 1100, true, 0},
		{"nothing of a file", disk, 0, true, firstCheck + time.Minute},
		{"a little of a file", disk, 1, true, 0},
		{"nothing to read", memory, 0, false, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &deadlineWriter{ResponseWriter: httptest.NewRecorder()}
			reply := newReply(w, httptest.NewRequest("GET", "/", nil), writeTimeout)
			began := time.Now()
			reply.pace.watch(x.least)
			if x.writing {
				reply.pace.beginWrite()
			}
			for range 300 {
				time.Sleep(time.Second)
				reply.pace.written.Add(x.each)
			}
			synctest.Wait()
			if w.deadline.IsZero() != (x.cut == 0) || x.cut > 0 && w.deadline.Sub(began) != x.cut {
				t.Errorf("%s: cut off at %s, want after %s", x.name, w.deadline.Sub(began), x.cut)
			}
			reply.pace.end()
			if x.cut == 0 && w.deadline != time.Now().Add(writeTimeout) {
				t.Errorf("%s: the end has the deadline %s", x.name, w.deadline)
			}
			time.Sleep(time.Hour) // a timer that is left would disconnect the next request
		})
	}
}

// startUnbuffered starts a server whose connections have small buffers, so that it soon waits
// for clients that do not read.
func startUnbuffered(t *testing.T, h http.Handler) *httptest.Server {
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnContext = withConn
	l := limitConnections(srv.Listener, srv.Config, maxConnections)
	srv.Listener = l
	srv.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateNew {
			below(conn).(*net.TCPConn).SetWriteBuffer(16 << 10)
		}
		l.changed(conn, state)
	}
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// TestSteadyReader checks that a client that reads slowly, but fast enough, can read to the end,
// although each write takes longer than a stall period. The stall periods end when the test calls
// check, so a client on a busy machine is not too slow.
func TestSteadyReader(t *testing.T) {
	const stall, size, part = 30 * time.Second, 2 << 20, chunk / 2
	content := make([]byte, size)
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt(content, 0); err != nil {
		t.Fatal(err)
	}
	for name, send := range map[string]func(*reply){
		"memory": func(w *reply) { w.Write(content) },
		"disk":   func(w *reply) { w.ReadFrom(file) },
	} {
		replies := make(chan *reply, 1)
		srv := startUnbuffered(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w := newReply(rw, r, stall)
			w.Header().Set("Content-Length", strconv.Itoa(size))
			replies <- w
			send(w)
			w.pace.end()
		}))
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.(*net.TCPConn).SetReadBuffer(16 << 10)
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		pace, last := &(<-replies).pace, int64(0)
		for got := 0; got < size; got += part {
			if _, err := io.CopyN(io.Discard, response.Body, part); err != nil {
				t.Fatalf("%s: the client is cut off after %d bytes: %v", name, got, err)
			}
			settle(t, func() bool { return pace.lockedProgress()-last >= stall.Milliseconds() })
			last = pace.lockedProgress()
			pace.check()
		}
	}
}

func (p *pace) lockedProgress() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.progress()
}

// TestDisconnect checks that a disconnection is logged, and that the connection ends at once,
// whatever is in the system's buffers.
func TestDisconnect(t *testing.T) {
	dir := t.TempDir()
	sample{more: 900, full: true}.write(t, dir)
	var lines lockedBuffer
	srv := startUnbuffered(t, open(t, dir, folder{dir}, func(c *config) {
		c.stall, c.log = 50*time.Millisecond, slog.New(slog.NewTextHandler(&lines, nil))
	}))
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	body := queryBody("", 900, 0)
	fmt.Fprintf(conn, "POST /api/extensionquery HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	settle(t, func() bool { return strings.Contains(lines.String(), "err=\"write response: ") })
	if _, err := io.Copy(io.Discard, conn); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the connection ends with %v, want a reset", err)
	}
}

// lockedBuffer may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}
func (b *lockedBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }

// TestStopping checks that the server stops within the time limit, even if a client does not read.
func TestStopping(t *testing.T) {
	dir := t.TempDir()
	sample{}.write(t, dir)
	g := open(t, dir, folder{dir})
	now := g.live.now.Load()
	now.blobs.Close()
	e := endless{make(chan error, 1)}
	now.blobs = e
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /assets/acme/hello/1.2.3/"+iconType+" HTTP/1.1\r\nHost: h\r\n\r\n")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	log := slog.New(slog.DiscardHandler)
	go func() { ended <- serve(ctx, cancel, newHTTPServer(g, nil, log), listener, 50*time.Millisecond, log) }()
	if _, err := io.ReadFull(conn, make([]byte, 1<<10)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := <-e.failed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the response ended with %v", err)
	}
}
