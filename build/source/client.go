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

// maxRedirects is the number of successive redirects that are followed.
const maxRedirects = 10

// NewClient returns a client that uses the proxy variables. If ca is not "", it is a file of PEM
// certificates, which the client trusts in addition to the system's.
func NewClient(ca string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &http.Client{Transport: transport}, roots.Trust(transport, ca)
}

// An errRedirect is the reason why a redirect is not followed. Such a request is not retried.
type errRedirect string

func (e errRedirect) Error() string { return string(e) }

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

// stallAfter is the longest time in which a server may send nothing.
const stallAfter = time.Minute

var errStalled = fmt.Errorf("no data was received for %s", stallAfter)

// watch returns a context that ends when received was not called for the time of timeout.
func watch(
	ctx context.Context, timeout time.Duration,
) (watched context.Context, received, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(timeout, func() { cancel(errStalled) })
	return watched, func() { timer.Reset(timeout) }, func() { timer.Stop(); cancel(nil) }
}

// transportError returns an error of a request, or of reading its response, as a message. It
// removes the URL: messages begin with it, and it may contain secrets.
func transportError(ctx context.Context, err error) error {
	if e, ok := errors.AsType[errRedirect](err); ok {
		return e
	}
	retry, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), nil, err)
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
	if retry {
		return transient{error: err}
	}
	return err
}

// statusError returns the error for a response with a status other than 200, 206 and 304.
func (d *download) statusError(response *http.Response) error {
	host := response.Request.URL.Host
	var err error
	switch response.StatusCode {
	case http.StatusNotFound, http.StatusGone:
		err = fmt.Errorf("there is no such file on %s", host)
	case http.StatusUnauthorized:
		err = d.unauthorized(host)
	case http.StatusForbidden:
		err = fmt.Errorf("%s does not allow the download", host)
	case http.StatusProxyAuthRequired:
		err = errors.New("the proxy requires credentials; " +
			"write them into the proxy variable: http://user:password@proxy:port")
	default:
		err = fmt.Errorf("%s did not send the package", host)
	}
	err = fmt.Errorf("%w (%s)", err, response.Status)
	retry, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), response, nil)
	if retry {
		return transient{err, response}
	}
	return err
}

func (d *download) unauthorized(host string) error {
	if d.login == nil {
		return fmt.Errorf("%s requires credentials; write https://user:password@%s/…", host, host)
	}
	return fmt.Errorf("%s does not accept the credentials", host)
}
