package galshim

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galbuild/index/query"
	"galbuild/render/gallery"
)

// TestHeldBodies reads bodies as they come, within what there is for all, and turns away
// only those that need more, when they have come.
func TestHeldBodies(t *testing.T) {
	g := openSample(t)
	g.bodies.held.most = 2 << 20
	srv := httptest.NewServer(g)
	defer srv.Close()
	const half, rest = 100 << 10, 20 << 10
	var conns []net.Conn
	for range 50 {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /api/extensionquery HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", half+rest, strings.Repeat(" ", half))
		conns = append(conns, conn)
	}
	settle(t, func() bool { return g.bodies.held.used.Load() == 2<<20 })
	if used := g.bodies.held.used.Load(); used > 2<<20 {
		t.Errorf("%d bytes are held", used)
	}
	resp, err := http.Post(srv.URL+"/api/extensionquery", "application/json", strings.NewReader(byName("acme.hello")))
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(t, text(t, resp)); got != "Hello" {
		t.Errorf("a small query meanwhile: %d %q", resp.StatusCode, got)
	}
	statuses := make(map[int]int)
	for _, conn := range conns {
		io.WriteString(conn, strings.Repeat(" ", rest))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		statuses[resp.StatusCode]++
		if retry := resp.Header.Get("Retry-After") != ""; retry != (resp.StatusCode == 503) {
			t.Errorf("status %d, Retry-After %t", resp.StatusCode, retry)
		}
		text(t, resp)
	}
	if statuses[200] == 0 || statuses[503] < 30 || len(statuses) != 2 {
		t.Errorf("statuses %v", statuses)
	}
	settle(t, func() bool { return g.bodies.held.used.Load() == 0 })
}

// settle waits until something holds that is bound to.
func settle(t *testing.T, until func() bool) {
	t.Helper()
	for range 5000 {
		if until() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("it never settles")
}

// TestHeldResponses gives a short buffer to a long response, and to none when there is no
// room, and takes it back.
func TestHeldResponses(t *testing.T) {
	dir := t.TempDir()
	sample{more: 400, full: true}.write(t, dir)
	g := open(t, dir, folder{dir})
	short, whole, long := byName("acme.hello"), ask("", 50, 4), ask("", 400, 4)
	for _, x := range []struct {
		body   string
		room   int64
		status int
		length bool // known beforehand
	}{
		{whole, maxResponses, 200, true},
		{long, maxResponses, 200, false},
		{whole, pieceBuffer*4/3 + 1, 200, false},
		{whole, pieceBuffer, 503, true}, // a quarter is left to short ones
		{short, pieceBuffer, 200, true},
		{short, pieceBuffer - 1, 503, true},
	} {
		g.buffers.held.most = x.room
		resp := g.ask("POST", "/api/extensionquery", x.body)
		if length := resp.Header.Get("Content-Length") != ""; resp.StatusCode != x.status || x.status == 200 && length != x.length {
			t.Errorf("%d bytes of room: status %d, length known %t, want %d, %t", x.room, resp.StatusCode, length, x.status, x.length)
		}
		if retry := resp.Header.Get("Retry-After"); (retry != "") != (x.status == 503) {
			t.Errorf("status %d: Retry-After %q", x.status, retry)
		}
		if g.buffers.held.used.Load() != 0 {
			t.Errorf("%d bytes are still held", g.buffers.held.used.Load())
		}
	}
	g.buffers.held.most = maxResponses
	for n := 1; n <= 100; n++ { // whatever the length, what an editor asks is sent in one piece
		for _, coding := range []string{"gzip", "identity"} {
			resp := g.ask("POST", "/api/extensionquery", ask("", n, 4), "Accept-Encoding", coding)
			if length := resp.Header.Get("Content-Length"); length != strconv.Itoa(len(text(t, resp))) {
				t.Errorf("%d extensions, %s: length %q", n, coding, length)
			}
		}
	}
	for about, size := range map[int]int{0: pieceBuffer, pieceBuffer: wholeBuffer, wholeBuffer * 3 / 4: wholeBuffer, wholeBuffer: pieceBuffer, 1 << 30: pieceBuffer} {
		b := g.buffers.get(about)
		if cap(*b) != size {
			t.Errorf("a buffer of %d bytes for about %d, want %d", cap(*b), about, size)
		}
		g.buffers.put(b)
	}
	g.buffers.held.most, g.bodies.held.most = 0, 0
	for _, path := range []string{"/api/vscode/acme/hello/latest", "/assets/acme/hello/1.2.3/" + iconType, "/manifest.json"} {
		if resp := g.ask("GET", path, ""); resp.StatusCode != 200 {
			t.Errorf("%s: status %d, only queries are to be turned away", path, resp.StatusCode)
		}
	}
}

// TestLongResponses leaves room for short ones, whatever the base URL: that of an update check
// or an installation.
func TestLongResponses(t *testing.T) {
	dir := t.TempDir()
	sample{more: 400, full: true}.write(t, dir)
	g := open(t, dir, folder{dir})
	for g.buffers.get(1<<30) != nil { // as for clients that take their time
	}
	for _, x := range []struct {
		body   string
		status int
	}{{byName("acme.hello"), 200}, {ask("", 50, 4), 503}, {ask("", 400, 4), 503}} {
		for _, host := range []string{"short", strings.Repeat("a", 200)} {
			for _, coding := range []string{"gzip", "identity"} {
				if resp := g.ask("POST", "http://"+host+"/api/extensionquery", x.body, "Accept-Encoding", coding); resp.StatusCode != x.status && !(host == "short" && coding == "gzip") {
					t.Errorf("%.60s from %.5s…, %s: status %d, want %d", x.body, host, coding, resp.StatusCode, x.status)
				}
			}
		}
	}
}

// TestLongBase compresses a response whose base URL is too long for its fragments, unless
// that would take too long.
func TestLongBase(t *testing.T) {
	dir := t.TempDir()
	sample{more: 400, full: true}.write(t, dir)
	g := open(t, dir, folder{dir})
	for size, coding := range map[int]string{50: "gzip", 400: ""} {
		resp := g.ask("POST", "http://"+strings.Repeat("a", 200)+"/api/extensionquery", ask("", size, 4), "Accept-Encoding", "gzip")
		if got := resp.Header.Get("Content-Encoding"); resp.StatusCode != 200 || got != coding {
			t.Errorf("%d extensions: status %d, content encoding %q, want %q", size, resp.StatusCode, got, coding)
		}
	}
}

// TestTurns has the light pass the heavy, and turns away who would wait too long.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(1)
		first, err := turns.wait(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		light, err := turns.wait(t.Context(), false)
		if err != nil {
			t.Fatal("a light query waits for a heavy one")
		}
		light.end()
		before := time.Now()
		if _, err := turns.wait(t.Context(), true); err != errNoTurn || time.Since(before) != queueTimeout {
			t.Errorf("after %s: %v, want %v after %s", time.Since(before), err, errNoTurn, queueTimeout)
		}
		go func() { time.Sleep(time.Second); first.end() }()
		second, err := turns.wait(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		second.end()
		turns.waiting.Store(maxWaiting)
		third, _ := turns.wait(t.Context(), true)
		before = time.Now()
		if _, err := turns.wait(t.Context(), true); err != errNoTurn || time.Since(before) > 0 {
			t.Errorf("after %s: %v, want %v at once when too many wait", time.Since(before), err, errNoTurn)
		}
		third.end()
	})
}

// TestShedQuery says when to try again.
func TestShedQuery(t *testing.T) {
	g := openSample(t)
	g.turns.waiting.Store(maxWaiting)
	for range cap(g.turns.light) {
		g.turns.light <- struct{}{}
	}
	resp := g.ask("POST", "/api/extensionquery", emptyPOST)
	checkExchange(t, "shed", resp, 503, `{"error":"the server is busy; try again in a moment"}`, []string{"Retry-After: 2", "Access-Control-Allow-Origin: *"})
}

// TestIsHeavy lets what editors ask pass.
func TestIsHeavy(t *testing.T) {
	text := func(s string) query.Query { return query.Query{Filters: []query.Filter{{Text: []string{s}}}} }
	for _, x := range []struct {
		q    query.Query
		want bool
	}{
		{query.Query{Filters: make([]query.Filter, 1)}, false},
		{text(strings.Repeat("a", lightText)), false},
		{text(strings.Repeat("a", lightText+1)), true},
		{query.Query{Filters: make([]query.Filter, lightFilters+1)}, true},
		{query.Query{Filters: []query.Filter{{Names: make([]string, lightCriteria)}}}, false},
		{query.Query{Filters: []query.Filter{{Names: make([]string, 300), Tags: make([]string, lightCriteria-299)}}}, true},
	} {
		if got := isHeavy(x.q); got != x.want {
			t.Errorf("%.100v: %t, want %t", x.q, got, x.want)
		}
	}
}

// TestConnections closes an idle connection for the next, and lets the next wait while
// none is idle.
func TestConnections(t *testing.T) {
	held := make(chan struct{})
	srv := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/held" {
			<-held
		}
	}), nil, slog.New(slog.DiscardHandler))
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConnections(inner, srv, 2)
	ended := make(chan error)
	go func() { ended <- srv.Serve(l) }()
	get := func(path string) (net.Conn, *bufio.Reader) {
		conn, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path)
		return conn, bufio.NewReader(conn)
	}
	answered := func(r *bufio.Reader) {
		t.Helper()
		if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v, %v", resp, err)
		}
	}
	idle, first := get("/")
	answered(first)
	_, busy := get("/held")
	_, third := get("/") // for which the idle one is closed
	answered(third)
	idle.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := first.ReadByte(); err != io.EOF {
		t.Errorf("the idle connection: %v, want its end", err)
	}
	_, waiting := get("/held") // for which the third is closed
	_, last := get("/")        // for which there is none
	time.Sleep(20 * time.Millisecond)
	if n := len(l.free); n != 0 {
		t.Errorf("%d connections are free", n)
	}
	close(held)
	answered(busy)
	answered(waiting)
	answered(last)
	srv.Close()
	<-ended
	settle(t, func() bool { return len(l.free) == 2 })
}

// TestConnectionsEnd stops a listener that waits for a connection to end.
func TestConnectionsEnd(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConnections(inner, new(http.Server), 1)
	<-l.free
	failed := make(chan error)
	go func() { _, err := l.Accept(); failed <- err }()
	l.Close()
	if err := <-failed; err != net.ErrClosed {
		t.Errorf("got %v", err)
	}
}

func TestConnectionsFor(t *testing.T) {
	for files, want := range map[uint64]int{16: 8, 64: 16, 1024: 496, 20000: 9984, 1 << 40: maxConnections} {
		if got := connectionsFor(files); got != want {
			t.Errorf("%d files: %d connections, want %d", files, got, want)
		}
	}
}

// TestLongPathsInTheLog cuts what a client makes long.
func TestLongPathsInTheLog(t *testing.T) {
	var lines bytes.Buffer
	g := openSample(t, func(c *config) { c.log = slog.New(slog.NewTextHandler(&lines, nil)) })
	g.ask("GET", "/"+strings.Repeat("é", 30_000), "")
	g.ask("GET", "/assets/acme/hello/1/"+strings.Repeat("a", 60_000), "")
	for line := range strings.Lines(lines.String()) {
		if len(line) > 5*maxLogged {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	if n := strings.Count(lines.String(), "…"); n != 4 {
		t.Errorf("%d texts are cut, want path and error twice:\n%s", n, &lines)
	}
}

// TestLimitsAreDocumented compares the package comment and SECURITY.md with the numbers.
func TestLimitsAreDocumented(t *testing.T) {
	source, err := os.ReadFile("galshim.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(source), "// # Limits\n")
	table, _, ok := strings.Cut(rest, "// # Generations\n")
	if !ok {
		t.Fatal("no section Limits")
	}
	security, err := os.ReadFile("../../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range documentedLimits {
		if line := fmt.Sprintf("//\t%-31s %s\n", limit[0], limit[1]); !strings.Contains(table, line) {
			t.Errorf("the package comment does not say:\n%s", line)
		}
		if row := fmt.Sprintf("| %s | %s |\n", limit[0], limit[1]); !strings.Contains(string(security), row) {
			t.Errorf("SECURITY.md does not say:\n%s", row)
		}
	}
	if n := strings.Count(table, "\n//\t"); n != len(documentedLimits) {
		t.Errorf("the table has %d lines, want %d", n, len(documentedLimits))
	}
}

// documentedLimits are the limits as the package comment and SECURITY.md have them.
var documentedLimits = [][2]string{
	{"header", fmt.Sprintf("%d KiB, within %s: 431", maxHeader>>10, headerTimeout)},
	{"body", fmt.Sprintf("%d MiB, within %s with the header: 413", maxBody>>20, bodyTimeout)},
	{"idle connection", idleTimeout.String()},
	{"connections", fmt.Sprintf("%d, fewer where fewer files can be open (--max-connections)", maxConnections)},
	{"requests over HTTP/2", fmt.Sprintf("%d of a connection; of all a quarter of the connections, besides %d of each", maxStreams, fairStreams)},
	{"queries at work", "4 for each processor (--max-queries)"},
	{"heavy ones of them", "1 for two processors"},
	{"what is heavy", fmt.Sprintf("above %d KiB of body, %d filters, %d criteria, or %d bytes of text", lightBody>>10, lightFilters, lightCriteria, lightText)},
	{"queries that wait", fmt.Sprintf("%d, for %s: 503", maxWaiting, queueTimeout)},
	{"bodies in memory", fmt.Sprintf("%d MiB, or an eighth of the memory limit, without %d KiB of each: 503", maxBodies>>20, freeBody>>10)},
	{"responses in memory", fmt.Sprintf("%d MiB, or an eighth of the memory limit, a quarter of it for short ones: 503", maxResponses>>20)},
	{"extensions of a list", strconv.Itoa(query.MaxPageSize)},
	{"extensions of a response", strconv.Itoa(query.MaxNames)},
	{"JSON of a response", fmt.Sprintf("%d MiB; %d MiB of extensions asked for by id or name", gallery.MaxBytes>>20, gallery.MaxNamedBytes>>20)},
	{"buffer of a response", fmt.Sprintf("%d KiB, %d KiB if all of it fits", pieceBuffer>>10, wholeBuffer>>10)},
	{"JSON compressed for a response", fmt.Sprintf("%d KiB; more is sent plain", maxCompress>>10)},
	{"files compressed at a time", fmt.Sprintf("%d; more are sent plain", maxCompressors)},
	{"files of a site at a URL", fmt.Sprintf("%d on their way at a time", maxFetches)},
	{"index of a site at a URL", fmt.Sprintf("%d GiB", maxIndex>>30)},
	{"slow client", fmt.Sprintf("1 kB/s over %s of what is in memory; any byte in %s of a file", writeTimeout, writeTimeout)},
	{"forwarded prefix", fmt.Sprintf("%d bytes; a longer one is ignored", maxPrefix)},
	{"path or error in the log", fmt.Sprintf("%d KiB", maxLogged>>10)},
	{"stopping", fmt.Sprintf("%s for requests at work", drainTimeout)},
}
