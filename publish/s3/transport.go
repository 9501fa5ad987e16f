package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"galbuild/build/roots"
)

// baseTransport returns the transport for all requests.
func (c *Config) baseTransport() (http.RoundTripper, error) {
	if c.Transport != nil {
		return c.Transport, nil
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = proxy
	t.DisableCompression = true // bytes are to arrive as they are kept
	t.MaxIdleConnsPerHost = 64
	t.ResponseHeaderTimeout = 5 * time.Minute // the server may copy a gigabyte first
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	return t, roots.Trust(t, c.CAFile)
}

// errTLS is the error of a server that closes connections without TLS.
var errTLS = errors.New("the server speaks TLS only")

// isTLS reports whether a server that did not respond over http accepts a TLS handshake.
func isTLS(ctx context.Context, host string) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	// Nothing is sent, so it does not matter who is there.
	c, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(ctx, "tcp", host)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// proxy is that of the environment, except for metadata services, which only the
// machine itself can ask.
func proxy(r *http.Request) (*url.URL, error) {
	if ip := net.ParseIP(r.URL.Hostname()); ip != nil && ip.IsLinkLocalUnicast() {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}

// A listening transport passes responses through [normalize], and keeps the last one for
// the caller that asked for it with [heard].
type listening struct {
	base      http.RoundTripper
	readsOnly *chain // if these credentials are not found, writes are not sent
}

// RoundTrip implements [http.RoundTripper].
func (l *listening) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := l.mayWrite(r); err != nil {
		return nil, err
	}
	answer, err := l.base.RoundTrip(r)
	if last, ok := r.Context().Value(answerKey{}).(**http.Response); ok {
		*last = answer
	}
	if err != nil {
		return answer, err
	}
	if err := normalize(r, answer); err != nil {
		answer.Body.Close()
		return nil, err
	}
	return answer, nil
}

// mayWrite refuses a write without credentials. Reading a public bucket needs none.
func (l *listening) mayWrite(r *http.Request) error {
	if l.readsOnly == nil || r.Method == http.MethodGet || r.Method == http.MethodHead || r.Header.Get("Authorization") != "" {
		return nil
	}
	if r.Body != nil {
		r.Body.Close()
	}
	return errCredentials(l.readsOnly.missing())
}

type answerKey struct{}

// heard returns a context whose requests leave their last answer in last.
func heard(ctx context.Context, last **http.Response) context.Context {
	return context.WithValue(ctx, answerKey{}, last)
}
