package rest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"galbuild/build/retry"
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

// TestGivesUp checks that temporary errors are retried several times, and others not at all.
func TestGivesUp(t *testing.T) {
	for _, x := range []struct {
		name     string
		response func(w http.ResponseWriter)
		tries    int64
	}{
		{"503", func(w http.ResponseWriter) { w.WriteHeader(503) }, retry.Retries + 1},
		{"closed", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, retry.Retries + 1},
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
