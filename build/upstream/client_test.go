package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"galbuild/build/retry"
)

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newRequests returns Requests that neither wait between attempts nor limit their rate.
func newRequests(t *testing.T) Requests {
	t.Helper()
	client, err := NewClient(Config{
		Rate: 1e9, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return Requests{Client: client, Log: slog.New(slog.DiscardHandler)}
}

// serve starts a server whose responses handle writes.
func serve(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s.URL
}

// wantError checks that the text of an error contains some text, and not the path of the URL.
func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v, want one with %q and without the URL", err, text)
	}
}

// TestRate sends requests to two hosts from several goroutines. The time is that of synctest.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, err := NewClient(Config{
			Rate: 2, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
				if agent := r.Header.Get("User-Agent"); agent != "galbuild" {
					t.Errorf("User-Agent is %q", agent)
				}
				return &http.Response{StatusCode: 200, Request: r, Body: http.NoBody}, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var group errgroup.Group
		for i := range 10 {
			group.Go(func() error {
				_, err := Requests{Client: client}.Get(t.Context(), fmt.Sprintf("http://host%d/", i%2))
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took.Round(time.Millisecond) != 2*time.Second {
			t.Errorf("five requests to each of two hosts, two a second, took %s", took)
		}
	})
}

// TestRateCancelled checks that a request whose context ends does not wait for its turn.
func TestRateCancelled(t *testing.T) {
	requests := newRequests(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := requests.Get(ctx, serve(t, func(http.ResponseWriter, *http.Request) {
		t.Error("the request was sent")
	}))
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestRateInvalid(t *testing.T) {
	for _, rate := range []float64{-1, 0.01, math.NaN(), math.Inf(-1)} {
		if _, err := NewClient(Config{Rate: rate}); err == nil {
			t.Errorf("a rate of %g is accepted", rate)
		}
	}
	if _, err := NewClient(Config{CA: filepath.Join(t.TempDir(), "missing.pem")}); err == nil {
		t.Error("a file of certificates that does not exist is accepted")
	}
}

// TestCache requests a response again. What the server sends only once must be stored, and what is
// damaged must be requested again.
func TestCache(t *testing.T) {
	for _, validator := range []struct{ name, value, condition string }{
		{"ETag", `"abc"`, "If-None-Match"},
		{"Last-Modified", "Sun, 29 Nov 2026 10:00:00 GMT", "If-Modified-Since"},
	} {
		var statuses []int
		address := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(validator.name, validator.value)
			status := http.StatusOK
			if r.Header.Get(validator.condition) == validator.value {
				status = http.StatusNotModified
			}
			statuses = append(statuses, status)
			w.WriteHeader(status)
			if status == http.StatusOK {
				_, _ = w.Write([]byte("{}\nmore"))
			}
		})
		requests := newRequests(t)
		requests.Cache = filepath.Join(t.TempDir(), "responses")
		get := func() {
			t.Helper()
			if body, err := requests.Get(t.Context(), address); err != nil || string(body) != "{}\nmore" {
				t.Errorf("%s: %q, %v", validator.name, body, err)
			}
		}
		get()
		get()
		file := requests.cacheFile(address)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, damaged := range []string{"", "{}", string(text[:len(text)-1]), string(text) + "x", "\x00" + string(text)} {
			if err := os.WriteFile(file, []byte(damaged), 0o644); err != nil {
				t.Fatal(err)
			}
			get()
		}
		if want := []int{200, 304, 200, 200, 200, 200, 200}; !slices.Equal(statuses, want) {
			t.Errorf("%s: statuses %v, want %v", validator.name, statuses, want)
		}
	}
}

// TestNotCached checks that a response without a validator is not stored.
func TestNotCached(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) })
	requests := newRequests(t)
	requests.Cache = filepath.Join(t.TempDir(), "responses")
	if _, err := requests.Get(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(requests.Cache); err == nil {
		t.Error("the response is stored")
	}
}

// TestCacheUnwritable checks that a response counts although it cannot be stored.
func TestCacheUnwritable(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"abc"`)
		_, _ = w.Write([]byte("{}"))
	})
	requests := newRequests(t)
	requests.Cache = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(requests.Cache, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if body, err := requests.Get(t.Context(), address); err != nil || string(body) != "{}" {
		t.Errorf("%q, %v", body, err)
	}
}

// TestRetryLogged checks that each repetition is logged with the error that was its reason.
func TestRetryLogged(t *testing.T) {
	attempts := 0
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if attempts++; attempts == 1 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	var log strings.Builder
	requests := newRequests(t)
	requests.Log = slog.New(slog.NewTextHandler(&log, nil))
	if _, err := requests.Get(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "too many requests") {
		t.Errorf("logged: %s", log.String())
	}
}

// TestDown checks that a host that is down is not tried again and again for each request, and that
// requests are repeated again once it has served one.
func TestDown(t *testing.T) {
	attempts, status := 0, http.StatusServiceUnavailable
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		attempts++
		w.WriteHeader(status)
	})
	requests := newRequests(t)
	for i, step := range []struct{ status, attempts int }{
		{http.StatusServiceUnavailable, 1 + retry.Retries},
		{http.StatusServiceUnavailable, 1},
		{http.StatusOK, 1},
		{http.StatusServiceUnavailable, 1 + retry.Retries},
	} {
		attempts, status = 0, step.status
		if _, err := requests.Get(t.Context(), address); (err == nil) != (status == http.StatusOK) {
			t.Errorf("%d: %v", i, err)
		}
		if attempts != step.attempts {
			t.Errorf("%d: %d attempts, want %d", i, attempts, step.attempts)
		}
	}
}

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		status   int
		want     string
		attempts int
	}{
		{404, "not found (404 Not Found)", 1},
		{410, "not found (410 Gone)", 1},
		{401, "does not accept the request without credentials", 1},
		{403, "does not allow the request (403 Forbidden)", 1},
		{407, "the proxy requires credentials", 1},
		{400, "cannot respond to the request (400 Bad Request)", 1},
		{304, "cannot respond to the request (304 Not Modified)", 1}, // nothing is stored
		{429, "has received too many requests (429 Too Many Requests)", 1 + retry.Retries},
		{503, "cannot respond to the request (503 Service Unavailable)", 1 + retry.Retries},
	} {
		attempts := 0
		address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			attempts++
			w.WriteHeader(test.status)
		})
		_, err := newRequests(t).Get(t.Context(), address+"/s3cret")
		wantError(t, err, test.want)
		if attempts != test.attempts {
			t.Errorf("%d: %d attempts, want %d", test.status, attempts, test.attempts)
		}
		if isMissing := test.status == 404 || test.status == 410; errors.Is(err, ErrNotFound) != isMissing {
			t.Errorf("%d: %v", test.status, err)
		}
	}
}

// TestTooLarge receives a body without an end.
func TestTooLarge(t *testing.T) {
	client, err := NewClient(Config{Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Request: r, Body: io.NopCloser(endless{})}, nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Requests{Client: client}.Get(t.Context(), "http://host/s3cret")
	wantError(t, err, "host sends more than 32 MiB")
}

// endless is a reader without an end.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// TestCut receives a body that is cut, which is requested again.
func TestCut(t *testing.T) {
	attempts := 0
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "4")
		if attempts++; attempts == 1 {
			_, _ = w.Write([]byte("ab"))
			return
		}
		_, _ = w.Write([]byte("abcd"))
	})
	body, err := newRequests(t).Get(t.Context(), address)
	if err != nil || string(body) != "abcd" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestPost(t *testing.T) {
	attempts := 0
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if attempts++; attempts == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body := make([]byte, 10)
		n, _ := r.Body.Read(body)
		_, _ = fmt.Fprintf(w, "%s %s %s %s", r.Method, r.Header.Get("Content-Type"), r.Header.Get("Accept"), body[:n])
	})
	requests := newRequests(t)
	requests.Header = http.Header{"Accept": {"text/plain"}}
	body, err := requests.Post(t.Context(), address, "application/json", []byte("{}"))
	if err != nil || string(body) != "POST application/json text/plain {}" {
		t.Errorf("%q, %v", body, err)
	}
}

func TestSize(t *testing.T) {
	for _, test := range []struct {
		status int
		want   int64
		err    string
	}{
		{200, 7, ""}, {403, -1, ""}, {405, -1, ""}, {501, -1, ""}, {404, -1, "not found"}, {400, -1, "400"},
	} {
		address := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodHead {
				t.Errorf("the method is %s", r.Method)
			}
			w.Header().Set("Content-Length", "7")
			w.WriteHeader(test.status)
		})
		size, err := newRequests(t).Size(t.Context(), address+"/s3cret")
		if size != test.want {
			t.Errorf("status %d: size %d, want %d", test.status, size, test.want)
		}
		if test.err != "" {
			wantError(t, err, test.err)
		} else if err != nil {
			t.Errorf("status %d: %v", test.status, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	_, err := newRequests(t).Get(t.Context(), "http://host/s3cret\x00")
	wantError(t, err, "the address of a request is malformed")
}
