package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// newServer starts a server with the handler h. The client records its pauses instead of waiting.
func newServer(t *testing.T, h http.HandlerFunc) (url string, c *Client, waits *[]time.Duration) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	waits = &[]time.Duration{}
	c, err := New(Config{Sleep: func(ctx context.Context, d time.Duration) error {
		*waits = append(*waits, d)
		return ctx.Err()
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s.URL, c, waits
}

func get(url string) Request { return Request{Method: http.MethodGet, URL: url} }

// TestWaits checks that pauses grow, or are as long as the server asks for.
func TestWaits(t *testing.T) {
	n := 0
	url, c, waits := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		if n++; n <= 5 {
			if n > 2 {
				w.Header().Set("Retry-After", []string{"", "", "", "0", "7", "120"}[n])
			}
			w.WriteHeader([]int{0, 500, 502, 429, 503, 429}[n])
		}
	})
	if err := c.Do(t.Context(), get(url), Discard); err != nil {
		t.Fatal(err)
	}
	want := []time.Duration{shortWait, 2 * shortWait, 0, 7 * time.Second, 2 * time.Minute}
	if !slices.Equal(*waits, want) {
		t.Errorf("waited %v, want %v", *waits, want)
	}
}

// TestGivesUp checks that temporary errors are retried several times, and others not at all.
func TestGivesUp(t *testing.T) {
	for _, x := range []struct {
		name     string
		response func(w http.ResponseWriter)
		tries    int64
	}{
		{"503", func(w http.ResponseWriter) { w.WriteHeader(503) }, retries + 1},
		{"closed", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, retries + 1},
		{"404", func(w http.ResponseWriter) { w.WriteHeader(404) }, 1},
		{"tomorrow", func(w http.ResponseWriter) { w.Header().Set("Retry-After", "86400"); w.WriteHeader(429) }, 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			var n atomic.Int64
			url, c, _ := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				n.Add(1)
				x.response(w)
			})
			if err := c.Do(t.Context(), Request{Method: http.MethodPut, URL: url, Body: Bytes([]byte("x")), Size: 1}, Discard); err == nil || n.Load() != x.tries {
				t.Errorf("%d tries, want %d: %v", n.Load(), x.tries, err)
			}
		})
	}
}

// TestTemporary checks that Config.Temporary adds to the errors that are retried.
func TestTemporary(t *testing.T) {
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, "busy")
		}
	}))
	defer s.Close()
	c, err := New(Config{
		Temporary: func(r *StatusError) bool { return string(r.Body) == "busy" },
		Sleep:     func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Do(t.Context(), get(s.URL), Discard); err != nil || n != 2 {
		t.Errorf("%d tries, %v", n, err)
	}
}

var errBody = errors.New("the disk is gone")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBody }
func (broken) Close() error             { return nil }

// TestBody checks that a request whose body cannot be read is not retried.
func TestBody(t *testing.T) {
	url, c, waits := newServer(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for _, size := range []int64{0, 10} {
		opened := 0
		body := func() (io.ReadCloser, error) { opened++; return broken{}, nil }
		err := c.Do(t.Context(), Request{Method: http.MethodPut, URL: url, Body: body, Size: size}, Discard)
		if !errors.Is(err, errBody) || opened != 1 || len(*waits) > 0 {
			t.Errorf("%d bytes: opened %d times: %v", size, opened, err)
		}
	}
	err := c.Do(t.Context(), Request{Method: http.MethodPut, URL: url, Body: func() (io.ReadCloser, error) { return nil, errBody }}, Discard)
	if !errors.Is(err, errBody) {
		t.Errorf("got %v", err)
	}
}

// TestCancel checks that cancelling ends a pause.
func TestCancel(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "100")
		w.WriteHeader(429)
	}))
	defer s.Close()
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Do(ctx, get(s.URL), Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func identify(response *http.Response) (string, error) { return response.Header.Get("Etag"), nil }

// TestResume checks that reading continues where a connection broke.
func TestResume(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789"), 100_000)
	for _, ranges := range []bool{true, false} {
		n := 0
		url, c, _ := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Etag", `"same"`)
			if !ranges {
				r.Header.Del("Range")
			}
			if n++; n < 5 {
				w = &limited{w, 300_000 * n}
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
		})
		for _, x := range []struct{ offset, length, want int64 }{{0, -1, 1_000_000}, {7, -1, 999_993}, {300_007, 400_000, 400_000}, {999_000, 5_000, 1000}, {2_000_000, 1, 0}} {
			n = 0
			r, err := c.Open(t.Context(), get(url), x.offset, x.length, identify)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			r.Close()
			if err != nil || !bytes.Equal(got, text[min(x.offset, 1_000_000):][:x.want]) {
				t.Errorf("ranges %v, %+v: got %d bytes, %v", ranges, x, len(got), err)
			}
		}
	}
}

// limited closes the connection after some bytes.
type limited struct {
	http.ResponseWriter
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	n, _ := l.ResponseWriter.Write(b[:min(l.left, len(b))])
	if l.left -= n; l.left == 0 {
		_ = http.NewResponseController(l.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

// TestReplaced checks that the parts of two objects are not joined.
func TestReplaced(t *testing.T) {
	n := 0
	url, c, _ := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		w.Header().Set("Etag", []string{"", `"one"`, `"two"`}[n])
		http.ServeContent(&limited{w, 100_000}, r, "", time.Time{}, bytes.NewReader(make([]byte, 200_000)))
	})
	r, err := c.Open(t.Context(), get(url), 0, -1, identify)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); err == nil || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("got %v", err)
	}
}

// TestCA checks that a private authority is trusted with Config.CA, and named in the error
// without it.
func TestCA(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ ca, want string }{{ca, ""}, {"", "with --ca FILE, or in SSL_CERT_FILE"}} {
		c, err := New(Config{CA: x.ca})
		if err != nil {
			t.Fatal(err)
		}
		err = c.Do(t.Context(), get(s.URL), Discard)
		if x.want == "" && err != nil || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("got %v, want %q", err, x.want)
		}
	}
	if err := os.WriteFile(ca, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{CA: ca}); err == nil {
		t.Error("a file without certificates was taken")
	}
}

// failing is a transport whose requests all fail.
type failing struct{ error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.error }

// TestHints checks the hints of connection errors.
func TestHints(t *testing.T) {
	for want, why := range map[string]error{
		`there is no host "nowhere"; behind a proxy, set HTTPS_PROXY`: &net.DNSError{Name: "nowhere", IsNotFound: true},
		"is the clock of this machine right?":                         x509.CertificateInvalidError{Reason: x509.Expired},
		"is it http:// rather than https://?":                         tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"},
		"host: the connection was closed":                             io.ErrUnexpectedEOF,
	} {
		c, err := New(Config{Transport: failing{why}, Sleep: func(context.Context, time.Duration) error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Do(t.Context(), get("https://host/secret"), Discard); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestUnknownHost is not tried again: the name is more likely mistyped than the server down.
func TestUnknownHost(t *testing.T) {
	for _, op := range []string{"dial", "proxyconnect"} {
		waits := 0
		why := &net.OpError{Op: op, Net: "tcp", Err: &net.DNSError{Name: "nowhere", IsNotFound: true}}
		c, err := New(Config{Transport: failing{why}, Sleep: func(context.Context, time.Duration) error { waits++; return nil }})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Do(t.Context(), get("https://nowhere"), Discard); err == nil || waits != 0 {
			t.Errorf("%s: got %v after %d waits", op, err, waits)
		}
	}
}

// TestRedirect checks that no redirect leads from https to http, or takes the token to another
// host.
func TestRedirect(t *testing.T) {
	var told string
	plain := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told = r.Header.Get("Authorization") }))
	defer plain.Close()
	h := http.RedirectHandler(strings.Replace(plain.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
	for _, x := range []struct {
		server *httptest.Server
		want   string
	}{{httptest.NewServer(h), ""}, {httptest.NewTLSServer(h), "from https to http"}} {
		c, err := New(Config{Transport: x.server.Client().Transport})
		if err != nil {
			t.Fatal(err)
		}
		r := get(x.server.URL)
		r.Header = http.Header{"Authorization": {"Bearer s3cret"}}
		err = c.Do(t.Context(), r, Discard)
		x.server.Close()
		if told != "" || x.want == "" && err != nil || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("got %v, want %q; the other host was told %q", err, x.want, told)
		}
	}
}

// silent is a transport that never responds, or stops in the middle of the body.
type silent struct{ half bool }

func (s silent) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.half {
		body := io.MultiReader(strings.NewReader("half"), readerFunc(func([]byte) (int, error) {
			<-r.Context().Done()
			return 0, r.Context().Err()
		}))
		return &http.Response{StatusCode: 200, Request: r, Body: io.NopCloser(body)}, nil
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// TestStalled checks that a request fails when no data is transferred for too long.
func TestStalled(t *testing.T) {
	for _, half := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c, err := New(Config{Transport: silent{half}})
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			err = c.Do(t.Context(), get("http://host"), Discard)
			if took := time.Since(start); !errors.Is(err, errStalled) || took < (retries+1)*stallTimeout || took > (retries+2)*stallTimeout {
				t.Errorf("half an response %v: %v after %v", half, err, took)
			}
		})
	}
}
