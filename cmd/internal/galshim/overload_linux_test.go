package galshim

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"galbuild/build/headers"
)

// TestSinceReceived checks that the time since bytes arrived grows before they are read, and begins
// again when more arrive.
func TestSinceReceived(t *testing.T) {
	corked, client := connect(t)
	conn := below(corked)
	grows := func() {
		t.Helper()
		if _, err := client.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		settle(t, func() bool { d, ok := sinceReceived(conn); return ok && d >= 50*time.Millisecond })
	}
	grows()
	if _, err := client.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	settle(t, func() bool { d, _ := sinceReceived(conn); return d < 50*time.Millisecond })
	grows()
	if _, ok := sinceReceived(struct{ net.Conn }{conn}); ok {
		t.Error("there is a time for another connection")
	}
}

// TestOverload sends requests to a server for which every request has waited for too long. It
// refuses queries, at all of their addresses and whether or not they have a token, and nothing
// else; and the connection can be used again.
func TestOverload(t *testing.T) {
	var log lockedBuffer
	g := openSample(t, func(c *config) {
		c.late, c.log, c.metrics = -time.Nanosecond, slog.New(slog.NewTextHandler(&log, nil)), newMetrics(0)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := newHTTPServer(g, nil, g.log)
	go srv.Serve(limitConnections(listener, srv, 10))
	defer srv.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream := bufio.NewReader(conn)
	for _, c := range []struct {
		request string
		status  int
	}{
		{"POST /api/extensionquery", http.StatusServiceUnavailable},
		{"POST /t/TOKEN/team/vscode/gallery/extensionquery", http.StatusServiceUnavailable},
		{"GET /api/extensionquery", http.StatusMethodNotAllowed},
		{"GET /api/vscode/acme/hello/latest", http.StatusOK},
		{"GET /" + readmePath, http.StatusOK},
		{"POST /api/publishers/acme/extensions/hello/1.4.0/stats", http.StatusNoContent},
		{"POST /api/extensionquery", http.StatusServiceUnavailable},
	} {
		body := byName("acme.hello")
		fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", c.request, len(body), body)
		response, err := http.ReadResponse(stream, nil)
		if err != nil {
			t.Fatalf("%s: %v", c.request, err)
		}
		got := text(t, response)
		if response.StatusCode != c.status {
			t.Errorf("%s: got status %d, want %d", c.request, response.StatusCode, c.status)
		}
		if c.status == http.StatusServiceUnavailable {
			wantRefused(t, response.Header, got)
		}
	}
	if n := strings.Count(log.String(), "more queries arrive"); n != 1 {
		t.Errorf("%d lines of the log are about the overload, want 1:\n%s", n, log.String())
	}
	if want := `galshim_queries_refused_total{reason="busy"} 3`; !strings.Contains(g.scrape(t), want) {
		t.Errorf("the metrics do not have %s", want)
	}
}

// wantRefused checks the response to a query that is refused: it is the same as when no turn is
// free.
func wantRefused(t *testing.T, got http.Header, body string) {
	t.Helper()
	if !strings.Contains(body, busyMessage) || got.Get("Retry-After") != "2" || got.Get("Cache-Control") != headers.NoStore {
		t.Errorf("got %v\n%s", got, body)
	}
	for _, h := range headers.Every() {
		if !h.Preflight && got.Get(h.Name) != h.Value() {
			t.Errorf("got %s %q, want %q", h.Name, got.Get(h.Name), h.Value())
		}
	}
}
