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
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"galbuild/build/site"
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
	g.spare.pause = 0
	for _, body := range bodies {
		requests = append(requests, fmt.Sprintf("POST /api/extensionquery HTTP/1.1\r\nHost: gallery.test\r\nAccept-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", coding, len(body), body))
		g.ask("gallery.test", body, coding)
		response := g.ask("gallery.test", body, coding) // from the cache, as in the benchmark
		responses.header = response.Header
		responses.bodies = append(responses.bodies, []byte(text(b, response)))
	}
	b.Run("of=memory", func(b *testing.B) { sendRepeatedly(b, &responses, requests) })
	b.Run("of=galshim", func(b *testing.B) { sendRepeatedly(b, g, requests) })
}

// BenchmarkRepeated compares responses that are joined from fragments with those that are requested
// again and come from the cache. wire-B is the mean number of bytes of a body.
func BenchmarkRepeated(b *testing.B) {
	dir := b.TempDir()
	sample{more: 10_000, full: true}.write(b, dir)
	for _, of := range []string{"fragments", "cache"} {
		g := open(b, dir, folder{dir})
		g.spare.pause = 0
		if of == "fragments" {
			g.spare.mutex.Lock() // nothing is compressed for the cache
		}
		for _, kind := range append(kinds(10_000)[:4], kind{"frequent", frequentQueries()}) {
			b.Run("kind="+kind.name+"/of="+of, func(b *testing.B) { askRepeatedly(b, g, kind.bodies) })
		}
	}
}

// askRepeatedly sends the queries in turn, without a connection.
func askRepeatedly(b *testing.B, g *testGallery, bodies []string) {
	for range 2 {
		for _, body := range bodies {
			g.ask("gallery.test", body, "gzip")
		}
	}
	w := &counted{header: make(http.Header)}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r, err := http.NewRequest("POST", "http://gallery.test/api/extensionquery", strings.NewReader(bodies[i%len(bodies)]))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "gzip")
		clear(w.header)
		g.ServeHTTP(w, r)
	}
	b.ReportMetric(float64(w.bytes)/float64(b.N), "wire-B")
}

// BenchmarkFollow downloads the index of a published site: all of it, and then again each time an
// extension has been added. sent-B is how many bytes the site sends, without index/CURRENT, and
// floor-B the mean size of an extension in it.
func BenchmarkFollow(b *testing.B) {
	s, dir := sample{more: 10_000, full: true}, b.TempDir()
	s.write(b, dir)
	var sent atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.URL.Path)))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		if r.URL.Path != "/"+site.CurrentPath {
			sent.Add(int64(len(text)))
		}
		w.Write(text)
	}))
	defer server.Close()
	b.Run("of=all", func(b *testing.B) {
		sent.Store(0)
		for b.Loop() {
			remote := remoteAt(b, server.URL, b.TempDir())
			download(b, remote, nil).release()
			remote.close()
		}
		b.ReportMetric(float64(sent.Load())/float64(b.N), "sent-B")
	})
	b.Run("of=one-added", func(b *testing.B) {
		remote := remoteAt(b, server.URL, b.TempDir())
		defer remote.close()
		sent.Store(0)
		now := download(b, remote, nil)
		floor := float64(sent.Swap(0)) / float64(s.more)
		for b.Loop() {
			b.StopTimer()
			s.more++
			s.write(b, dir)
			b.StartTimer()
			old := now
			now = download(b, remote, old)
			old.release()
		}
		now.release()
		b.ReportMetric(float64(sent.Load())/float64(b.N), "sent-B")
		b.ReportMetric(floor, "floor-B")
	})
}

// download returns the next generation of a published site when all its chunks are there.
func download(b *testing.B, s *remote, old *generation) *generation {
	b.Helper()
	g, err := s.next(b.Context(), old, nil)
	if err != nil {
		b.Fatal(err)
	}
	for number := range g.ix.Chunks() {
		if err := g.open(b.Context(), number); err != nil {
			b.Fatal(err)
		}
	}
	return g
}

// counted is a response writer that only counts the bytes of bodies.
type counted struct {
	header http.Header
	bytes  int
}

func (c *counted) Header() http.Header { return c.header }
func (c *counted) WriteHeader(int)     {}
func (c *counted) Write(b []byte) (int, error) {
	c.bytes += len(b)
	return len(b), nil
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
	if _, ok := h.(*memory); ok {
		go srv.Serve(listener)
	} else {
		go srv.Serve(limitConnections(listener, srv, maxConnections))
	}
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
	return readResponse(stream)
}

// readResponse reads a response with a Content-Length.
func readResponse(stream *bufio.Reader) error {
	length, err := readHeader(stream)
	if err == nil {
		_, err = stream.Discard(length)
	}
	return err
}

// readHeader reads the header of a response, and returns its Content-Length.
func readHeader(stream *bufio.Reader) (length int, err error) {
	for {
		line, err := stream.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(n))); err != nil {
				return 0, err
			}
		}
		if len(line) == 2 {
			return length, nil
		}
	}
}
