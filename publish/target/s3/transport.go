package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/signer"

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

// A prefixing transport sends requests to an S3 API that is below a path of its server. The
// signature covers the path, so requests are signed again.
type prefixing struct {
	base   http.RoundTripper
	prefix string // such as /storage/v1/s3
	keys   *credentials.Credentials
}

// RoundTrip implements [http.RoundTripper].
func (p *prefixing) RoundTrip(r *http.Request) (*http.Response, error) {
	to := r.Clone(r.Context())
	if to.URL.RawPath != "" {
		to.URL.RawPath = (&url.URL{Path: p.prefix}).EscapedPath() + to.URL.RawPath
	}
	to.URL.Path = p.prefix + to.URL.Path
	if scope := credentialScope.FindStringSubmatch(to.Header.Get("Authorization")); scope != nil {
		value, err := p.keys.GetWithContext(&credentials.CredContext{Client: http.DefaultClient, Context: r.Context()})
		if err != nil {
			return nil, err
		}
		to.Header.Del("Authorization")
		to = signer.SignV4(*to, value.AccessKeyID, value.SecretAccessKey, value.SessionToken, scope[1])
	}
	return p.base.RoundTrip(to)
}

// credentialScope finds the region in the Authorization header of a signed request.
var credentialScope = regexp.MustCompile(`Credential=[^,]*/\d{8}/([^/,]*)/s3/aws4_request`)

type answerKey struct{}

// heard returns a context whose requests leave their last answer in last.
func heard(ctx context.Context, last **http.Response) context.Context {
	return context.WithValue(ctx, answerKey{}, last)
}
