package galshim

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkUnderAttack sends requests of an editor while ten clients send requests as
// expensive and as fast as they can. p95-ms is the 95th percentile of the editor's response
// time; the attackers use the same processors. memory-MiB is the largest memory of Go,
// including that of the clients and attackers.
func BenchmarkUnderAttack(b *testing.B) {
	const size, attackers = 10_000, 10
	dir := b.TempDir()
	sample{more: size, full: true}.write(b, dir)
	g := open(b, dir, folder{dir})
	for _, attack := range attacks(size) {
		b.Run("attack="+attack.name, func(b *testing.B) {
			srv, addr := serveForBench(b, g)
			defer srv.Close()
			ctx, stop := context.WithCancel(b.Context())
			var running sync.WaitGroup
			for range attackers {
				running.Go(func() {
					for ctx.Err() == nil {
						attack.run(ctx, addr)
					}
				})
			}
			askUnderAttack(b, addr)
			stop()
			running.Wait()
		})
	}
}

// attack is one action of an attacker, with a separate connection.
type attack struct {
	name string
	run  func(ctx context.Context, addr string)
}

// attacks are the most expensive attacks of each kind.
func attacks(size int) []attack {
	var names, texts []string
	for i := range size {
		names = append(names, fmt.Sprintf(`{"filterType":7,"value":"many.n%d"}`, i))
	}
	for i := range 64 {
		texts = append(texts, fmt.Sprintf(`{"criteria":[{"filterType":10,"value":"highligths complets formts pythn explans topc%05d gts out wy everthing"}]}`, i))
	}
	body := func(filters string) string { return `{"filters":[` + filters + `],"flags":1}` }
	long := "Host: " + strings.Repeat("a", 250) + "\r\n"
	return []attack{
		{"none", func(ctx context.Context, _ string) { <-ctx.Done() }},
		{"lists", post("Host: h\r\n", body(`{"pageSize":10000}`))},
		{"names", post("Host: h\r\n", body(`{"criteria":[`+strings.Join(names, ",")+`]}`))},
		{"names-gzip", post("Host: h\r\nAccept-Encoding: gzip\r\n", body(`{"criteria":[`+strings.Join(names, ",")+`]}`))},
		{"texts", post("Host: h\r\n", body(strings.Join(texts, ",")))},
		{"compressed", post(long+"Accept-Encoding: gzip\r\n", ask("", 100, 4))},
		{"bodies", post("Host: h\r\n", strings.Repeat(" ", maxBody-2)+"{}")},
		{"unread", unread(post("Host: h\r\n", body(`{"pageSize":10000}`)))},
	}
}

// post sends a query and reads the response.
func post(header, body string) func(context.Context, string) {
	return func(ctx context.Context, addr string) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		fmt.Fprintf(conn, "POST /api/extensionquery HTTP/1.1\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", header, len(body), body)
		io.Copy(io.Discard, conn)
	}
}

// unread opens another hundred connections whose responses are not read.
func unread(then func(context.Context, string)) func(context.Context, string) {
	return func(ctx context.Context, addr string) {
		const query = `{"filters":[{"pageSize":10000}],"flags":1}`
		for range 100 {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				return
			}
			defer conn.Close()
			conn.(*net.TCPConn).SetReadBuffer(4 << 10)
			fmt.Fprintf(conn, "POST /api/extensionquery HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(query), query)
		}
		for ctx.Err() == nil {
			then(ctx, addr)
		}
	}
}

func serveForBench(b *testing.B, h http.Handler) (*http.Server, string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := newHTTPServer(h, nil, slog.New(slog.DiscardHandler))
	go srv.Serve(listener)
	return srv, listener.Addr().String()
}

// askUnderAttack sends the requests of an editor in turn, and reports how long they take.
func askUnderAttack(b *testing.B, addr string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	stream := bufio.NewReaderSize(conn, 256<<10)
	var requests []string
	for _, kind := range kinds(10_000) {
		for _, question := range kind.questions[:min(20, len(kind.questions))] {
			requests = append(requests, fmt.Sprintf("POST /api/extensionquery HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(question), question))
		}
	}
	memory := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	most := uint64(0)
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		if err := askOnce(conn, stream, requests[i%len(requests)]); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
		time.Sleep(2 * time.Millisecond) // an editor sends requests only now and then
		metrics.Read(memory)
		most = max(most, memory[0].Value.Uint64()-memory[1].Value.Uint64())
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1e3, "p95-ms")
	b.ReportMetric(float64(most>>20), "memory-MiB")
}
