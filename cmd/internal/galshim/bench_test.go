package galshim

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkServe sends queries over one persistent connection for each processor, as editors do. It
// compares galshim with a handler that writes the same bytes from memory under the same limits,
// which is what net/http costs. p99-us is the 99th percentile of the times in microseconds.
func BenchmarkServe(b *testing.B) {
	for _, size := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			dir := b.TempDir()
			sample{more: size, full: true}.write(b, dir)
			g := open(b, dir, folder{dir})
			debug.FreeOSMemory() // a large heap would delay garbage collections
			for _, kind := range kinds(size) {
				b.Run("kind="+kind.name+"/coding=plain", func(b *testing.B) { compareWithMemory(b, g, kind.bodies, "identity") })
				b.Run("kind="+kind.name+"/coding=gzip", func(b *testing.B) { compareWithMemory(b, g, kind.bodies, "gzip") })
			}
		})
	}
}

// A kind is a kind of queries. Its bodies are all different.
type kind struct {
	name   string
	bodies []string
}

// kinds returns the kinds of queries that editors make, for a sample of this size.
func kinds(size int) []kind {
	random := rand.New(rand.NewPCG(1, 2))
	var checks []string // update checks of the extensions that a user has installed
	for range 256 {
		var names strings.Builder
		for range 60 {
			fmt.Fprintf(&names, `{"filterType":7,"value":"many.n%d"},`, random.IntN(size))
		}
		checks = append(checks, queryBody(names.String(), 60, 0))
	}
	return []kind{
		{"popular", []string{queryBody("", 50, 4)}},
		{"category", []string{queryBody(`{"filterType":5,"value":"themes"},`, 50, 4)}},
		{"text-few", []string{queryBody(`{"filterType":10,"value":"topic00001"},`, 50, 0)}},
		{"text-many", []string{queryBody(`{"filterType":10,"value":"python"},`, 50, 0)}},
		{"check", checks},
		{"one", []string{queryBody(`{"filterType":7,"value":"many.n7"},`, 1, 0)}},
	}
}

// queryBody returns the body of a query as editors send it.
func queryBody(criteria string, size, sort int) string {
	return fmt.Sprintf(`{"filters":[{"criteria":[%s{"filterType":8,"value":"Microsoft.VisualStudio.Code"},{"filterType":12,"value":"4096"}],`+
		`"pageNumber":1,"pageSize":%d,"sortBy":%d,"sortOrder":0}],"assetTypes":[],"flags":950}`, criteria, size, sort)
}

// compareWithMemory sends the queries in turn, to a handler that has the responses in memory and to
// galshim.
func compareWithMemory(b *testing.B, g *testGallery, bodies []string, coding string) {
	var requests []string
	var responses memory
	for _, body := range bodies {
		requests = append(requests, fmt.Sprintf("POST /api/extensionquery HTTP/1.1\r\nHost: gallery.test\r\nAccept-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", coding, len(body), body))
		response := g.request("POST", "http://gallery.test/api/extensionquery", body, "Accept-Encoding", coding)
		responses.header = response.Header
		responses.bodies = append(responses.bodies, []byte(text(b, response)))
	}
	b.Run("of=memory", func(b *testing.B) { sendRepeatedly(b, &responses, requests) })
	b.Run("of=galshim", func(b *testing.B) { sendRepeatedly(b, g, requests) })
}

// memory is a handler that reads the body of a request and writes one of its responses, in turn,
// all with the same header.
type memory struct {
	header http.Header
	bodies [][]byte
	next   atomic.Uint32
}

func (m *memory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	body := m.bodies[int(m.next.Add(1))%len(m.bodies)]
	maps.Copy(w.Header(), m.header)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}

// sendRepeatedly sends the requests in turn, on one connection for each processor, with a client
// that does as little as possible.
func sendRepeatedly(b *testing.B, h http.Handler, requests []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := newHTTPServer(h, nil, slog.New(slog.DiscardHandler))
	go srv.Serve(listener)
	defer srv.Close()

	var mu sync.Mutex
	var times []time.Duration
	var next atomic.Uint32
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		stream := bufio.NewReaderSize(conn, 256<<10)
		took := make([]time.Duration, 0, b.N)
		for pb.Next() {
			start := time.Now()
			if err := sendOnce(conn, stream, requests[int(next.Add(1))%len(requests)]); err != nil {
				b.Error(err)
				return
			}
			took = append(took, time.Since(start))
		}
		mu.Lock()
		defer mu.Unlock()
		times = append(times, took...)
	})
	slices.Sort(times)
	if len(times) > 0 {
		b.ReportMetric(float64(times[len(times)*99/100].Nanoseconds())/1e3, "p99-us")
	}
}

// sendOnce sends a request and reads its response.
func sendOnce(conn net.Conn, stream *bufio.Reader, request string) error {
	if _, err := io.WriteString(conn, request); err != nil {
		return err
	}
	length := 0
	for {
		line, err := stream.ReadSlice('\n')
		if err != nil {
			return err
		}
		if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(n))); err != nil {
				return err
			}
		}
		if len(line) == 2 {
			_, err := stream.Discard(length)
			return err
		}
	}
}
