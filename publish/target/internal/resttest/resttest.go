// Package resttest runs the suite of all targets for clients of HTTP servers: on fake servers that
// fail, and on real ones.
package resttest

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"galbuild/publish/target"
)

// Empty deletes all objects of a target, at the end of a test.
func Empty(t *testing.T, p target.Target) {
	var keys []string
	for e, err := range p.List(context.Background(), "") {
		if err != nil {
			t.Error(err)
		}
		keys = append(keys, e.Key)
	}
	if err := p.Delete(context.Background(), keys); err != nil {
		t.Error(err)
	}
}

// failureRate is the average number of requests of which one fails.
const failureRate = 6

// Faulty returns h with faults: some requests are refused because there are too many, or
// because the server is restarting; or the connection breaks before the request is handled,
// after it, or in the middle of the response. The faults are random: in a fixed order,
// concurrent clients could make all attempts of one request fail.
func Faulty(h http.Handler) http.Handler {
	var mutex sync.Mutex
	random := rand.New(rand.NewPCG(1, 2))
	failures := 0
	faults := []func(http.ResponseWriter, *http.Request){
		refuse(http.StatusTooManyRequests, "0"),
		refuse(http.StatusServiceUnavailable, ""),
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		LostResponses(h).ServeHTTP,
		func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(&halfWriter{w}, r)
		},
		refuse(http.StatusTooManyRequests, "1"),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mutex.Lock()
		fails := random.IntN(failureRate) == 0
		if fails {
			failures++
		}
		fault := faults[failures%len(faults)]
		mutex.Unlock()
		if fails {
			fault(w, r)
		} else {
			h.ServeHTTP(w, r)
		}
	})
}

func refuse(status int, retryAfter string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
	}
}

// LostResponses returns h with a connection that breaks before each response.
func LostResponses(h http.Handler) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(discardWriter{}, r)
		panic(http.ErrAbortHandler)
	})
}

// A discardWriter discards a response.
type discardWriter struct{}

func (discardWriter) Header() http.Header         { return http.Header{} }
func (discardWriter) Write(b []byte) (int, error) { return len(b), nil }
func (discardWriter) WriteHeader(int)             {}

// A halfWriter sends half of the first bytes of a response and closes the connection.
type halfWriter struct{ http.ResponseWriter }

func (h *halfWriter) Write(b []byte) (int, error) {
	_, _ = h.ResponseWriter.Write(b[:len(b)/2])
	_ = http.NewResponseController(h.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}
