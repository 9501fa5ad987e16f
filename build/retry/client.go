package retry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"galbuild/build/cacert"
)

// Config has the settings of a [Client]. The zero value works.
type Config struct {
	// CA is a file of PEM certificates that are trusted in addition to the system's.
	CA string
	// Transport sends the requests. nil is that of [NewTransport].
	Transport http.RoundTripper
	// Stall is how long no data may be transferred; 0 is two minutes.
	Stall time.Duration
	// Sleep waits between attempts. nil is [Wait].
	Sleep Sleep
}

// Client sends requests. It may be used by several goroutines at once.
type Client struct {
	http    *http.Client
	stall   time.Duration
	sleep   Sleep
	reached sync.Map // hosts that have responded
	failing sync.Map // hosts for which [Client.Pause] has ended the attempts
}

// New returns a client.
func New(c Config) (*Client, error) {
	if c.Transport == nil {
		transport, err := NewTransport(c.CA)
		if err != nil {
			return nil, err
		}
		c.Transport = transport
	}
	client := &Client{
		http:  &http.Client{Transport: c.Transport, CheckRedirect: checkRedirect},
		stall: cmp.Or(c.Stall, stallTimeout), sleep: c.Sleep,
	}
	if client.sleep == nil {
		client.sleep = Wait
	}
	return client, nil
}

// maxIdle is how many idle connections to a host are kept open.
const maxIdle = 64

// NewTransport returns a transport that uses the variables HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
// If ca is not "", it is a file of PEM certificates that are trusted in addition to the system's.
func NewTransport(ca string) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = maxIdle
	t.OnProxyConnectResponse = checkProxy
	return t, cacert.Trust(t, ca)
}

// Pause is [Pause] for a request to a host. Once all attempts of a request have failed, other
// requests to the host are not repeated, until [Client.Succeeded]: a run that needs a thousand of
// them must not try each for minutes.
func (c *Client) Pause(host string, retries int, err error) (time.Duration, error) {
	if _, failing := c.failing.Load(host); failing {
		return 0, err
	}
	pause, final := Pause(retries, err)
	if final != nil && IsTemporary(err) {
		c.failing.Store(host, true)
	}
	return pause, final
}

// Succeeded notes that a host has served a request.
func (c *Client) Succeeded(host string) { c.failing.Delete(host) }

// Sleep waits for a pause between attempts.
func (c *Client) Sleep(ctx context.Context, d time.Duration) error { return c.sleep(ctx, d) }

// Send sends a request once. Its error, and an error of reading the body of the response, is marked
// with [Temporary] if it may not occur again. A response is not an error, whatever its status; see
// [IsTemporaryStatus].
//
// If the body of the request cannot be read, the error is a [BodyError], which is not temporary.
func (c *Client) Send(request *http.Request) (*http.Response, error) {
	w := watch(request.Context(), c.stall)
	body := &requestBody{ReadCloser: request.Body, watcher: w}
	request = request.WithContext(w.ctx)
	if request.Body != nil && request.Body != http.NoBody {
		request.Body = body
	}
	response, err := c.http.Do(request)
	if err != nil {
		w.stop()
		if err := body.failed(); err != nil {
			return nil, BodyError{err}
		}
		return nil, c.unreachable(request.URL.Host, err, w.explain(err))
	}
	c.reached.Store(request.URL.Host, true)
	w.timer.Stop()
	response.Body = &responseBody{response.Body, w}
	return response, nil
}

// A BodyError is the error of reading the body of a request that is being sent.
type BodyError struct{ error }

// Unwrap returns the error of the body.
func (e BodyError) Unwrap() error { return e.error }

// unreachable returns the explained error of a request, without its mark if no connection could be
// established and the host has never responded.
func (c *Client) unreachable(host string, err, explained error) error {
	marked, ok := errors.AsType[temporary](explained)
	if _, reached := c.reached.Load(host); ok && !reached && IsDial(err) {
		return marked.error
	}
	return explained
}

// IsDial reports whether no connection to the server or the proxy could be established.
func IsDial(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && (e.Op == "dial" || e.Op == "proxyconnect")
}

// An errRedirect is the reason why a redirect is not followed. It is not retried.
type errRedirect string

func (e errRedirect) Error() string { return string(e) }

// maxRedirects is the number of successive redirects that are followed.
const maxRedirects = 10

// checkRedirect refuses redirects from https to http, and removes the credentials if another host
// follows.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first, last := via[0], via[len(via)-1]
	switch {
	case len(via) > maxRedirects:
		return errRedirect(fmt.Sprintf("%s redirects more than %d times", first.URL.Host, maxRedirects))
	case last.URL.Scheme == "https" && next.URL.Scheme != "https":
		return errRedirect(last.URL.Host + " redirects from https to http, which is not followed")
	case next.URL.Host != first.URL.Host:
		next.Header.Del("Authorization")
	}
	return nil
}

// An errProxy is the status with which a proxy refuses to connect to a server. It is not retried.
type errProxy int

func (e errProxy) Error() string {
	return fmt.Sprintf("the proxy refuses the connection (%d %s)", int(e), http.StatusText(int(e)))
}

// checkProxy returns an errProxy if a proxy refuses to connect to a server. It returns nil for
// statuses that are retried; net/http makes an error of them.
func checkProxy(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode/100 == 2 || IsTemporaryStatus(response) {
		return nil
	}
	return errProxy(response.StatusCode)
}
