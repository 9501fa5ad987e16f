package bucket

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"galbuild/build/retry"
)

// baseTransport returns the transport for all requests.
func (c *Config) baseTransport() (http.RoundTripper, error) {
	if c.Transport != nil {
		return retry.WithStall(c.Transport, c.Stall), nil
	}
	t, err := retry.NewTransport(c.CAFile)
	if err != nil {
		return nil, err
	}
	t.Proxy = proxy
	t.DisableCompression = true               // receive objects as they are stored
	t.ResponseHeaderTimeout = 5 * time.Minute // the server may copy a gigabyte first
	return retry.WithStall(t, c.Stall), nil
}

// errTLS is the error of a server that closes connections without TLS.
var errTLS = errors.New("the server speaks TLS only")

// isTLS reports whether a server that did not respond over http accepts a TLS handshake.
func isTLS(ctx context.Context, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// Nothing is sent, so the server need not be authenticated.
	c, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(ctx, "tcp", host)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// proxy returns the proxy from the environment. It returns none for metadata services, which are
// reachable only from the machine itself.
func proxy(r *http.Request) (*url.URL, error) {
	if ip := net.ParseIP(r.URL.Hostname()); ip != nil && ip.IsLinkLocalUnicast() {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

// A recorder is a transport that passes responses through [normalize], and records the last one
// for contexts of [recordResponse].
type recorder struct {
	base      http.RoundTripper
	readsOnly *chain // if these credentials are not found, writes are not sent
}

// RoundTrip implements [http.RoundTripper].
func (l *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := l.mayWrite(r); err != nil {
		return nil, err
	}
	response, err := l.base.RoundTrip(r)
	if last, ok := r.Context().Value(responseKey{}).(**http.Response); ok {
		*last = response
	}
	if err != nil {
		return response, err
	}
	if err := normalize(r, response); err != nil {
		response.Body.Close()
		return nil, err
	}
	return response, nil
}

// mayWrite refuses a write without credentials. Reading a public bucket needs none.
func (l *recorder) mayWrite(r *http.Request) error {
	if l.readsOnly == nil || r.Method == http.MethodGet || r.Method == http.MethodHead || r.Header.Get("Authorization") != "" {
		return nil
	}
	if r.Body != nil {
		r.Body.Close()
	}
	return errCredentials(l.readsOnly.missing())
}

type responseKey struct{}

// recordResponse returns a context whose requests store their last response in last.
func recordResponse(ctx context.Context, last **http.Response) context.Context {
	return context.WithValue(ctx, responseKey{}, last)
}
