package resttest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"galbuild/publish/target"
)

// Fuzz tests the client of a target with arbitrary responses. They must lead to errors, or to
// entries below the requested prefix. open returns a client that uses the transport. seeds are
// examples of response bodies.
func Fuzz(f *testing.F, open func(http.RoundTripper) (target.Target, error), seeds ...string) {
	for _, seed := range seeds {
		f.Add(200, []byte(seed))
		f.Add(409, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		target, err := open(&sameResponse{status: status, body: body, cancel: cancel})
		if err != nil {
			t.Fatal(err)
		}
		const prefix = "index/"
		for e, err := range target.List(ctx, prefix) {
			if err == nil && !strings.HasPrefix(e.Key, prefix) {
				t.Errorf("%q is listed below %q", e.Key, prefix)
			}
		}
		if r, err := target.Get(ctx, "index/CURRENT", 0, -1); err == nil {
			io.Copy(io.Discard, r)
			r.Close()
		}
		_ = target.Delete(ctx, []string{"index/x"})
	})
}

// sameResponse is a transport that gives every request the same response. It cancels the client
// before retries, which would take too long.
type sameResponse struct {
	status   int
	body     []byte
	cancel   func()
	requests int
}

// RoundTrip implements [http.RoundTripper].
func (s *sameResponse) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	if s.requests++; s.requests > 1 || s.status >= 400 {
		s.cancel()
	}
	if s.requests > 8 {
		return nil, errors.New("too many requests")
	}
	return &http.Response{StatusCode: s.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(s.body)), Request: r}, nil
}
