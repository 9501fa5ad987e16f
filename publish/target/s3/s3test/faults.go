package s3test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
)

// Faults starts a proxy in front of a server and returns its URL. The proxy makes every nth request
// fail: in turn with 503 SlowDown, with 503 and Retry-After, with 500, or by closing the connection
// before the request, after it, or in the middle of the response.
func Faults(t testing.TB, server string, n int64) string {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	gateway := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // the signature covers it
	}, ErrorLog: log.New(io.Discard, "", 0)}
	requests, faults := atomic.Int64{}, atomic.Int64{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1)%n != 0 {
			gateway.ServeHTTP(w, r)
			return
		}
		switch faults.Add(1) % 6 {
		case 0:
			refuse(w, http.StatusServiceUnavailable, "SlowDown")
		case 1:
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable")
		case 2:
			refuse(w, http.StatusInternalServerError, "InternalError")
		case 3:
			panic(http.ErrAbortHandler)
		case 4:
			gateway.ServeHTTP(&Half{ResponseWriter: w}, r)
			panic(http.ErrAbortHandler)
		case 5:
			gateway.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(func() {
		proxy.Close()
		t.Logf("%d of %d requests failed", faults.Load(), requests.Load())
	})
	return proxy.URL
}

func refuse(w http.ResponseWriter, status int, code string) {
	Refuse(w, status, code, "Please try again.")
}

// Half is a writer that passes on the first thousand bytes of a response.
type Half struct {
	http.ResponseWriter
	n int
}

// Write implements [io.Writer].
func (h *Half) Write(b []byte) (int, error) {
	pass := b[:min(len(b), max(0, 1000-h.n))]
	h.n += len(pass)
	if _, err := h.ResponseWriter.Write(pass); err != nil {
		return 0, err
	}
	return len(b), http.NewResponseController(h.ResponseWriter).Flush() // otherwise nothing is sent before the connection is closed
}
