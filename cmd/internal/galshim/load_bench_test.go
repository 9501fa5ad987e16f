package galshim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkLoad sends queries over many connections, on each as fast as the responses arrive, to
// galshim and to a handler that writes the same bytes from memory. galshim, the handler and the
// clients are processes of their own, on the same processors. An operation is a round: the handler
// is measured, and then galshim. ratio is galshim's rate of responses divided by that of the
// handler, and p99-times the 99th percentile of galshim's response times divided by that of the
// handler: both are medians of all rounds, as is requests/s, the rate of galshim.
func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	sample{more: 10_000, full: true}.write(b, dir)
	_, log := startChild(b, "galshim", "--index", dir, "--listen", "127.0.0.1:0")
	addr := listeningAt(b, log)
	for _, kind := range kinds(10_000) {
		for _, coding := range []string{"plain", "gzip"} {
			requests := requestsOf(kind.bodies, coding)
			responses := recordedResponses(b, addr, requests)
			for _, connections := range []int{8, 64} {
				b.Run(fmt.Sprintf("kind=%s/coding=%s/connections=%d", kind.name, coding, connections), func(b *testing.B) {
					compareUnderLoad(b, addr, responses, load{Connections: connections, Requests: requests})
				})
			}
		}
	}
}

// requestsOf returns requests with these bodies.
func requestsOf(bodies []string, coding string) (requests []string) {
	coding = strings.Replace(coding, "plain", "identity", 1)
	for _, body := range bodies {
		requests = append(requests, fmt.Sprintf("POST /api/extensionquery HTTP/1.1\r\nHost: gallery.test\r\nAccept-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", coding, len(body), body))
	}
	return requests
}

// responsesOf sends the requests to galshim several times, so that it has the responses in its
// cache, and returns a handler that writes the last ones.
func recordedResponses(b *testing.B, addr string, requests []string) *memory {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	stream := bufio.NewReader(conn)
	responses := new(memory)
	for range 20 {
		responses.bodies = nil
		for _, request := range requests {
			io.WriteString(conn, request)
			response, err := http.ReadResponse(stream, nil)
			if err != nil || response.StatusCode != http.StatusOK {
				b.Fatalf("got %v, %v", response, err)
			}
			responses.header = response.Header
			responses.header.Del("Date")
			responses.bodies = append(responses.bodies, []byte(text(b, response)))
		}
		if len(requests) == 1 {
			time.Sleep(10 * time.Millisecond) // galshim pauses after it has compressed a response
		}
	}
	return responses
}

// compareUnderLoad measures galshim at addr and a handler with its responses.
func compareUnderLoad(b *testing.B, addr string, responses *memory, l load) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	fixed := newHTTPServer(responses, nil, slog.New(slog.DiscardHandler))
	go fixed.Serve(listener)
	defer fixed.Close()
	var ratios, slower, rates []float64
	for b.Loop() {
		of := l.measure(b, listener.Addr().String())
		galshim := l.measure(b, addr)
		ratios = append(ratios, galshim.Rate/of.Rate)
		slower = append(slower, galshim.P99/of.P99)
		rates = append(rates, galshim.Rate)
	}
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(slower), "p99-times")
	b.ReportMetric(median(rates), "requests/s")
}

func median(of []float64) float64 {
	slices.Sort(of)
	return (of[(len(of)-1)/2] + of[len(of)/2]) / 2
}

// A load is requests that are sent over a number of connections, in turn on each of them.
type load struct {
	Addr        string
	Connections int
	Requests    []string
}

// loadTime is how long a load lasts.
const loadTime = 200 * time.Millisecond

// A loadResult has the number of responses in a second, and the 99th percentile of the response
// times in seconds.
type loadResult struct{ Rate, P99 float64 }

// measure applies the load in a process of its own.
func (l load) measure(b *testing.B, addr string) (result loadResult) {
	l.Addr = addr
	stdin, err := json.Marshal(l)
	if err != nil {
		b.Fatal(err)
	}
	c := exec.CommandContext(b.Context(), os.Args[0])
	c.Env = append(os.Environ(), child+"=load")
	c.Stdin, c.Stderr = bytes.NewReader(stdin), os.Stderr
	stdout, err := c.Output()
	if err == nil {
		err = json.Unmarshal(stdout, &result)
	}
	if err != nil {
		b.Fatal(err)
	}
	return result
}

// runLoad applies the load on standard input, and prints the result.
func runLoad() error {
	var l load
	if err := json.NewDecoder(os.Stdin).Decode(&l); err != nil {
		return err
	}
	all := make([][]time.Duration, l.Connections)
	failed := make(chan error, l.Connections)
	var running sync.WaitGroup
	start := time.Now()
	for i := range all {
		running.Go(func() {
			var err error
			if all[i], err = l.send(i*len(l.Requests)/l.Connections, start.Add(loadTime)); err != nil {
				failed <- err
			}
		})
	}
	running.Wait()
	took := slices.Concat(all...)
	select {
	case err := <-failed:
		return err
	default:
	}
	slices.Sort(took)
	return json.NewEncoder(os.Stdout).Encode(loadResult{
		Rate: float64(len(took)) / time.Since(start).Seconds(),
		P99:  took[len(took)*99/100].Seconds(),
	})
}

// send sends the requests in turn over one connection until the end, beginning with the one with
// this number. It returns how long the responses took.
func (l load) send(number int, end time.Time) (took []time.Duration, err error) {
	conn, err := net.Dial("tcp", l.Addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stream := bufio.NewReaderSize(conn, 64<<10)
	for start := time.Now(); start.Before(end); number++ {
		if err := sendOnce(conn, stream, l.Requests[number%len(l.Requests)]); err != nil {
			return nil, err
		}
		now := time.Now()
		took = append(took, now.Sub(start))
		start = now
	}
	return took, nil
}
