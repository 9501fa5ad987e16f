// Package rest is an HTTP client for REST APIs. It repeats requests that fail by the rules of
// package retry, and decodes responses.
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
	"time"

	"galbuild/build/errmsg"
	"galbuild/build/retry"
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
	// Temporary reports which error responses are retried, in addition to those that package
	// retry always repeats. nil adds none.
	Temporary func(*StatusError) bool
	// Once sends each request once, and does not continue after a broken connection.
	Once bool
	// Stall is how long no data may be transferred; 0 is the default of package retry.
	Stall time.Duration
	// Agent is the header User-Agent. The default is Go's.
	Agent string
	// Sleep waits between attempts. The default uses the clock.
	Sleep retry.Sleep
}

// Client sends requests. It may be used by several goroutines at once.
type Client struct {
	http      *retry.Client
	temporary func(*StatusError) bool
	once      bool
	agent     string
}

// New returns a client.
func New(c Config) (*Client, error) {
	client, err := retry.New(retry.Config{CA: c.CA, Transport: c.Transport, Stall: c.Stall, Sleep: c.Sleep})
	if err != nil {
		return nil, err
	}
	return &Client{client, c.Temporary, c.Once, c.Agent}, nil
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
	for retries := 0; ; retries++ {
		err := c.try(ctx, r, handle)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if status, ok := errors.AsType[*StatusError](err); ok {
			status.Attempts = retries
		}
		if c.once {
			return err
		}
		pause, err := retry.Pause(retries, err)
		if err != nil {
			return err
		}
		if err := c.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// Sleep waits like the pauses between attempts.
func (c *Client) Sleep(ctx context.Context, d time.Duration) error { return c.http.Sleep(ctx, d) }

// try makes one attempt of Do.
func (c *Client) try(ctx context.Context, r Request, handle func(*http.Response) error) error {
	request, err := r.make(ctx)
	if err != nil {
		return err
	}
	if c.agent != "" {
		request.Header.Set("User-Agent", c.agent)
	}
	response, err := c.http.Send(request)
	if _, unread := errors.AsType[retry.BodyError](err); unread {
		return err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", request.URL.Host, err)
	}
	response.Body = &namedBody{response.Body, response.Request.URL.Host}
	if response.StatusCode/100 != 2 {
		return c.statusError(response)
	}
	return handle(response)
}

// A namedBody is a body whose errors begin with the name of the host.
type namedBody struct {
	io.ReadCloser
	host string
}

func (b *namedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%s: %w", b.host, err)
	}
	return n, err
}

// header returns a copy of the header.
func (r Request) header() http.Header {
	if r.Header == nil {
		return http.Header{}
	}
	return r.Header.Clone()
}

// make returns the request for one attempt.
func (r Request) make(ctx context.Context) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, r.Method, r.URL, nil)
	if err != nil {
		return nil, err
	}
	request.Header = r.header()
	if r.Body == nil {
		return request, nil
	}
	body, err := r.Body()
	if err != nil {
		return nil, err
	}
	if r.Size == 0 { // with a body, 0 would mean an unknown size
		defer body.Close()
		_, err := io.Copy(io.Discard, body)
		return request, err
	}
	request.Body, request.ContentLength = body, r.Size
	return request, nil
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

// decodeError returns an error with the reason why a response of host was not decoded.
func decodeError(host string, err error) error {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, kind := errors.AsType[*json.UnmarshalTypeError](err)
	if syntax || kind {
		return fmt.Errorf("the response of %s is not the JSON that its API sends; is the address right?", host)
	}
	return fmt.Errorf("the response of %s cannot be read: %w", host, errmsg.Error(err))
}

// Discard is a function for [Client.Do] that ignores the response body.
func Discard(response *http.Response) error {
	defer response.Body.Close()
	_, err := io.Copy(io.Discard, io.LimitReader(response.Body, maxErrorBody)) // reading to the end lets the connection be reused
	return err
}
