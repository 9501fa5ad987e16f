package galshim

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
)

// serveTLS serves g over TLS as galshim does, and returns its address.
func serveTLS(t *testing.T, g *testGallery) string {
	t.Helper()
	cert, err := selfSigned([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := newHTTPServer(g, &tls.Config{Certificates: []tls.Certificate{cert}}, slog.New(slog.DiscardHandler))
	go srv.ServeTLS(listener, "", "")
	t.Cleanup(func() { srv.Close() })
	return listener.Addr().String()
}

// TestStreams checks that excess requests over HTTP/2 are reset. Meanwhile, a client with only a
// few requests is served, and later all clients are.
func TestStreams(t *testing.T) {
	const all = 10
	g := openSample(t, func(c *config) { c.streams = all })
	now := g.live.now.Load()
	now.blobs.Close()
	now.blobs = endless{make(chan error, 100)}
	address := "https://" + serveTLS(t, g)
	client := func(http2 bool) *http.Client {
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Protocols: new(http.Protocols)}
		transport.Protocols.SetHTTP2(http2)
		transport.Protocols.SetHTTP1(!http2)
		t.Cleanup(transport.CloseIdleConnections)
		return &http.Client{Transport: transport}
	}
	get := func(c *http.Client, path string) error {
		resp, err := c.Get(address + path)
		if err == nil {
			t.Cleanup(func() { resp.Body.Close() })
		}
		return err
	}
	const file, small = "/assets/acme/hello/1.2.3/" + iconType, "/healthz"
	greedy, modest, old := client(true), client(true), client(false)
	var open []io.Closer
	for range all {
		resp, err := greedy.Get(address + file)
		if err != nil {
			t.Fatal(err)
		}
		if resp.ProtoMajor != 2 {
			t.Fatalf("the protocol is %s", resp.Proto)
		}
		open = append(open, resp.Body)
	}
	if err := get(greedy, small); err == nil {
		t.Error("one request too many gets a response")
	}
	for name, c := range map[string]*http.Client{"another connection": modest, "HTTP/1": old} {
		if err := get(c, small); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, body := range open {
		body.Close()
	}
	settle(t, func() bool { return g.streamCount.Load() == 0 })
	if err := get(greedy, small); err != nil {
		t.Error(err)
	}
}

// TestStreamLimits checks the limits that the server announces to HTTP/2 clients.
func TestStreamLimits(t *testing.T) {
	conn, err := tls.Dial("tcp", serveTLS(t, openSample(t)), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+"\x00\x00\x00\x04\x00\x00\x00\x00\x00") // empty settings
	var header [9]byte
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		t.Fatal(err)
	}
	const settings = 4
	payload := make([]byte, binary.BigEndian.Uint32(append([]byte{0}, header[:3]...)))
	if _, err := io.ReadFull(conn, payload); err != nil || header[3] != settings {
		t.Fatalf("the first frame is of type %d, %v", header[3], err)
	}
	got := make(map[uint16]uint32)
	for r := bytes.NewBuffer(payload); r.Len() >= 6; {
		got[binary.BigEndian.Uint16(r.Next(2))] = binary.BigEndian.Uint32(r.Next(4))
	}
	for id, want := range map[uint16]uint32{3: maxStreams, 4: streamBuffer, 5: maxFrameBytes} { // RFC 9113, 6.5.2
		if got[id] != want {
			t.Errorf("setting %d is %d, want %d", id, got[id], want)
		}
	}
}

// TestStreamsFor checks the limits of requests for few and for many connections.
func TestStreamsFor(t *testing.T) {
	for connections, want := range map[int]int{8: leastStreams, maxConnections: maxConnections / 4} {
		if got := streamsFor(connections); got != want {
			t.Errorf("%d requests for %d connections, want %d", got, connections, want)
		}
	}
}
