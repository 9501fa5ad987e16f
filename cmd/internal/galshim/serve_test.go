package galshim

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/index"
)

// A process is a running galshim.
type process struct {
	addr  string
	first map[string]any // the log line with the address
	lines *bytes.Buffer  // the log, to be read after stop
	stop  func() int     // ends galshim and returns the exit status
}

// start runs galshim, and returns when it listens.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- Main(ctx, append(args, "--listen", "127.0.0.1:0", "--log-format", "json"), io.Discard, write)
		write.Close()
	}()
	p := &process{lines: new(bytes.Buffer)}
	decoder := json.NewDecoder(io.TeeReader(read, p.lines))
	for p.addr == "" {
		var line map[string]any
		if err := decoder.Decode(&line); err != nil {
			t.Fatalf("%v: exit status %d, %s", err, <-status, p.lines)
		}
		if line["msg"] == "listening" {
			p.first, p.addr = line, line["addr"].(string)
		}
	}
	drained := make(chan struct{})
	go func() { io.Copy(p.lines, read); close(drained) }()
	p.stop = func() int { cancel(); code := <-status; <-drained; return code }
	return p
}

// TestServe starts galshim, sends a query, stops it and reads the log.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	c := sample{more: 1}.write(t, dir)
	p := start(t, "--index", dir)
	if p.first["generation"] != c.Generation || p.first["extensions"] != 2.0 {
		t.Errorf("started with %v", p.first)
	}
	resp, err := http.Post(p.addr+"/api/extensionquery", "application/json", strings.NewReader(byName("acme.hello")))
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(t, text(t, resp)); got != "Hello" {
		t.Errorf("got %q", got)
	}
	if status := p.stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if root := strings.Contains(p.lines.String(), "running as root"); root != (os.Geteuid() == 0) {
		t.Errorf("the warning about root is in the log: %t", root)
	}
	for _, want := range []string{`"path":"/api/extensionquery"`, `"status":200`, `"hits":1`, `"client":"127.0.0.1"`, `"method":"POST"`, `"elapsedMs":`, `"id":"`, `"agent":"Go-http-client`, `"ids":"acme.hello"`, `"idCount":1`, `"bytes":`} {
		if !strings.Contains(p.lines.String(), want) {
			t.Errorf("no %s in the log:\n%s", want, p.lines)
		}
	}
}

// TestServeTLS checks that galshim uses the certificate whose fingerprint it logs.
func TestServeTLS(t *testing.T) {
	dir := t.TempDir()
	sample{}.write(t, dir)
	p := start(t, "--index", dir, "--tls-self-signed", "-v")
	if !strings.HasPrefix(p.addr, "https://127.0.0.1:") {
		t.Fatalf("listens at %s", p.addr)
	}
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			if got := blob.Sum(s.PeerCertificates[0].Raw).String(); got != p.first["sha256"] {
				return errors.New("not the certificate of the log: " + got)
			}
			return nil
		},
	}}}
	resp, err := client.Get(p.addr + "/api/vscode/acme/hello/latest")
	if err != nil {
		t.Fatal(err)
	}
	if body := text(t, resp); resp.StatusCode != 200 || !strings.Contains(body, `"assetUri":"`+p.addr+"/assets/") {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	client.CloseIdleConnections()
	if status := p.stop(); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// TestUsage checks the errors and exit statuses of wrong command lines and of sites that do not
// exist.
func TestUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, x := range []struct {
		args   string
		status int
		want   string
	}{
		{"", 80, "galshim: error: --index is missing"},
		{"--index site --base-url gallery.test", 80, "galshim: hint: name the address that editors will use"},
		{"--index site --tls-cert a.pem", 80, "--tls-cert and --tls-key"},
		{"--index site --tls-cert a --tls-key b --tls-self-signed", 80, "exclude each other"},
		{"--index site --trusted-proxy nonsense", 80, "--trusted-proxy=nonsense: must be an address, a range such as 10.0.0.0/8, or none"},
		{"--index site --reload=-1s", 80, "--reload=-1s: must not be negative"},
		{"--index site --max-connections=-1", 80, "0 means the default"},
		{"--index site --max-queries=-1", 80, "0 means the default"},
		{"--index site --listen 8080", 80, "galshim: hint: --listen :8080"},
		{"--index https:///x", 80, "--index"},
		{"--index https://h/x?y", 80, "without a query"},
		{"--index site -q -v", 80, "--quiet and --verbose exclude each other"},
		{"--index site --log-format xml", 80, "--log-format"},
		{"--nonsense", 80, "unknown flag"},
		{"--index none", 1, "galshim: hint: build one with: galbuild"},
		{"--index .", 1, "galshim: hint: build it with: galbuild"},
		{"--help", 0, ""},
		{"--version", 0, ""},
	} {
		var stdout, stderr bytes.Buffer
		if status := Main(t.Context(), strings.Fields(x.args), &stdout, &stderr); status != x.status || !strings.Contains(stderr.String(), x.want) {
			t.Errorf("galshim %s: exit status %d, want %d with %q:\n%s", x.args, status, x.status, x.want, &stderr)
		}
		if x.status == 0 && !strings.Contains(stdout.String(), "galshim") {
			t.Errorf("galshim %s: prints %q", x.args, &stdout)
		}
		if x.args == "--help" && !strings.Contains(stdout.String(), "$GALSHIM_TRUSTED_PROXY") {
			t.Errorf("the help does not name the environment variables:\n%s", &stdout)
		}
	}
}

// TestAddressInUse checks the hint for an address that is in use.
func TestAddressInUse(t *testing.T) {
	dir := t.TempDir()
	sample{}.write(t, dir)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var stderr bytes.Buffer
	if status := Main(t.Context(), []string{"--index", dir, "--listen", taken.Addr().String()}, io.Discard, &stderr); status != 1 || !strings.Contains(stderr.String(), "galshim: hint: name another address") {
		t.Errorf("exit status %d: %s", status, &stderr)
	}
}

// TestUnixSocket checks that the socket of a killed process is replaced, and that of a running one
// is not.
func TestUnixSocket(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s")
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: file, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	if l, err := listen("unix:" + file); err == nil {
		l.Close()
		t.Error("a socket that is in use was replaced")
	}
	old.SetUnlinkOnClose(false)
	old.Close()
	l, err := listen("unix:" + file)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// endless is a store with endless blobs. It sends the error that ends a response to failed.
type endless struct{ failed chan error }

func (endless) Close() error { return nil }

func (e endless) serve(w http.ResponseWriter, _ *http.Request, _ index.File) error {
	block := make([]byte, 1<<20)
	for {
		if _, err := w.Write(block); err != nil {
			e.failed <- err
			return nil
		}
	}
}

// TestStalledClient checks that a client that does not read a file is disconnected.
func TestStalledClient(t *testing.T) {
	dir := t.TempDir()
	sample{}.write(t, dir)
	g := open(t, dir, folder{dir}, func(c *config) { c.stall = 20 * time.Millisecond })
	now := g.live.now.Load()
	now.blobs.Close()
	e := endless{make(chan error, 1)}
	now.blobs = e
	srv := newHTTPServer(g, nil, g.log)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(listener)
	defer srv.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET /assets/acme/hello/1.2.3/"+iconType+" HTTP/1.1\r\nHost: h\r\n\r\n")
	var timeout net.Error
	if err := <-e.failed; !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("the response ended with %v, want a timeout", err)
	}
}

// TestStalledReader checks that a client that does not read the response to a query is
// disconnected, even if the response is a single chunk.
func TestStalledReader(t *testing.T) {
	dir := t.TempDir()
	sample{more: 60, full: true}.write(t, dir)
	var lines lockedBuffer
	waits := map[bool]func(){
		true:  func() {},
		false: func() { settle(t, func() bool { return strings.Contains(lines.String(), `err="write response: `) }) },
	}
	for reads, wait := range waits {
		srv := startUnbuffered(t, open(t, dir, folder{dir}, func(c *config) {
			if !reads {
				c.stall, c.log = 20*time.Millisecond, slog.New(slog.NewTextHandler(&lines, nil))
			}
		}))
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.(*net.TCPConn).SetReadBuffer(32 << 10)
		body := queryBody("", 60, 0)
		fmt.Fprintf(conn, "POST /api/extensionquery HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
		wait()
		response, err := io.ReadAll(conn)
		if len(response) > chunk {
			t.Fatalf("%d bytes are more than a chunk", len(response))
		}
		if complete := err == nil && strings.HasSuffix(string(response), "}]}]}]}"); complete != reads {
			t.Errorf("the client reads: %t; %d bytes, %v, complete %t", reads, len(response), err, complete)
		}
	}
}

// TestGarbageCollection checks that gcPercent is set while galshim runs, unless GOGC is set.
func TestGarbageCollection(t *testing.T) {
	const before = 77
	defer debug.SetGCPercent(debug.SetGCPercent(before))
	dir := t.TempDir()
	sample{}.write(t, dir)
	percent := func() int {
		now := debug.SetGCPercent(before)
		debug.SetGCPercent(now)
		return now
	}
	p := start(t, "--index", dir)
	if got := percent(); got != gcPercent {
		t.Errorf("got %d, want %d", got, gcPercent)
	}
	p.stop()
	if got := percent(); got != before {
		t.Errorf("got %d at the end, want %d", got, before)
	}
	t.Setenv("GOGC", "100")
	p = start(t, "--index", dir)
	if got := percent(); got != before {
		t.Errorf("got %d although GOGC is set", got)
	}
	p.stop()
}

// TestMemoryLimit checks that GOMEMLIMIT is logged and not changed, and that the budgets of
// requests are derived from it.
func TestMemoryLimit(t *testing.T) {
	const limit = 40 << 20
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit))
	t.Setenv("GOMEMLIMIT", "40MiB")
	dir := t.TempDir()
	sample{}.write(t, dir)
	p := start(t, "--index", dir)
	if got := debug.SetMemoryLimit(-1); got != limit {
		t.Errorf("the limit is %d", got)
	}
	if got := newBudget(maxBodies).most; got != limit/8 {
		t.Errorf("the budget of bodies is %d bytes", got)
	}
	p.stop()
	if want := `"msg":"memory limit","bytes":41943040,"from":"GOMEMLIMIT"`; !strings.Contains(p.lines.String(), want) {
		t.Errorf("no %s in the log:\n%s", want, p.lines)
	}
}

// TestSlowRequest checks that a client whose request never ends is disconnected.
func TestSlowRequest(t *testing.T) {
	srv := newHTTPServer(openSample(t), nil, openSample(t).log)
	if srv.ReadHeaderTimeout != headerTimeout || srv.ReadTimeout != bodyTimeout || srv.IdleTimeout != idleTimeout {
		t.Error("the time limits are not set")
	}
	srv.ReadHeaderTimeout, srv.ReadTimeout = 20*time.Millisecond, 20*time.Millisecond
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(listener)
	defer srv.Close()
	for _, incomplete := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n",
		"POST /api/extensionquery HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{",
	} {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, incomplete)
		conn.SetReadDeadline(time.Now().Add(time.Minute))
		response, err := io.ReadAll(conn)
		if err != nil && !errors.Is(err, syscall.ECONNRESET) || strings.Contains(string(response), " 200 ") {
			t.Errorf("%q: %q, %v, want the connection closed", incomplete, response, err)
		}
		conn.Close()
	}
}

// TestLongHeader checks that a header beyond the limit is refused, and one within it is not.
func TestLongHeader(t *testing.T) {
	srv := newHTTPServer(openSample(t), nil, slog.New(slog.DiscardHandler))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(listener)
	defer srv.Close()
	for size, want := range map[int]int{maxHeader / 2: 200, 2 * maxHeader: 431} {
		r, err := http.NewRequest("GET", "http://"+listener.Addr().String()+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Long", strings.Repeat("x", size))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if text(t, resp); resp.StatusCode != want {
			t.Errorf("%d bytes of header: %d, want %d", size, resp.StatusCode, want)
		}
	}
}
