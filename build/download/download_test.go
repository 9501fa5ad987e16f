package download

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"galbuild/build/retry"
	"galbuild/build/vsix"
)

const packageText = "PK\x03\x04 the rest of a package"

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func wantList(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

// proxied is the URL of the last request to the proxy of TestMain.
var proxied atomic.Value

// TestMain sets a proxy. net/http reads the variable once per process, and never uses a proxy for
// the addresses of this machine.
func TestMain(m *testing.M) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxied.Store(r.URL.String())
		io.WriteString(w, packageText)
	}))
	os.Setenv("HTTP_PROXY", proxy.URL)
	os.Unsetenv("NO_PROXY")
	os.Unsetenv("no_proxy")
	code := m.Run()
	proxy.Close()
	os.Exit(code)
}

func TestProxy(t *testing.T) {
	items, problems := fetch(t, Config{}, "http://gallery.example/x.vsix")
	if len(items) != 1 || len(problems) != 0 {
		t.Fatal(items, problems)
	}
	if got := proxied.Load(); got != "http://gallery.example/x.vsix" {
		t.Errorf("the proxy received a request for %v", got)
	}
}

// TestAuthority downloads with a client that trusts the server's certificate authority.
func TestAuthority(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, packageText) }))
	defer server.Close()
	_, problems := fetch(t, Config{}, server.URL+"/x.vsix")
	if len(problems) != 1 || !strings.Contains(problems[0], "--ca FILE, or in SSL_CERT_FILE") {
		t.Errorf("got %v", problems)
	}
	c := Config{Client: newClient(t, retry.Config{Transport: server.Client().Transport})}
	if items, problems := fetch(t, c, server.URL+"/x.vsix"); len(items) != 1 {
		t.Errorf("got %v", problems)
	}
}

// A server serves packages and records the requests.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
}

// serve starts a server. It calls respond with each request and its number, from 0.
func serve(t *testing.T, respond func(w http.ResponseWriter, r *http.Request, number int)) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		number := len(s.requests)
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		respond(w, r, number)
	}))
	t.Cleanup(s.Close)
	return s
}

// wantRequests compares a header of all requests.
func (s *server) wantRequests(t *testing.T, header string, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var got []string
	for _, r := range s.requests {
		got = append(got, r.Header.Get(header))
	}
	wantList(t, header+" of the requests", got, want...)
}

func newClient(t *testing.T, c retry.Config) *retry.Client {
	t.Helper()
	client, err := retry.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// withoutRetries returns a client that does not repeat requests: each pause returns an error.
func withoutRetries(t *testing.T) *retry.Client {
	return newClient(t, retry.Config{Sleep: func(context.Context, time.Duration) error { return errNoRetry }})
}

var errNoRetry = errors.New("the request is not repeated")

// An item is a package in the folder.
type item struct {
	Name, Path string
	Size       int64
	ModTime    time.Time
}

// fetch downloads packages to a new folder, without pauses between attempts. It also returns what
// failed, as texts.
func fetch(t *testing.T, c Config, addresses ...string) (items []item, problems []string) {
	t.Helper()
	if c.Dir == "" {
		c.Dir = filepath.Join(t.TempDir(), "downloads")
	}
	if c.Client == nil {
		c.Client = newClient(t, retry.Config{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	}
	folder, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		file, err := Parse(address, Package(vsix.Limits{Ratio: c.MaxRatio, PackageBytes: c.MaxBytes}))
		if err != nil {
			problems = append(problems, WithoutSecrets(address)+": "+err.Error())
			continue
		}
		path, err := folder.Get(t.Context(), file)
		if err != nil {
			problems = append(problems, file.Name()+": "+err.Error())
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item{file.Name(), path, info.Size(), info.ModTime()})
	}
	return items, problems
}

func wantPackage(t *testing.T, items []item, problems []string, want string) {
	t.Helper()
	if len(items) != 1 || len(problems) != 0 {
		t.Fatalf("items %v, problems %v", items, problems)
	}
	got, err := os.ReadFile(items[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("the package has %d bytes, want %d", len(got), len(want))
	}
	if items[0].Size != int64(len(got)) {
		t.Errorf("size %d, want %d", items[0].Size, len(got))
	}
}

// wantFiles compares the names of the files in a folder.
func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	for i := range want {
		want[i] = filepath.Base(want[i])
	}
	slices.Sort(want)
	wantList(t, "files in "+dir, got, want...)
}

var changed = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

func TestUnchanged(t *testing.T) {
	text := packageText
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("ETag", fmt.Sprintf(`"%d bytes"`, len(text)))
		http.ServeContent(w, r, "x.vsix", changed, strings.NewReader(text))
	})
	dir := t.TempDir()
	address := s.URL + "/x.vsix"
	first, problems := fetch(t, Config{Dir: dir}, address)
	wantPackage(t, first, problems, text)
	if first[0].Name != address || !first[0].ModTime.Equal(changed) {
		t.Errorf("got %+v", first[0])
	}
	again, problems := fetch(t, Config{Dir: dir}, address)
	wantPackage(t, again, problems, text)
	if !slices.Equal(first, again) {
		t.Errorf("unchanged, but %+v, then %+v", first, again)
	}
	text += " changed"
	again, problems = fetch(t, Config{Dir: dir}, address)
	wantPackage(t, again, problems, text)
	s.wantRequests(t, "If-None-Match", "", `"26 bytes"`, `"26 bytes"`)
	s.wantRequests(t, "Accept-Encoding", "identity", "identity", "identity")
	wantFiles(t, dir, again[0].Path, strings.TrimSuffix(again[0].Path, ".vsix")+".json")

	if err := os.Truncate(again[0].Path, 3); err != nil {
		t.Fatal(err)
	}
	again, problems = fetch(t, Config{Dir: dir}, address)
	wantPackage(t, again, problems, text)
}

func TestUnchangedWithoutValidator(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) { io.WriteString(w, packageText) })
	dir := t.TempDir()
	first, problems := fetch(t, Config{Dir: dir}, s.URL)
	wantPackage(t, first, problems, packageText)
	if err := os.Chtimes(first[0].Path, changed, changed); err != nil {
		t.Fatal(err)
	}
	again, problems := fetch(t, Config{Dir: dir}, s.URL)
	wantPackage(t, again, problems, packageText)
	if !again[0].ModTime.Equal(changed) {
		t.Errorf("the same package was written again: %v", again[0].ModTime)
	}
}

// long is a package that is larger than all buffers.
var long = packageOf(strings.Repeat("0123456789", 100_000))

// packageOf returns a package with a file of this text, stored without compression.
func packageOf(text string) string {
	var b strings.Builder
	z := zip.NewWriter(&b)
	for _, f := range []struct{ name, text string }{
		{"extension.vsixmanifest", `<PackageManifest><Metadata><Identity Id="hello" Version="1.0.0" Publisher="acme"/></Metadata></PackageManifest>`},
		{"extension/package.json", `{"name":"hello","publisher":"acme","version":"1.0.0","engines":{"vscode":"*"}}`},
		{"extension/data.txt", text},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Store})
		if err == nil {
			_, err = io.WriteString(w, f.text)
		}
		if err != nil {
			panic(err) // a strings.Builder returns no errors
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// cut closes the connection after n bytes of text.
func cut(w http.ResponseWriter, text string, n int) {
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	io.WriteString(w, text[:n])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func TestResume(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, number int) {
		w.Header().Set("ETag", `"v1"`)
		if number == 0 {
			cut(w, long, 400_000)
		}
		http.ServeContent(w, r, "x.vsix", time.Time{}, strings.NewReader(long))
	})
	var progress []int64
	items, problems := fetch(t, Config{Progress: func(_ string, done, total int64) {
		if total != int64(len(long)) {
			t.Errorf("%d of %d bytes", done, total)
		}
		progress = append(progress, done)
	}}, s.URL)
	wantPackage(t, items, problems, long)
	s.wantRequests(t, "Range", "", "bytes=400000-")
	s.wantRequests(t, "If-Range", "", `"v1"`)
	if !slices.IsSorted(progress) || progress[len(progress)-1] != int64(len(long)) {
		t.Errorf("progress %v", progress)
	}
}

func TestResumeInLaterRun(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, number int) {
		if number == 0 {
			w.Header().Set("Last-Modified", changed.Format(http.TimeFormat))
			cut(w, long, 400_000)
		}
		http.ServeContent(w, r, "x.vsix", changed, strings.NewReader(long))
	})
	dir := t.TempDir()
	if items, problems := fetch(t, Config{Dir: dir, Client: withoutRetries(t)}, s.URL); len(items) != 0 || len(problems) != 1 {
		t.Fatal(items, problems)
	}
	items, problems := fetch(t, Config{Dir: dir}, s.URL)
	wantPackage(t, items, problems, long)
	s.wantRequests(t, "Range", "", "bytes=400000-")
	wantFiles(t, dir, items[0].Path, strings.TrimSuffix(items[0].Path, ".vsix")+".json")
}

// TestResumeImpossible has downloads that cannot be resumed and start from the beginning.
func TestResumeImpossible(t *testing.T) {
	other := packageText + strings.Repeat("abcdefghij", 100_000)
	tests := map[string]struct {
		first  http.Header // of the response that is cut
		second func(w http.ResponseWriter, r *http.Request)
		want   string
		ranges []string
	}{
		"changed meanwhile": {http.Header{"Etag": {`"v1"`}}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"v2"`)
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(other))
		}, other, []string{"", "bytes=400000-"}},
		"no validator": {nil, func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(other))
		}, other, []string{"", ""}},
		"weak validator": {http.Header{"Etag": {`W/"v1"`}}, func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(other))
		}, other, []string{"", ""}},
		"ranges ignored": {http.Header{"Etag": {`"v1"`}}, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, long)
		}, long, []string{"", "bytes=400000-"}},
		"if-range ignored": {http.Header{"Etag": {`"v1"`}}, func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-Range")
			w.Header().Set("ETag", `"v2"`)
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(other))
		}, other, []string{"", "bytes=400000-", ""}},
		"not satisfiable": {http.Header{"Etag": {`"v1"`}}, func(w http.ResponseWriter, r *http.Request) {
			r.Header.Del("If-Range")
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(packageText))
		}, packageText, []string{"", "bytes=400000-", ""}},
		"another range": {http.Header{"Etag": {`"v1"`}}, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-9/%d", len(long)))
				w.WriteHeader(http.StatusPartialContent)
				return
			}
			io.WriteString(w, long)
		}, long, []string{"", "bytes=400000-", ""}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request, number int) {
				if number > 0 {
					tt.second(w, r)
					return
				}
				for k, v := range tt.first {
					w.Header()[k] = v
				}
				cut(w, long, 400_000)
			})
			items, problems := fetch(t, Config{}, s.URL)
			wantPackage(t, items, problems, tt.want)
			s.wantRequests(t, "Range", tt.ranges...)
		})
	}
}

// TestDamagedPart has a damaged part of an earlier run. The package is downloaded from the
// beginning in the same run, even without retries.
func TestDamagedPart(t *testing.T) {
	half := long[:400_000]
	tests := map[string]struct{ part, size string }{
		"starts with something else": {"x" + half[1:], "SIZE"},
		"damaged in its middle":      {half[:200_000] + "x" + half[200_001:], "SIZE"},
		"longer than the package":    {long + "x", "SIZE"},
		"of another size":            {half, "12"},
		"of a size beyond the limit": {half, "9223372036854775807"},
		"an unknown encoding":        {half, `SIZE,"contentEncoding":"br"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
				w.Header().Set("ETag", `"v1"`)
				http.ServeContent(w, r, "", time.Time{}, strings.NewReader(long))
			})
			dir := t.TempDir()
			key := sha256.Sum256([]byte(s.URL))
			part := filepath.Join(dir, hex.EncodeToString(key[:])+".part")
			write(t, part, tt.part)
			size := strings.ReplaceAll(tt.size, "SIZE", strconv.Itoa(len(long)))
			write(t, part+".json", `{"etag":"\"v1\"","size":`+size+`}`)
			items, problems := fetch(t, Config{Dir: dir, Client: withoutRetries(t), MaxBytes: 2 << 20}, s.URL)
			wantPackage(t, items, problems, long)
			s.wantRequests(t, "Range", fmt.Sprintf("bytes=%d-", len(tt.part)), "")
		})
	}
}

// TestDamagedPartOnce has a server that does not send a package. There is no third request.
func TestDamagedPartOnce(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("<html>maintenance</html>"))
	})
	dir := t.TempDir()
	key := sha256.Sum256([]byte(s.URL))
	part := filepath.Join(dir, hex.EncodeToString(key[:])+".part")
	write(t, part, packageText[:10])
	write(t, part+".json", `{"etag":"\"v1\"","size":24}`)
	items, problems := fetch(t, Config{Dir: dir}, s.URL)
	if len(items) != 0 || len(problems) != 1 || !strings.Contains(problems[0], "HTML page") {
		t.Errorf("items %v, problems %q", items, problems)
	}
	s.wantRequests(t, "Range", "bytes=10-", "")
}

// TestDamagedCache has a file in the cache that does not start like a package.
func TestDamagedCache(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(packageText))
	})
	dir := t.TempDir()
	first, problems := fetch(t, Config{Dir: dir}, s.URL)
	wantPackage(t, first, problems, packageText)
	write(t, first[0].Path, strings.Repeat("\x00", len(packageText)))
	again, problems := fetch(t, Config{Dir: dir}, s.URL)
	wantPackage(t, again, problems, packageText)
}

func TestRetry(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, number int) {
		switch number {
		case 0:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		case 1:
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.WriteHeader(http.StatusBadGateway)
		default:
			io.WriteString(w, packageText)
		}
	})
	var pauses []time.Duration
	items, problems := fetch(t, Config{Client: newClient(t, retry.Config{Sleep: func(_ context.Context, d time.Duration) error {
		pauses = append(pauses, d)
		return nil
	}})}, s.URL)
	wantPackage(t, items, problems, packageText)
	if len(pauses) != 3 || pauses[0] != 0 || pauses[1] < 7*time.Second {
		t.Errorf("waited %v", pauses)
	}
}

func TestDownloadFails(t *testing.T) {
	status := func(code int, header ...string) func(http.ResponseWriter, *http.Request, int) {
		return func(w http.ResponseWriter, r *http.Request, _ int) {
			if len(header) > 0 {
				w.Header().Set(header[0], header[1])
			}
			w.WriteHeader(code)
		}
	}
	text := func(text string) func(http.ResponseWriter, *http.Request, int) {
		return func(w http.ResponseWriter, r *http.Request, _ int) { io.WriteString(w, text) }
	}
	tests := map[string]struct {
		respond  func(http.ResponseWriter, *http.Request, int)
		want     string // HOST is the host of the server
		requests int
	}{
		"not found":      {status(404), "there is no such file on HOST (404 Not Found)", 1},
		"unauthorized":   {status(401), "HOST requires credentials; write https://user:password@HOST/… (401 Unauthorized)", 1},
		"forbidden":      {status(403), "HOST does not allow the download (403 Forbidden)", 1},
		"unavailable":    {status(503), "HOST did not send the package (503 Service Unavailable)", retry.Retries + 1},
		"long wait":      {status(503, "Retry-After", "3600"), "HOST did not send the package (503 Service Unavailable); the server requests a pause of more than 5m0s", 1},
		"unexpected 304": {status(304), "HOST did not send the package (304 Not Modified)", 1},
		"no body":        {text(""), "HOST sent an empty response instead of a package", 1},
		"HTML page":      {text("<!DOCTYPE html><html><body>Sign in</body></html>"), "HOST sent an HTML page instead of a package; perhaps it requires a login", 1},
		"text":           {text("{\"error\":\"x\"}\nmore"), `HOST sent "{\"error\":\"x\"}" instead of a package`, 1},
		"image":          {text("\x89PNG\x0d\x0a\x1a\x0a"), "HOST sent image/png instead of a package", 1},
		"too large":      {text(long), "the package is larger than the limit package-bytes of 900 KiB", 1},
		"other encoding": {status(200, "Content-Encoding", "br"), `HOST sent the package with Content-Encoding "br", which is not supported`, 1},
		"redirect loop": {func(w http.ResponseWriter, r *http.Request, _ int) {
			http.Redirect(w, r, "/again", http.StatusFound)
		}, "HOST redirects more than 10 times", 11},
		"too large, size not announced": {func(w http.ResponseWriter, r *http.Request, _ int) {
			w.(http.Flusher).Flush()
			io.WriteString(w, long)
		}, "the package is larger than the limit package-bytes of 900 KiB", 1},
		"too large when decoded": {func(w http.ResponseWriter, r *http.Request, _ int) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(gzipped(long))
		}, "decode the response: the package is larger than the limit package-bytes of 900 KiB", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := serve(t, tt.respond)
			dir := t.TempDir()
			items, problems := fetch(t, Config{Dir: dir, MaxBytes: 900 << 10}, s.URL+"/x.vsix")
			host := strings.TrimPrefix(s.URL, "http://")
			wantList(t, "problems", problems, s.URL+"/x.vsix: "+strings.ReplaceAll(tt.want, "HOST", host))
			if len(items) != 0 || len(s.requests) != tt.requests {
				t.Errorf("%d items, %d requests, want none and %d", len(items), len(s.requests), tt.requests)
			}
			wantFiles(t, dir)
		})
	}
}

// TestCacheStays has a server that sends an HTML page once. The cached package is not replaced.
func TestCacheStays(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request, number int) {
		w.Header().Set("ETag", `"`+strconv.Itoa(number)+`"`)
		if number == 1 {
			io.WriteString(w, "<html>maintenance</html>")
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(packageText))
	})
	dir := t.TempDir()
	first, problems := fetch(t, Config{Dir: dir}, s.URL)
	wantPackage(t, first, problems, packageText)
	if _, problems := fetch(t, Config{Dir: dir}, s.URL); len(problems) != 1 {
		t.Errorf("problems %v", problems)
	}
	fetch(t, Config{Dir: dir}, s.URL)
	s.wantRequests(t, "If-None-Match", "", `"0"`, `"0"`)
}

func gzipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.Bytes()
}

func TestEncoded(t *testing.T) {
	encoded := gzipped(long)
	tests := map[string]struct {
		encoding, body, want string
	}{
		"encoded":            {"gzip", string(encoded), long},
		"package compressed": {"", string(encoded), string(encoded)},
		"mislabelled":        {"gzip", long, long},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, r *http.Request, number int) {
				w.Header().Set("ETag", `"v1"`)
				if tt.encoding != "" {
					w.Header().Set("Content-Encoding", tt.encoding)
				}
				if number == 0 {
					cut(w, tt.body, len(tt.body)/2)
				}
				http.ServeContent(w, r, "", time.Time{}, strings.NewReader(tt.body))
			})
			items, problems := fetch(t, Config{}, s.URL)
			wantPackage(t, items, problems, tt.want)
			s.wantRequests(t, "Range", "", fmt.Sprintf("bytes=%d-", len(tt.body)/2))
		})
	}
}

// TestStalled has a server that stops sending. The download is retried.
func TestStalled(t *testing.T) {
	over := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request, number int) {
		w.Header().Set("ETag", `"v1"`)
		if number == 0 {
			w.Header().Set("Content-Length", strconv.Itoa(len(packageText)))
			io.WriteString(w, packageText[:5])
			w.(http.Flusher).Flush()
			<-over
			return
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(packageText))
	})
	retries := 0
	items, problems := fetch(t, Config{Client: newClient(t, retry.Config{
		Stall: 200 * time.Millisecond, Sleep: func(context.Context, time.Duration) error { retries++; return nil },
	})}, s.URL)
	close(over)
	wantPackage(t, items, problems, packageText)
	if retries != 1 {
		t.Errorf("%d retries, want 1", retries)
	}
}
