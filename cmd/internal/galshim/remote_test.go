package galshim

import (
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"galbuild/build/cacert"
	"galbuild/build/headers"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/publish/target/website"
)

// published serves the site in dir like a web server, and counts responses. If the
// function override returns true, it has written the response itself.
type published struct {
	*httptest.Server
	dir      string
	override func(w http.ResponseWriter, r *http.Request) bool
	full     atomic.Int64 // requests for files other than CURRENT
}

// publish serves a sample.
func publish(t *testing.T, s sample) *published {
	p := &published{dir: t.TempDir()}
	s.write(t, p.dir)
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *published) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.override != nil && p.override(w, r) {
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/mirror")
	if path == "/"+site.CurrentPath {
		text, _ := os.ReadFile(filepath.Join(p.dir, site.CurrentPath))
		w.Header().Set("ETag", `"`+blobTag(text)+`"`)
		http.ServeContent(w, r, "", testTime, bytes.NewReader(text))
		return
	}
	p.full.Add(1)
	w.Header().Set("Content-Type", "application/x-wrong")
	w.Header().Set("Set-Cookie", "a=b")
	http.ServeFile(w, r, filepath.Join(p.dir, filepath.FromSlash(path)))
}

// remoteAt returns the site at an address. The transport trusts the authorities of a file, or "".
func remoteAt(t testing.TB, address, cache string) *remote {
	t.Helper()
	return remoteTrusting(t, address, cache, "")
}

func remoteTrusting(t testing.TB, address, cache, authorities string) *remote {
	t.Helper()
	at, err := website.New(website.Config{URL: address, CA: authorities, Once: true, Stall: stallTimeout})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newRemote(at, nil, cache, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRemoteAuthority reads a site from a server whose certificate authority is only in a file.
func TestRemoteAuthority(t *testing.T) {
	p := publish(t, sample{more: 3})
	secure := httptest.NewTLSServer(p.Config.Handler)
	defer secure.Close()
	_, err := remoteAt(t, secure.URL, t.TempDir()).next(t.Context(), nil, nil)
	printed := &strings.Builder{}
	hint.Print(printed, "galshim", err)
	if !strings.Contains(printed.String(), cacert.Hint) {
		t.Errorf("got %s", printed)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	g, err := remoteTrusting(t, secure.URL, t.TempDir(), file).next(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	g.release()
}

// TestRemote serves the index and the files of a published site.
func TestRemote(t *testing.T) {
	p := publish(t, sample{more: 3, pages: defaultPages()})
	g := open(t, "", remoteAt(t, p.URL+"/mirror", t.TempDir()))
	if n := g.extensions(t); n != 4 {
		t.Fatalf("serves %d extensions, want 4", n)
	}
	const icon, main = "/assets/acme/hello/1.2.3/" + iconType, "/files/acme/hello/1.2.3+web/extension/main.js"
	etag := g.request("GET", icon, "").Header.Get("ETag")
	for _, x := range []struct {
		method, target string
		header         []string
		status         int
		want           string
		headers        []string
	}{
		{"GET", icon, nil, 200, icon[1:], []string{"Content-Type: image/png", "Content-Length: 69", "Accept-Ranges: bytes", "Cache-Control: " + headers.Immutable, "-Set-Cookie", "-Last-Modified"}},
		{"HEAD", icon, nil, 200, "", []string{"Content-Length: 69", "ETag: " + etag}},
		{"GET", icon, []string{"If-None-Match", etag}, 304, "", []string{"ETag: " + etag}},
		{"GET", icon, []string{"If-None-Match", `"other"`}, 200, icon[1:], nil},
		{"GET", icon, []string{"Range", "bytes=0-5"}, 206, "assets", []string{"Content-Range: bytes 0-5/69"}},
		{"GET", icon, []string{"Range", "bytes=0-5", "If-Range", etag}, 206, "assets", nil},
		{"GET", icon, []string{"Range", "bytes=0-5", "If-Range", `"other"`}, 200, icon[1:], []string{"-Content-Range"}},
		{"GET", icon, []string{"Range", "bytes=999-"}, 416, "", []string{"Content-Range: bytes */69"}},
		{"GET", main, []string{"Accept-Encoding", "gzip"}, 200, "", []string{"Content-Encoding: gzip", "Content-Type: text/javascript; charset=utf-8", "-Content-Length"}},
		{"GET", "/assets/acme/hello/1.2.3/" + pkg, nil, 200, pkg, []string{"Content-Disposition: attachment; filename=acme.hello-1.2.3.vsix"}},
		{"GET", "/item/acme.hello.html", nil, 200, "hello", nil},
		{"GET", "/index/CURRENT", nil, 404, "", nil},
	} {
		resp := g.request(x.method, x.target, "", x.header...)
		checkExchange(t, x.method+" "+x.target+" "+strings.Join(x.header, " "), resp, x.status, x.want, x.headers)
	}
}

// TestRemotePoll checks that polling requests only CURRENT, unless it has changed.
func TestRemotePoll(t *testing.T) {
	p := publish(t, sample{more: 3})
	cache := t.TempDir()
	g := open(t, "", remoteAt(t, p.URL, cache))
	before := p.full.Load()
	for range 3 {
		if err := g.live.poll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.full.Load() - before; n != 0 {
		t.Errorf("three polls of an unchanged site requested %d other files", n)
	}
	sample{more: 8}.write(t, p.dir)
	if err := g.live.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := g.extensions(t); n != 9 {
		t.Errorf("serves %d extensions, want 9", n)
	}

	before = p.full.Load()
	again := open(t, "", remoteAt(t, p.URL, cache))
	if n := p.full.Load() - before; n != 0 || again.extensions(t) != 9 {
		t.Errorf("a restart requested %d other files than CURRENT", n)
	}
}

// TestRemoteUnreachable starts galshim while the site cannot be reached. It serves the index in the
// cache, and later the site. Without an index in the cache it does not start.
func TestRemoteUnreachable(t *testing.T) {
	p := publish(t, sample{more: 3})
	cache := t.TempDir()
	open(t, "", remoteAt(t, p.URL, cache))
	down := true
	p.override = func(w http.ResponseWriter, r *http.Request) bool {
		if down {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return down
	}
	g := open(t, "", remoteAt(t, p.URL, cache))
	if n := g.extensions(t); n != 4 {
		t.Errorf("serves %d extensions, want the 4 in the cache", n)
	}
	if err := g.live.poll(t.Context()); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("poll: %v, want 503", err)
	}
	down = false
	sample{more: 4}.write(t, p.dir)
	if err := g.live.poll(t.Context()); err != nil || g.extensions(t) != 5 {
		t.Errorf("poll: %v, %d extensions, want 5", err, g.extensions(t))
	}

	p.Close()
	l := &live{source: remoteAt(t, p.URL, t.TempDir()), log: slog.New(slog.DiscardHandler)}
	if err := l.poll(t.Context()); err == nil {
		t.Error("started without a site and without a cache")
	}
}

// TestRemoteDamaged checks that an index whose SHA-256 is not that in CURRENT is refused and not
// requested again at once, and that the next generation is served.
func TestRemoteDamaged(t *testing.T) {
	p := publish(t, sample{more: 3})
	cache := t.TempDir()
	g := open(t, "", remoteAt(t, p.URL, cache))
	c := sample{more: 4}.write(t, p.dir)
	flip(t, filepath.Join(p.dir, c.IndexPath()))
	err := g.live.poll(t.Context())
	if err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("poll: %v, want a wrong SHA-256", err)
	}
	fetched := 0
	p.override = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, site.IndexName) {
			fetched++
		}
		return false
	}
	if again := g.live.poll(t.Context()); again == nil || again.Error() != err.Error() || fetched != 0 {
		t.Errorf("poll again: %v, %d downloads, want the same refusal and none", again, fetched)
	}
	if n := g.extensions(t); n != 4 {
		t.Errorf("serves %d extensions, want the 4 from before", n)
	}
	sample{more: 5}.write(t, p.dir)
	if err := g.live.poll(t.Context()); err != nil || g.extensions(t) != 6 {
		t.Errorf("poll: %v, %d extensions, want 6", err, g.extensions(t))
	}
	left, err := filepath.Glob(filepath.Join(cache, "*", "*"))
	if err != nil || len(left) != 4 { // CURRENT, two generations and their chunks
		t.Errorf("the cache has %q, %v", left, err)
	}
}

// TestRemoteCacheDamaged checks that an index that is damaged in the cache is downloaded again.
func TestRemoteCacheDamaged(t *testing.T) {
	p := publish(t, sample{more: 3})
	cache := t.TempDir()
	open(t, "", remoteAt(t, p.URL, cache))
	cached, err := filepath.Glob(filepath.Join(cache, "*", "*.idx.zst"))
	if err != nil || len(cached) != 1 {
		t.Fatalf("the cache has %q, %v", cached, err)
	}
	flip(t, cached[0])
	if g := open(t, "", remoteAt(t, p.URL, cache)); g.extensions(t) != 4 {
		t.Errorf("serves %d extensions, want 4", g.extensions(t))
	}
}

// TestRemoteBlobs checks that a response that is not the blob is not passed on.
func TestRemoteBlobs(t *testing.T) {
	p := publish(t, sample{})
	g := open(t, "", remoteAt(t, p.URL, t.TempDir()))
	const icon = "/assets/acme/hello/1.2.3/" + iconType
	for name, respond := range map[string]func(w http.ResponseWriter, r *http.Request){
		"missing":    func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) },
		"forbidden":  func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"other size": func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") },
		"encoded":    func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Encoding", "gzip") },
		"a loop":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) },
	} {
		p.override = func(w http.ResponseWriter, r *http.Request) bool {
			if isChunk(r) {
				return false
			}
			respond(w, r)
			return true
		}
		resp := g.request("GET", icon, "")
		checkExchange(t, name, resp, 502, `{"error":"the published site did not return the file"}`, []string{"-ETag", "Cache-Control: no-store"})
	}
	p.override = func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasPrefix(r.URL.Path, "/elsewhere"):
			io.WriteString(w, icon[1:])
		case isChunk(r):
			return false
		default:
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}
		return true
	}
	checkExchange(t, "redirected", g.request("GET", icon, ""), 200, icon[1:], []string{"-Location"})
}

// wrongResponses are responses that are not the blob.
var wrongResponses = []struct {
	name string
	send func(w http.ResponseWriter, blob []byte)
}{
	{"first byte", func(w http.ResponseWriter, blob []byte) { blob[0] ^= 1; w.Write(blob) }},
	{"last byte", func(w http.ResponseWriter, blob []byte) { blob[len(blob)-1] ^= 1; w.Write(blob) }},
	{"cut short", func(w http.ResponseWriter, blob []byte) {
		w.Header().Set("Content-Length", strconv.Itoa(len(blob)))
		w.Write(blob[:len(blob)-1])
	}},
	{"cut short, without a length", func(w http.ResponseWriter, blob []byte) {
		w.(http.Flusher).Flush()
		w.Write(blob[:len(blob)-1])
	}},
	{"too long, without a length", func(w http.ResponseWriter, blob []byte) {
		w.(http.Flusher).Flush()
		w.Write(append(blob, 'x'))
	}},
	{"other length", func(w http.ResponseWriter, blob []byte) { w.Write(append(blob, 'x')) }},
	{"nothing", func(http.ResponseWriter, []byte) {}},
}

// TestRemoteWrongBlob checks that a wrong blob is never sent completely: small ones are refused,
// and of large ones at least the end is missing.
func TestRemoteWrongBlob(t *testing.T) {
	for _, size := range []int{10, withheld, withheld + 1, 2*withheld - 1, 2 * withheld, 2*withheld + 1, 5*withheld + 77} {
		text := strings.Repeat("0123456789", size/10+1)[:size]
		p := publish(t, sample{pages: map[string]string{"page.txt": text}})
		var log lockedBuffer
		g := open(t, "", remoteAt(t, p.URL, t.TempDir()), func(c *config) { c.log = slog.New(slog.NewTextHandler(&log, nil)) })
		srv := httptest.NewServer(g)
		defer srv.Close()
		get := func(coding string) (int, []byte, error) {
			r, err := http.NewRequest("GET", srv.URL+"/page.txt", nil)
			if err != nil {
				t.Fatal(err)
			}
			if coding != "gzip" { // which the client requests and decodes itself
				r.Header.Set("Accept-Encoding", coding)
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				return 0, nil, err
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			return resp.StatusCode, got, err
		}
		for _, wrong := range wrongResponses {
			p.override = func(w http.ResponseWriter, r *http.Request) bool { wrong.send(w, []byte(text)); return true }
			if status, got, err := get("gzip"); status == http.StatusOK && (err == nil || len(got) > size-withheld) {
				t.Errorf("%d bytes, %s, compressed: status %d, %d bytes, %v", size, wrong.name, status, len(got), err)
			}
			status, got, err := get("identity")
			if complete := status == http.StatusOK && err == nil; complete || status == http.StatusOK && len(got) > size-withheld {
				t.Errorf("%d bytes, %s: status %d, %d bytes, %v", size, wrong.name, status, len(got), err)
			}
			if err == nil && status != http.StatusBadGateway {
				t.Errorf("%d bytes, %s: status %d, want 502", size, wrong.name, status)
			}
		}
		p.override = nil // the right blob is passed on again
		if status, got, err := get("identity"); status != http.StatusOK || err != nil || string(got) != text {
			t.Errorf("%d bytes: status %d, %d bytes, %v", size, status, len(got), err)
		}
		if n := strings.Count(log.String(), "SHA-256"); n != 4 {
			t.Errorf("%d bytes: the log has %d wrong SHA-256, want 4:\n%s", size, n, &log)
		}
	}
}

// TestRemoteRange checks that a range is served of a blob that can be verified first, and otherwise
// the whole blob.
func TestRemoteRange(t *testing.T) {
	for size, status := range map[int]int{withheld: http.StatusPartialContent, withheld + 1: http.StatusOK} {
		p := publish(t, sample{pages: map[string]string{"page.txt": strings.Repeat("x", size)}})
		g := open(t, "", remoteAt(t, p.URL, t.TempDir()))
		resp := g.request("GET", "/page.txt", "", "Range", "bytes=5-9")
		if n := len(text(t, resp)); resp.StatusCode != status || n != map[int]int{200: size, 206: 5}[status] {
			t.Errorf("%d bytes: status %d, %d bytes", size, resp.StatusCode, n)
		}
		head := g.request("HEAD", "/page.txt", "")
		if head.StatusCode != http.StatusOK || head.Header.Get("Content-Length") != strconv.Itoa(size) {
			t.Errorf("HEAD: status %d, length %s", head.StatusCode, head.Header.Get("Content-Length"))
		}
	}
}

// TestPollWhileBusy polls while slow clients use all connections for blobs.
func TestPollWhileBusy(t *testing.T) {
	p := publish(t, sample{more: 3})
	arrived, released := make(chan struct{}), make(chan struct{})
	p.override = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/blobs/") {
			close(arrived)
			<-released
		}
		return false
	}
	from := remoteAt(t, p.URL, t.TempDir())
	from.fetches = make(chan struct{}, 1)
	g := open(t, "", from)
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.request("GET", "/assets/acme/hello/1.2.3/"+iconType, "")
	}()
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // exceeded only if the poll waits for a blob
	defer cancel()
	if err := g.live.poll(ctx); err != nil {
		t.Error(err)
	}
	close(released)
	<-done
}
