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

// Faults is a proxy in front of a server, which lets nothing pass unharmed that its
// number is divisible by every: by turns it answers 503 SlowDown, 503 with Retry-After,
// 500, closes the connection before and after the request was carried out, and in the
// middle of the answer.
func Faults(t testing.TB, server string, every int64) string {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	real := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host // which is signed
	}, ErrorLog: log.New(io.Discard, "", 0)}
	requests, faults := atomic.Int64{}, atomic.Int64{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1)%every != 0 {
			real.ServeHTTP(w, r)
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
			real.ServeHTTP(&Half{ResponseWriter: w}, r)
			panic(http.ErrAbortHandler)
		case 5:
			real.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(func() {
		proxy.Close()
		t.Logf("%d of %d requests were broken", faults.Load(), requests.Load())
	})
	return proxy.URL
}

func refuse(w http.ResponseWriter, status int, code string) {
	Refuse(w, status, code, "Please come again.")
}

// Half is a writer that passes on the first thousand bytes of an answer.
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
	return len(b), http.NewResponseController(h.ResponseWriter).Flush() // or nothing goes out before the connection is closed
}
