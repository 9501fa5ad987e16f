// Package rest is an HTTP client for REST APIs. It retries temporary failures: a connection that
// breaks or stalls, too many requests, or an internal error of the server. The pauses between
// attempts grow, or are as long as the server asks for.
package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"galbuild/build/roots"
	"galbuild/build/wording"
)

// Limits of retries.
const (
	retries   = 7 // after the first attempt
	shortWait = 500 * time.Millisecond
	longWait  = 30 * time.Second
	maxWait   = 5 * time.Minute // if a server asks for a longer pause, the request fails
)

// maxErrorBody is how many bytes of an error response are read.
const maxErrorBody = 64 << 10

// Config describes how to reach a service. The zero value works.
type Config struct {
	// CA is a file of PEM certificates that are trusted in addition to the system's.
	CA string
	// Transport sends the requests. The default honours CA and the variables HTTP_PROXY,
	// HTTPS_PROXY and NO_PROXY.
	Transport http.RoundTripper
	// Temporary reports which error responses are retried, in addition to status 429 and
	// most of those from 500 on. nil adds none.
	Temporary func(*StatusError) bool
	// Sleep waits between attempts. The default uses the clock.
	Sleep Sleep
}

// Sleep waits for a duration, or returns the context's error once the context is done.
type Sleep = func(context.Context, time.Duration) error

// Client sends requests. It may be used by several goroutines at once.
type Client struct {
	http      *http.Client
	temporary func(*StatusError) bool
	sleep     Sleep
	reached   atomic.Bool // whether any server has sent a response
}

// New returns a client.
func New(c Config) (*Client, error) {
	client := &Client{http: &http.Client{Transport: c.Transport, CheckRedirect: checkRedirect}, temporary: c.Temporary, sleep: c.Sleep}
	if client.sleep == nil {
		client.sleep = sleep
	}
	if c.Transport == nil {
		transport, err := newTransport(c.CA)
		if err != nil {
			return nil, err
		}
		client.http.Transport = transport
	}
	return client, nil
}

// maxIdle is how many idle connections to a host are kept open.
const maxIdle = 64

func newTransport(ca string) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = maxIdle
	return t, roots.Trust(t, ca)
}

// Request is a request that can be sent several times.
type Request struct {
	Method string
	URL    string
	Header http.Header
	// Body opens the request body from its beginning, for each attempt. nil means no body.
	Body func() (io.ReadCloser, error)
	Size int64 // of the body, in bytes
}

// EscapePath escapes all characters of a path except slashes, unreserved ASCII letters, digits
// and punctuation. This includes the semicolon, which begins parameters, and the plus sign,
// which some servers decode to a space.
func EscapePath(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		switch {
		case c == '/', c == '-', c == '.', c == '_', c == '~', '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// Bytes returns a [Request].Body of b.
func Bytes(b []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// Do sends r and calls handle with the response if its status is 2xx. handle closes the response
// body. If handle fails because the connection breaks, Do retries the request too. Any other
// status is a [*StatusError].
func (c *Client) Do(ctx context.Context, r Request, handle func(*http.Response) error) error {
	for attempts := 0; ; attempts++ {
		err := c.try(ctx, r, handle)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if status, ok := errors.AsType[*StatusError](err); ok {
			status.Attempts = attempts
		}
		again, ok := errors.AsType[temporary](err)
		if !ok || attempts >= retries {
			return err
		}
		wait := retryablehttp.DefaultBackoff(shortWait, longWait, attempts, again.response)
		if wait > maxWait {
			return fmt.Errorf("%w; the server asks to wait %s", err, wait)
		}
		if err := c.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Sleep waits like the pauses between attempts.
func (c *Client) Sleep(ctx context.Context, d time.Duration) error { return c.sleep(ctx, d) }

func (c *Client) try(ctx context.Context, r Request, handle func(*http.Response) error) error {
	w := watch(ctx)
	request, sent, err := r.make(w)
	if err != nil {
		w.stop()
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		w.stop()
		if err := sent.failed(); err != nil {
			return err
		}
		return c.unreachable(w.failed(request.URL.Host, err))
	}
	c.reached.Store(true)
	w.timer.Stop()
	response.Body = &responseBody{response.Body, w, response.Request.URL.Host}
	if response.StatusCode/100 != 2 {
		return c.statusError(response)
	}
	return handle(response)
}

// header returns a copy of the header.
func (r Request) header() http.Header {
	if r.Header == nil {
		return http.Header{}
	}
	return r.Header.Clone()
}

// make returns the request for one attempt, and its body, which records why reading it failed.
func (r Request) make(w *watcher) (*http.Request, *requestBody, error) {
	s := &requestBody{watcher: w}
	request, err := http.NewRequestWithContext(w.ctx, r.Method, r.URL, nil)
	if err != nil {
		return nil, nil, err
	}
	request.Header = r.header()
	if r.Body == nil {
		return request, s, nil
	}
	if s.ReadCloser, err = r.Body(); err != nil {
		return nil, nil, err
	}
	if r.Size == 0 { // net/http takes a size of 0 with a body for an unknown size
		defer s.Close()
		_, err := io.Copy(io.Discard, s)
		return request, s, err
	}
	request.Body, request.ContentLength = s, r.Size
	return request, s, nil
}

// maxJSON limits the size of a JSON response, in bytes. A list of a million files is shorter.
const maxJSON = 256 << 20

// JSON returns a function for [Client.Do] that decodes the response body into v.
func JSON(v any) func(*http.Response) error {
	return func(response *http.Response) error {
		defer response.Body.Close()
		if err := json.NewDecoder(io.LimitReader(response.Body, maxJSON)).Decode(v); err != nil {
			return decodeError(response.Request.URL.Host, err)
		}
		return nil
	}
}

// decodeError returns an error that says why a response of host was not decoded.
func decodeError(host string, err error) error {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, kind := errors.AsType[*json.UnmarshalTypeError](err)
	if syntax || kind {
		return fmt.Errorf("the response of %s is not the JSON that its API sends; is the address right?", host)
	}
	return fmt.Errorf("the response of %s cannot be read: %w", host, wording.Error(err))
}

// Discard is a function for [Client.Do] that ignores the response body.
func Discard(response *http.Response) error {
	defer response.Body.Close()
	_, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxErrorBody)) // reading to the end lets the connection be reused
	return err
}
