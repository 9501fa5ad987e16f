// Package upstreamtest has what tests of upstreams need: hosts without a network.
package upstreamtest

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"galbuild/build/upstream"
)

// Hosts is a transport whose requests are served by handlers, by their scheme and host, such as
// https://gallery.example. Other hosts do not exist.
type Hosts map[string]http.Handler

// RoundTrip implements [http.RoundTripper].
func (h Hosts) RoundTrip(request *http.Request) (*http.Response, error) {
	handler, ok := h[request.URL.Scheme+"://"+request.URL.Host]
	if !ok {
		missing := &net.DNSError{Err: "no such host", Name: request.URL.Hostname(), IsNotFound: true}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: missing}
	}
	received := request.Clone(request.Context())
	received.RequestURI, received.RemoteAddr = request.URL.RequestURI(), "192.0.2.1:1234"
	received.Host = request.URL.Host
	if request.Body == nil {
		received.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, received)
	response := recorder.Result()
	response.Request = request
	if request.Method == http.MethodHead {
		response.Body = http.NoBody
	} else if response.ContentLength < 0 {
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return nil, err
		}
		response.ContentLength, response.Body = int64(len(body)), io.NopCloser(bytes.NewReader(body))
	}
	return response, nil
}

// Requests returns requests through a transport that neither wait between attempts nor have a rate.
func Requests(t testing.TB, transport http.RoundTripper) upstream.Requests {
	t.Helper()
	client, err := upstream.NewClient(upstream.Config{
		Rate: 1e9, Transport: transport,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return upstream.Requests{Client: client}
}
