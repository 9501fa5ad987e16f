package galshim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// BenchmarkOverload sends queries at twice the rate that galshim can sustain, over many connections
// and whether or not responses arrive, as many editors do that do not know of each other. galshim
// has one processor and the clients have another, so that clients do not slow down galshim. An
// operation is a round: the largest rate is measured over 64 connections, and then the overload.
// in-time-ratio is the rate of complete responses within a second of when the query was due,
// divided by the largest rate. refused-% is the share of queries with status 503, and late-% that
// of queries whose response came later or not at all. p99-ms is of the responses that were in time.
// All are medians of the rounds.
func BenchmarkOverload(b *testing.B) {
	if _, err := exec.LookPath("taskset"); err != nil {
		b.Skip("taskset is missing, which binds processes to processors")
	}
	dir := b.TempDir()
	sample{more: 10_000, full: true}.write(b, dir)
	var bodies []string
	for _, kind := range kinds(10_000) {
		bodies = append(bodies, kind.bodies[:min(4, len(kind.bodies))]...)
	}
	addr := listeningAt(b, bufio.NewReader(startOnProcessor(b, "0", "galshim", nil, "--index", dir, "--listen", "127.0.0.1:0")))
	requests := requestsOf(bodies, "gzip")
	var ratios, refused, late, slowest []float64
	for b.Loop() {
		most := overload{Addr: addr, Connections: 64, Requests: requests}.measure(b)
		got := overload{Addr: addr, Connections: 6000, Requests: requests, Rate: 2 * most.InTime}.measure(b)
		ratios = append(ratios, got.InTime/most.InTime)
		all := got.InTime + got.Refused + got.Late
		refused, late, slowest = append(refused, 100*got.Refused/all), append(late, 100*got.Late/all), append(slowest, 1e3*got.P99)
	}
	b.ReportMetric(median(ratios), "in-time-ratio")
	b.ReportMetric(median(refused), "refused-%")
	b.ReportMetric(median(late), "late-%")
	b.ReportMetric(median(slowest), "p99-ms")
}

// An overload is requests that are due at a rate, over a number of connections. With the rate 0,
// each connection sends the next request when the response has arrived.
type overload struct {
	Addr        string
	Connections int
	Requests    []string
	Rate        float64 // requests a second
}

const (
	overloadTime = 3 * time.Second
	inTime       = time.Second
)

// An overloadResult has numbers of requests a second, and the 99th percentile of the times of those
// that were in time, in seconds.
type overloadResult struct{ InTime, Refused, Late, P99 float64 }

// measure applies the load in a process of its own.
func (l overload) measure(b *testing.B) (result overloadResult) {
	stdin, err := json.Marshal(l)
	if err != nil {
		b.Fatal(err)
	}
	stdout := startOnProcessor(b, "1", "overload", bytes.NewReader(stdin))
	if err := json.NewDecoder(stdout).Decode(&result); err != nil {
		b.Fatal(err)
	}
	return result
}

// startOnProcessor runs the test binary as another program, which may use only the processor with
// this number, and returns its output.
func startOnProcessor(b *testing.B, processor, program string, stdin io.Reader, args ...string) io.Reader {
	c := exec.CommandContext(b.Context(), "taskset", append([]string{"-c", processor, os.Args[0]}, args...)...)
	c.Env = append(os.Environ(), child+"="+program)
	c.Stdin = stdin
	out, err := c.StdoutPipe()
	if program == "galshim" {
		out, err = c.StderrPipe()
	}
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return out
}

// runOverload applies the load on standard input, and prints the result.
func runOverload() error {
	var l overload
	if err := json.NewDecoder(os.Stdin).Decode(&l); err != nil {
		return err
	}
	conns := make([]net.Conn, l.Connections)
	for i := range conns {
		var err error
		if conns[i], err = net.Dial("tcp", l.Addr); err != nil {
			return err
		}
	}
	counts := make([]overloadCount, l.Connections)
	var running sync.WaitGroup
	start := time.Now()
	for i, conn := range conns {
		running.Go(func() { counts[i] = l.send(conn, i, start) })
	}
	running.Wait()
	var result overloadResult
	var took []time.Duration
	for _, c := range counts {
		took = append(took, c.inTime...)
		result.Refused += float64(c.refused) / overloadTime.Seconds()
		result.Late += float64(c.late) / overloadTime.Seconds()
	}
	slices.Sort(took)
	if result.InTime = float64(len(took)) / overloadTime.Seconds(); len(took) > 0 {
		result.P99 = took[len(took)*99/100].Seconds()
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// An overloadCount is what became of the requests of a connection.
type overloadCount struct {
	inTime        []time.Duration
	refused, late int
}

// send sends requests over a connection until the end. A request that is due for a second when the
// connection is free is not sent any more.
func (l overload) send(conn net.Conn, number int, start time.Time) (c overloadCount) {
	defer conn.Close()
	stream := bufio.NewReaderSize(conn, 4<<10)
	for k := number; ; k += l.Connections {
		due := time.Now()
		if l.Rate > 0 {
			due = start.Add(time.Duration(float64(k) / l.Rate * float64(time.Second)))
			time.Sleep(time.Until(due))
		}
		if due.Sub(start) > overloadTime {
			return c
		}
		if time.Since(due) > inTime {
			c.late++
			continue
		}
		status, err := exchange(conn, stream, l.Requests[k%len(l.Requests)])
		switch took := time.Since(due); {
		case err != nil:
			c.late++
			return c
		case status == http.StatusServiceUnavailable:
			c.refused++
		case status != http.StatusOK || took > inTime:
			c.late++
		default:
			c.inTime = append(c.inTime, took)
		}
	}
}

// exchange sends a request, and returns the status of the response after it has arrived.
func exchange(conn net.Conn, stream *bufio.Reader, request string) (status int, err error) {
	if _, err := io.WriteString(conn, request); err != nil {
		return 0, err
	}
	line, err := stream.Peek(len("HTTP/1.1 200"))
	if err != nil {
		return 0, err
	}
	status, err = strconv.Atoi(string(line[len("HTTP/1.1 "):]))
	if err != nil {
		return 0, err
	}
	return status, readResponse(stream)
}
