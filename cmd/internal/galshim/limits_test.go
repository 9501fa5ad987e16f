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

	"galbuild/build/tokens"
	"galbuild/index"
	"galbuild/index/query"
	"galbuild/render/gallery"
)

// TestBudgetOfBodies sends many bodies at once. Those within the budget must be read, and the
// others refused after they have arrived.
func TestBudgetOfBodies(t *testing.T) {
	g := openSample(t)
	g.bodies.budget.most = 2 << 20
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
	settle(t, func() bool { return g.bodies.budget.used.Load() == 2<<20 })
	if used := g.bodies.budget.used.Load(); used > 2<<20 {
		t.Errorf("%d bytes are reserved", used)
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
	if statuses[200] == 0 || statuses[503] == 0 || len(statuses) != 2 {
		t.Errorf("statuses %v", statuses)
	}
	settle(t, func() bool { return g.bodies.budget.used.Load() == 0 })
}

// settle waits until a condition is true. It fails after a minute, which is enough on a busy
// machine.
func settle(t *testing.T, until func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !until(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the condition does not become true")
		}
	}
}

// TestBudgetOfResponses checks the buffers of responses: a small one for a long response, none if
// the budget is used up, and that all are released afterwards.
func TestBudgetOfResponses(t *testing.T) {
	dir := t.TempDir()
	sample{more: 400, full: true}.write(t, dir)
	g := open(t, dir, folder{dir})
	short, whole, long := byName("acme.hello"), queryBody("", 50, 4), queryBody("", 400, 4)
	for _, x := range []struct {
		body   string
		most   int64 // of the budget
		status int
		length bool // the response has Content-Length
	}{
		{whole, maxResponses, 200, true},
		{long, maxResponses, 200, false},
		{whole, pieceBuffer*4/3 + 1, 200, false},
		{whole, pieceBuffer, 503, true}, // a quarter is reserved for short ones
		{short, pieceBuffer, 200, true},
		{short, pieceBuffer - 1, 503, true},
	} {
		g.buffers.budget.most = x.most
		resp := g.request("POST", "/api/extensionquery", x.body)
		if length := resp.Header.Get("Content-Length") != ""; resp.StatusCode != x.status || x.status == 200 && length != x.length {
			t.Errorf("budget of %d bytes: status %d, with length %t, want %d, %t", x.most, resp.StatusCode, length, x.status, x.length)
		}
		if retry := resp.Header.Get("Retry-After"); (retry != "") != (x.status == 503) {
			t.Errorf("status %d: Retry-After %q", x.status, retry)
		}
		if g.buffers.budget.used.Load() != 0 {
			t.Errorf("%d bytes are still reserved", g.buffers.budget.used.Load())
		}
	}
	g.buffers.budget.most = maxResponses
	for n := 1; n <= 100; n++ { // responses to editors are sent at once
		for _, coding := range []string{"gzip", "identity"} {
			resp := g.request("POST", "/api/extensionquery", queryBody("", n, 4), "Accept-Encoding", coding)
			if length := resp.Header.Get("Content-Length"); length != strconv.Itoa(len(text(t, resp))) {
				t.Errorf("%d extensions, %s: length %q", n, coding, length)
			}
		}
	}
	for about, size := range map[int]int{0: pieceBuffer, pieceBuffer: wholeBuffer, wholeBuffer * 3 / 4: wholeBuffer, wholeBuffer: pieceBuffer, 1 << 30: pieceBuffer} {
		b := g.buffers.get(about, nil)
		if b.Cap() != size {
			t.Errorf("a buffer of %d bytes for about %d, want %d", b.Cap(), about, size)
		}
		g.buffers.put(b)
	}
	g.buffers.budget.most, g.bodies.budget.most = 0, 0
	for _, path := range []string{"/api/vscode/acme/hello/latest", "/assets/acme/hello/1.2.3/" + iconType, "/manifest.json"} {
		if resp := g.request("GET", path, ""); resp.StatusCode != 200 {
			t.Errorf("%s: status %d; only queries may be refused", path, resp.StatusCode)
		}
	}
}

// TestLongResponses uses up the budget for long responses. Short responses, as to an update check
// or an installation, must still be sent, with any base URL.
func TestLongResponses(t *testing.T) {
	dir := t.TempDir()
	sample{more: 400, full: true}.write(t, dir)
	g := open(t, dir, folder{dir})
	for g.buffers.get(1<<30, nil) != nil { // as for clients that read slowly
	}
	for _, x := range []struct {
		body   string
		status int
	}{{byName("acme.hello"), 200}, {queryBody("", 50, 4), 503}, {queryBody("", 400, 4), 503}} {
		for _, host := range []string{"short", strings.Repeat("a", 200)} {
			for _, coding := range []string{"gzip", "identity"} {
				if resp := g.request("POST", "http://"+host+"/api/extensionquery", x.body, "Accept-Encoding", coding); resp.StatusCode != x.status && !(host == "short" && coding == "gzip") {
					t.Errorf("%.60s from %.5s…, %s: status %d, want %d", x.body, host, coding, resp.StatusCode, x.status)
				}
			}
		}
	}
}

// TestLongBase requests responses with a base URL that is too long for the compressed fragments.
// They must be compressed as a whole, unless they are too large for that.
func TestLongBase(t *testing.T) {
	dir := t.TempDir()
	sample{more: 400, full: true}.write(t, dir)
	g := open(t, dir, folder{dir})
	for size, coding := range map[int]string{50: "gzip", 400: ""} {
		resp := g.request("POST", "http://"+strings.Repeat("a", 200)+"/api/extensionquery", queryBody("", size, 4), "Accept-Encoding", "gzip")
		if got := resp.Header.Get("Content-Encoding"); resp.StatusCode != 200 || got != coding {
			t.Errorf("%d extensions: status %d, content encoding %q, want %q", size, resp.StatusCode, got, coding)
		}
	}
}

// TestTurns checks that light queries do not wait for heavy ones, and that queries which wait too
// long are refused.
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

// TestRetryAfter checks that a refused query gets Retry-After.
func TestRetryAfter(t *testing.T) {
	g := openSample(t)
	g.turns.waiting.Store(maxWaiting)
	for range cap(g.turns.light) {
		g.turns.light <- struct{}{}
	}
	resp := g.request("POST", "/api/extensionquery", emptyPOST)
	checkExchange(t, "refused query", resp, 503, `{"error":"the server is busy; try again in a moment"}`, []string{"Retry-After: 2", "Access-Control-Allow-Origin: *"})
}

// TestIsHeavy checks that queries of editors are not heavy.
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

// TestConnections checks that an idle connection is closed for the next one, and that the next one
// waits if none is idle.
func TestConnections(t *testing.T) {
	arrived, held := make(chan struct{}, 2), make(chan struct{})
	srv := newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/held" {
			arrived <- struct{}{}
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
	wantResponse := func(r *bufio.Reader) {
		t.Helper()
		if resp, err := http.ReadResponse(r, nil); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%v, %v", resp, err)
		}
	}
	_, first := get("/")
	wantResponse(first)
	_, busy := get("/held")
	_, third := get("/") // closes the idle connection
	wantResponse(third)
	if _, err := first.ReadByte(); err != io.EOF {
		t.Errorf("the idle connection: %v, want its end", err)
	}
	_, waiting := get("/held") // closes the third connection
	_, last := get("/")        // no connection can be closed for this one
	for range cap(arrived) {
		<-arrived
	}
	if n := len(l.free); n != 0 {
		t.Errorf("%d connections are free", n)
	}
	close(held)
	wantResponse(busy)
	wantResponse(waiting)
	wantResponse(last)
	srv.Close()
	<-ended
	settle(t, func() bool { return len(l.free) == 2 })
}

// TestConnectionsEnd closes a listener that waits for a connection to end.
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

// TestLongPathsInTheLog checks that long texts of clients are cut in the log.
func TestLongPathsInTheLog(t *testing.T) {
	var lines bytes.Buffer
	g := openSample(t, func(c *config) { c.log = slog.New(slog.NewTextHandler(&lines, nil)) })
	g.request("GET", "/"+strings.Repeat("é", 30_000), "")
	g.request("GET", "/assets/acme/hello/1/"+strings.Repeat("a", 60_000), "")
	for line := range strings.Lines(lines.String()) {
		if len(line) > 5*maxLogged {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	if n := strings.Count(lines.String(), "…"); n != 4 {
		t.Errorf("%d texts are cut, want path and error twice:\n%s", n, &lines)
	}
}

// TestLimitsAreDocumented compares the table in SECURITY.md with the numbers.
func TestLimitsAreDocumented(t *testing.T) {
	security, err := os.ReadFile("../../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(security), "\n### Requests to galshim\n")
	section, _, ok := strings.Cut(rest, "\n#")
	if !ok {
		t.Fatal("SECURITY.md has no section on requests to galshim")
	}
	rows := []string{"| what | limit |", "| --- | --- |"}
	for _, limit := range documentedLimits {
		rows = append(rows, fmt.Sprintf("| %s | %s |", limit[0], limit[1]))
	}
	if table := strings.Join(rows, "\n"); !strings.HasSuffix(strings.TrimSpace(section), table) {
		t.Errorf("SECURITY.md has\n%s\nwant\n%s", section, table)
	}
}

// documentedLimits are the rows of the table in SECURITY.md.
var documentedLimits = [][2]string{
	{"request header", fmt.Sprintf("%d KiB, within %s: 431", maxHeader>>10, headerTimeout)},
	{"request body", fmt.Sprintf("%d MiB: 413; header and body within %s", maxBody>>20, bodyTimeout)},
	{"idle connection", "closed after " + idleTimeout.String()},
	{"connections", fmt.Sprintf("%d, or fewer if the system limits open files (--max-connections)", maxConnections)},
	{"requests over HTTP/2", fmt.Sprintf("%d for each connection; in all a quarter of the connection limit, and at least %d for each", maxStreams, fairStreams)},
	{"concurrent queries", "4 for each processor (--max-queries)"},
	{"concurrent heavy queries", "1 for every 2 processors"},
	{"a query is heavy", fmt.Sprintf("above %d KiB of body, %d filters, %d criteria or %d bytes of text", lightBody>>10, lightFilters, lightCriteria, lightText)},
	{"waiting queries", fmt.Sprintf("%d, each for %s: 503", maxWaiting, queueTimeout)},
	{"a query that galshim has not begun with", fmt.Sprintf("waits for %s, over TCP on Linux: 503", overloadAfter)},
	{"request bodies in memory", fmt.Sprintf("%d MiB or an eighth of the memory limit, not counting %d KiB of each: 503", maxBodies>>20, freeBody>>10)},
	{"responses in memory", fmt.Sprintf("%d MiB or an eighth of the memory limit, of which short ones have a quarter: 503", maxResponses>>20)},
	{"extensions on a page of a list", strconv.Itoa(query.MaxPageSize)},
	{"extensions in a response", strconv.Itoa(query.MaxNames)},
	{"JSON of a response", fmt.Sprintf("%d MiB; %d MiB for extensions requested by id or name", gallery.MaxBytes>>20, gallery.MaxNamedBytes>>20)},
	{"buffer of a response", fmt.Sprintf("%d KiB, or %d KiB if the whole response fits", pieceBuffer>>10, wholeBuffer>>10)},
	{"compressed for one response", fmt.Sprintf("%d KiB of JSON; a longer response is not compressed", maxCompress>>10)},
	{"responses in caches", fmt.Sprintf("%d MiB compressed, each at most %d KiB, and %d MiB of JSON, each at most %d KiB, or an eighth of the memory limit each; those requested least often are dropped first", maxCached>>20, maxCachedBody>>10, maxCached>>20, maxCachedJSON>>10)},
	{"encoding for the caches", map[int]string{9: "a tenth of the time of one processor, one response at a time"}[cachePause]},
	{"files compressed concurrently", fmt.Sprintf("%d; others are sent uncompressed", maxCompressors)},
	{"files from a published site", fmt.Sprintf("%d concurrently", maxFetches)},
	{"index of a published site", fmt.Sprintf("%d GiB; at most %d chunks, each %d GiB, within %s, and all %d GiB", maxIndex>>30, index.MaxChunks, index.MaxChunkSize>>30, chunkTimeout, index.MaxChunksSize>>30)},
	{"chunks from a published site", fmt.Sprintf("%d concurrently", maxChunkFetches)},
	{"requests waiting for chunks", fmt.Sprintf("%d, each for %s: a query 503, others 502", maxWaiting, chunkWait)},
	{"slow client", fmt.Sprintf("disconnected below 1 kB/s over %s; for a file, if it takes nothing for %s", writeTimeout, writeTimeout)},
	{"slow client of a long response", fmt.Sprintf("also disconnected if it takes nothing for %s and others need the memory", slowTimeout)},
	{"X-Forwarded-Prefix", fmt.Sprintf("%d bytes; a longer one is ignored", maxPrefix)},
	{"path or error in the log", fmt.Sprintf("%d KiB", maxLogged>>10)},
	{"file of tokens", fmt.Sprintf("%d MiB, about 10,000 tokens; it is looked at once a second at most", tokens.MaxBytes>>20)},
	{"stopping", fmt.Sprintf("running requests get %s to finish", drainTimeout)},
	{"counts of `--stats-log` in memory", fmt.Sprintf("of %d extensions and days; more are dropped, and their number is logged", maxCounted)},
	{"a file of `--stats-log`, one a day", fmt.Sprintf("%d MiB, and %d bytes more for each second since it was begun; counts wait in memory until then", countBurst>>20, countRate)},
	{"clients of `--client-rate`", fmt.Sprintf("%d addresses of IPv4 or networks of %d bits of IPv6; the one not seen for longest is forgotten", clientParts*clientsOfPart, clientBitsIPv6)},
	{"extensions of `--metrics-extensions`", fmt.Sprintf("at most %d", maxDownloadLabels)},
	{"connections for `--metrics`", fmt.Sprintf("%d, and %d requests for metrics at a time, each for %s", maxMetricsConnections, maxScrapes, scrapeTimeout)},
	{"user agent or texts of a query in the log", fmt.Sprintf("%d bytes, and %d ids", maxLoggedText, maxLoggedIDs)},
}
