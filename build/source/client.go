package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"galbuild/build/roots"
)

// maxRedirects is how many redirects in a row are followed.
const maxRedirects = 10

// NewClient returns a client that uses the proxy variables. If a file of PEM certificates
// is named, the client trusts these in addition to the system's.
func NewClient(ca string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &http.Client{Transport: transport}, roots.Trust(transport, ca)
}

// errRedirect is why a redirect is not followed. Asking again would not help.
type errRedirect string

func (e errRedirect) Error() string { return string(e) }

// checkRedirect follows redirects, but not from https to http, and does not take
// credentials to another host.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first, last := via[0], via[len(via)-1]
	switch {
	case len(via) > maxRedirects:
		return errRedirect(fmt.Sprintf("%s redirects more than %d times", first.URL.Host, maxRedirects))
	case last.URL.Scheme == "https" && next.URL.Scheme != "https":
		return errRedirect(fmt.Sprintf("%s redirects from https to http, which is not followed", last.URL.Host))
	case next.URL.Host != first.URL.Host:
		next.Header.Del("Authorization")
	}
	return nil
}

// stallAfter is how long a server may be silent.
const stallAfter = time.Minute

var errStalled = fmt.Errorf("nothing came for %s", stallAfter)

// watch returns a context that ends when heard was not called for a while.
func watch(ctx context.Context, stallTimeout time.Duration) (watched context.Context, received, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(stallTimeout, func() { cancel(errStalled) })
	return watched, func() { timer.Reset(stallTimeout) }, func() { timer.Stop(); cancel(nil) }
}

// failed returns why there was no response, or why it broke off, without the
// address, which is shown already and may hold secrets.
func transportError(ctx context.Context, err error) error {
	if e, ok := errors.AsType[errRedirect](err); ok {
		return e
	}
	again, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), nil, err)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return fmt.Errorf("there is no host %q", e.Name)
	}
	switch {
	case context.Cause(ctx) == errStalled:
		err = errStalled
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the connection was closed")
	case roots.IsUnknown(err):
		err = fmt.Errorf("%w; %s", err, roots.Hint)
	}
	if again {
		return transient{error: err}
	}
	return err
}

// refused returns what an response without a package means.
func (d *download) statusError(response *http.Response) error {
	host := response.Request.URL.Host
	var err error
	switch response.StatusCode {
	case http.StatusNotFound, http.StatusGone:
		err = fmt.Errorf("%s has no such file", host)
	case http.StatusUnauthorized:
		err = d.unauthorized(host)
	case http.StatusForbidden:
		err = fmt.Errorf("%s does not let it be downloaded", host)
	case http.StatusProxyAuthRequired:
		err = errors.New("the proxy wants credentials; give them in the proxy variable, as http://user:password@proxy:port")
	default:
		err = fmt.Errorf("%s cannot give it", host)
	}
	err = fmt.Errorf("%w (%s)", err, response.Status)
	if again, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), response, nil); again {
		return transient{err, response}
	}
	return err
}

func (d *download) unauthorized(host string) error {
	if d.login == nil {
		return fmt.Errorf("%s wants credentials; write https://user:password@%s/…", host, host)
	}
	return fmt.Errorf("%s does not accept the credentials", host)
}
