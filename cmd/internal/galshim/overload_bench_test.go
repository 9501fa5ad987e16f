package galshim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
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
// refusal-cost is galshim's processor time for a query with status 503 divided by that for the
// response to a query. All are medians of the rounds.
func BenchmarkOverload(b *testing.B) {
	if _, err := exec.LookPath("taskset"); err != nil {
		b.Skip("taskset is missing, which binds processes to processors")
	}
	dir := b.TempDir()
	sample{more: 10_000, full: true}.write(b, dir)
	var bodies []string
	for _, kind := range kinds(10_000) {
		bodies = append(bodies, kind.bodies...)
	}
	galshim, log := startOnProcessor(b, "0", "galshim", nil, "--index", dir, "--listen", "127.0.0.1:0")
	addr := listeningAt(b, bufio.NewReader(log))
	requests := requestsOf(bodies, "gzip")
	sustained := offeredLoad{Addr: addr, Server: galshim.Pid, Connections: 64, Requests: requests}
	sustained.measure(b) // until the caches are full
	var ratios, refused, late, slowest, costs []float64
	for b.Loop() {
		most := sustained.measure(b)
		got := offeredLoad{Addr: addr, Server: galshim.Pid, Connections: 6000, Requests: requests, Rate: 2 * most.InTime}.measure(b)
		ratios = append(ratios, got.InTime/most.InTime)
		all := got.InTime + got.Refused + got.Late
		refused, late, slowest = append(refused, 100*got.Refused/all), append(late, 100*got.Late/all), append(slowest, 1e3*got.P99)
		cost := most.Busy / most.InTime
		costs = append(costs, (got.Busy-cost*got.InTime)/max(1, got.Refused)/cost)
	}
	b.ReportMetric(median(costs), "refusal-cost")
	b.ReportMetric(median(ratios), "in-time-ratio")
	b.ReportMetric(median(refused), "refused-%")
	b.ReportMetric(median(late), "late-%")
	b.ReportMetric(median(slowest), "p99-ms")
}

// An offeredLoad is requests that are due at a rate, over a number of connections. With the rate 0,
// each connection sends the next request when the response has arrived.
type offeredLoad struct {
	Addr        string
	Server      int // process of galshim
	Connections int
	Requests    []string
	Rate        float64 // requests a second
}

const (
	overloadTime = 3 * time.Second
	inTime       = time.Second
)

// An overloadResult has numbers of requests a second, the 99th percentile of the times of those
// that were in time, in seconds, and the share of the time in which galshim's processor was busy
// with it.
type overloadResult struct{ InTime, Refused, Late, P99, Busy float64 }

// measure applies the load in a process of its own.
func (l offeredLoad) measure(b *testing.B) (result overloadResult) {
	stdin, err := json.Marshal(l)
	if err != nil {
		b.Fatal(err)
	}
	_, stdout := startOnProcessor(b, "1", "overload", bytes.NewReader(stdin))
	if err := json.NewDecoder(stdout).Decode(&result); err != nil {
		b.Fatal(err)
	}
	return result
}

// startOnProcessor runs the test binary as another program, which may use only the processor with
// this number, and returns the process and its output.
func startOnProcessor(b *testing.B, processor, program string, stdin io.Reader, args ...string) (*os.Process, io.Reader) {
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
	return c.Process, out
}

// processorTime returns the processor time of a process in seconds. It is 0 on systems that do not
// report it.
func processorTime(pid int) float64 {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	fields := bytes.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(string(fields[11]))
	system, _ := strconv.Atoi(string(fields[12]))
	return float64(user+system) / 100
}

// runOverload applies the load on standard input, and prints the result.
func runOverload() error {
	var l offeredLoad
	if err := json.NewDecoder(os.Stdin).Decode(&l); err != nil {
		return err
	}
	conns, err := l.connect()
	if err != nil {
		return err
	}
	counts := make([]overloadCount, l.Connections)
	var running sync.WaitGroup
	begun, start := processorTime(l.Server), time.Now()
	for i, conn := range conns {
		running.Go(func() { counts[i] = l.send(conn, i, start) })
	}
	running.Wait()
	busy := (processorTime(l.Server) - begun) / time.Since(start).Seconds()
	result := overloadResult{Busy: busy}
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

// connect opens the connections, and sends a request over each. galshim has then accepted all.
func (l offeredLoad) connect() (conns []*requester, err error) {
	for i := range l.Connections {
		conn, err := net.Dial("tcp", l.Addr)
		if err != nil {
			return nil, err
		}
		c := &requester{conn, bufio.NewReaderSize(conn, 4<<10)}
		if _, err := c.exchange(l.Requests[i%len(l.Requests)]); err != nil {
			return nil, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

// A requester is one connection.
type requester struct {
	net.Conn
	stream *bufio.Reader
}

// An overloadCount is what became of the requests of a connection.
type overloadCount struct {
	inTime        []time.Duration
	refused, late int
}

// send sends requests over a connection until the end. A request that is due for a second when the
// connection is free is not sent any more.
func (l offeredLoad) send(conn *requester, number int, start time.Time) (c overloadCount) {
	defer conn.Close()
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
		status, err := conn.exchange(l.Requests[k%len(l.Requests)])
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
func (c *requester) exchange(request string) (status int, err error) {
	if _, err := io.WriteString(c, request); err != nil {
		return 0, err
	}
	line, err := c.stream.Peek(len("HTTP/1.1 200"))
	if err != nil {
		return 0, err
	}
	status, err = strconv.Atoi(string(line[len("HTTP/1.1 "):]))
	if err != nil {
		return 0, err
	}
	length, err := readHeader(c.stream)
	if err != nil {
		return 0, err
	}
	n, _ := c.stream.Discard(min(length, c.stream.Buffered()))
	return status, c.discard(length - n)
}

var scratch = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// discard reads n bytes with as few system calls as possible.
func (c *requester) discard(n int) error {
	b := scratch.Get().(*[64 << 10]byte)
	defer scratch.Put(b)
	for n > 0 {
		m, err := c.Read(b[:min(n, len(b))])
		if err != nil {
			return err
		}
		n -= m
	}
	return nil
}
