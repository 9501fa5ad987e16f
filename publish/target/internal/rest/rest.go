// Package rest asks services over HTTP, and asks again as long as what stands in the
// way may pass: a connection that breaks or stalls, too many requests, a server in
// trouble. It waits ever longer between tries, or as long as the server asks for.
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

// How often, and how long apart, something is tried.
const (
	retries   = 7
	shortWait = 500 * time.Millisecond
	longWait  = 30 * time.Second
	maxWait   = 5 * time.Minute // a server that asks for more is not waited for
)

// maxRefusal is how many bytes of a refusal are read.
const maxRefusal = 64 << 10

// Config says how to reach a service. The zero value works.
type Config struct {
	// CA is a file of PEM certificates that are trusted besides the system's.
	CA string
	// Transport sends the requests. nil is one that honours HTTP_PROXY, HTTPS_PROXY,
	// NO_PROXY and CA.
	Transport http.RoundTripper
	// Passing tells which refusals may pass, besides 429 and those from 500 on.
	Passing func(*Refused) bool
	// Sleep waits between tries. nil is by the clock.
	Sleep Sleep
}

// Sleep waits, or returns the context's error.
type Sleep = func(context.Context, time.Duration) error

// Client asks. It may be used by several goroutines.
type Client struct {
	http    *http.Client
	passing func(*Refused) bool
	sleep   Sleep
	met     atomic.Bool // whether any server has sent a response
}

// New returns a client.
func New(c Config) (*Client, error) {
	client := &Client{http: &http.Client{Transport: c.Transport, CheckRedirect: checkRedirect}, passing: c.Passing, sleep: c.Sleep}
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

// connections is how many are kept for the next request.
const connections = 64

func newTransport(ca string) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = connections
	return t, roots.Trust(t, ca)
}

// Request is what is asked, as often as it takes.
type Request struct {
	Method string
	URL    string
	Header http.Header
	// Body returns the bytes to send, Size of them, from their beginning. nil is none.
	Body func() (io.ReadCloser, error)
	Size int64
}

// EscapePath escapes a path so that all of it is path: a semicolon would begin parameters,
// and some servers read a plus sign as a space.
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

// Bytes returns a body, for [Request].
func Bytes(b []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// Do sends r, and calls use with the answer if its status is 2xx, which closes its
// body. Where reading that fails, it is tried again too. Any other status is a
// [*Refused].
func (c *Client) Do(ctx context.Context, r Request, use func(*http.Response) error) error {
	for tries := 0; ; tries++ {
		err := c.try(ctx, r, use)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if refused, ok := errors.AsType[*Refused](err); ok {
			refused.Tries = tries
		}
		again, ok := errors.AsType[passing](err)
		if !ok || tries >= retries {
			return err
		}
		wait := retryablehttp.DefaultBackoff(shortWait, longWait, tries, again.answer)
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

// Sleep waits as between tries.
func (c *Client) Sleep(ctx context.Context, d time.Duration) error { return c.sleep(ctx, d) }

func (c *Client) try(ctx context.Context, r Request, use func(*http.Response) error) error {
	w := watch(ctx)
	request, sent, err := r.make(w)
	if err != nil {
		w.stop()
		return err
	}
	answer, err := c.http.Do(request)
	if err != nil {
		w.stop()
		if err := sent.failed(); err != nil {
			return err
		}
		return c.unreachable(w.failed(request.URL.Host, err))
	}
	c.met.Store(true)
	w.timer.Stop()
	answer.Body = &received{answer.Body, w, answer.Request.URL.Host}
	if answer.StatusCode/100 != 2 {
		return c.refused(answer)
	}
	return use(answer)
}

// header returns a copy that may be changed.
func (r Request) header() http.Header {
	if r.Header == nil {
		return http.Header{}
	}
	return r.Header.Clone()
}

func (r Request) make(w *watched) (*http.Request, *sent, error) {
	s := &sent{watched: w}
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
	if r.Size == 0 { // with a body the size would be taken as unknown
		defer s.Close()
		_, err := io.Copy(io.Discard, s)
		return request, s, err
	}
	request.Body, request.ContentLength = s, r.Size
	return request, s, nil
}

// maxJSON limits a response that is decoded, in bytes. A list of a million files is
// shorter.
const maxJSON = 256 << 20

// JSON is a use of an answer, for [Client.Do]: it is decoded into v.
func JSON(v any) func(*http.Response) error {
	return func(answer *http.Response) error {
		defer answer.Body.Close()
		if err := json.NewDecoder(io.LimitReader(answer.Body, maxJSON)).Decode(v); err != nil {
			return unreadable(answer.Request.URL.Host, err)
		}
		return nil
	}
}

// unreadable returns why a response was not decoded.
func unreadable(host string, err error) error {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, kind := errors.AsType[*json.UnmarshalTypeError](err)
	if syntax || kind {
		return fmt.Errorf("the response of %s is not the JSON that its API sends; is the address right?", host)
	}
	return fmt.Errorf("the response of %s cannot be read: %w", host, wording.Error(err))
}

// Done is a use of an answer that says nothing.
func Done(answer *http.Response) error {
	defer answer.Body.Close()
	_, err := io.Copy(io.Discard, io.LimitReader(answer.Body, maxRefusal)) // so that the connection is used again
	return err
}
