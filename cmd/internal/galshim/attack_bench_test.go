package galshim

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkUnderAttack sends requests of an editor while ten clients send requests as
// expensive and as fast as they can. galshim, the clients and the editor are processes of
// their own, on the same processors. p95-ms is the 95th percentile of the editor's response
// time. refused-% is the share of its requests that were refused. memory-MiB is the largest
// amount of memory of galshim, without mapped files. Measuring begins some seconds after the
// attack.
func BenchmarkUnderAttack(b *testing.B) {
	const size = 10_000
	dir := b.TempDir()
	sample{more: size, full: true}.write(b, dir)
	for _, attack := range attacks(size) {
		b.Run("attack="+attack.name, func(b *testing.B) {
			server, log := startChild(b, "galshim", "--index", dir, "--listen", "127.0.0.1:0")
			addr := listeningAt(b, log)
			startChild(b, "attack", attack.name, addr, strconv.Itoa(size))
			time.Sleep(3 * slowTimeout) // until slow clients are cut off
			sendUnderAttack(b, addr, server)
		})
	}
}

// attackers is how many clients attack.
const attackers = 10

// child is the environment variable with the program that the test binary runs instead of
// tests.
const child = "GALSHIM_TEST_CHILD"

// TestMain runs galshim, attackers or clients for benchmarks, or the tests.
func TestMain(m *testing.M) {
	switch os.Getenv(child) {
	case "galshim":
		os.Exit(Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	case "attack":
		runAttack(os.Args[1], os.Args[2], os.Args[3])
	case "load":
		if err := runLoad(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case "overload":
		if err := runOverload(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// startChild runs the test binary as another program until b ends. It returns the process and its
// standard error.
func startChild(b *testing.B, program string, args ...string) (*os.Process, *bufio.Reader) {
	c := exec.CommandContext(b.Context(), os.Args[0], args...)
	c.Env = append(os.Environ(), child+"="+program)
	stderr, err := c.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c.Process, bufio.NewReader(stderr)
}

// listeningAt returns the address that galshim logs when it listens.
func listeningAt(b *testing.B, log *bufio.Reader) string {
	for {
		line, err := log.ReadString('\n')
		if err != nil {
			b.Fatalf("galshim did not start: %v", err)
		}
		if _, rest, ok := strings.Cut(line, "addr=http://"); ok {
			go io.Copy(io.Discard, log) // otherwise galshim would block on a full pipe
			addr, _, _ := strings.Cut(rest, " ")
			return addr
		}
	}
}

// runAttack attacks the galshim at addr, whose gallery has this number of extensions, until the
// process is killed.
func runAttack(name, addr, size string) {
	n, _ := strconv.Atoi(size)
	all := attacks(n)
	i := slices.IndexFunc(all, func(a attack) bool { return a.name == name })
	var running sync.WaitGroup
	for range attackers {
		running.Go(func() {
			for {
				all[i].run(addr)
			}
		})
	}
	running.Wait()
}

// privateMemory returns the memory of a process in bytes, without mapped files. It is 0 on systems
// that do not report it.
func privateMemory(p *os.Process) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid))
	_, rest, _ := bytes.Cut(status, []byte("RssAnon:"))
	field, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" "))
	kib, _ := strconv.Atoi(string(field))
	return kib << 10
}

// attack is one action of an attacker, with a separate connection.
type attack struct {
	name string
	run  func(addr string)
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
		{"none", func(string) { select {} }},
		{"lists", post("Host: h\r\n", body(`{"pageSize":10000}`))},
		{"names", post("Host: h\r\n", body(`{"criteria":[`+strings.Join(names, ",")+`]}`))},
		{"names-gzip", post("Host: h\r\nAccept-Encoding: gzip\r\n", body(`{"criteria":[`+strings.Join(names, ",")+`]}`))},
		{"texts", post("Host: h\r\n", body(strings.Join(texts, ",")))},
		{"compressed", post(long+"Accept-Encoding: gzip\r\n", queryBody("", 100, 4))},
		{"bodies", post("Host: h\r\n", strings.Repeat(" ", maxBody-2)+"{}")},
		{"unread", unread(post("Host: h\r\n", body(`{"pageSize":10000}`)))},
	}
}

// post sends a query and reads the response.
func post(header, body string) func(addr string) {
	request := fmt.Appendf(nil, "POST /api/extensionquery HTTP/1.1\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", header, len(body), body)
	return func(addr string) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Write(request)
		io.Copy(io.Discard, conn)
	}
}

// unread opens a hundred more connections whose responses it does not read.
func unread(then func(addr string)) func(addr string) {
	return func(addr string) {
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
		for {
			then(addr)
		}
	}
}

// sendUnderAttack sends the requests of an editor in turn, and reports how long they take.
func sendUnderAttack(b *testing.B, addr string, server *os.Process) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	stream := bufio.NewReaderSize(conn, 256<<10)
	var requests []string
	for _, kind := range kinds(10_000) {
		for _, body := range kind.bodies[:min(20, len(kind.bodies))] {
			requests = append(requests, fmt.Sprintf("POST /api/extensionquery HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		}
	}
	most, refused := 0, 0
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		io.WriteString(conn, requests[i%len(requests)])
		resp, err := http.ReadResponse(stream, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		if resp.StatusCode != http.StatusOK {
			refused++
		}
		took = append(took, time.Since(start))
		time.Sleep(2 * time.Millisecond) // an editor sends requests only now and then
		most = max(most, privateMemory(server))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1e3, "p95-ms")
	b.ReportMetric(100*float64(refused)/float64(len(took)), "refused-%")
	b.ReportMetric(float64(most>>20), "memory-MiB")
}
