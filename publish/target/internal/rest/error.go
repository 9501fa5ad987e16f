package rest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/hashicorp/go-retryablehttp"

	"galbuild/build/roots"
)

// StatusError is a response whose status is not 2xx.
type StatusError struct {
	Host   string
	Status int
	Body   []byte // its first 64 KiB
	// Attempts is how many attempts failed before. The server may have processed each of them.
	Attempts int
}

// Error implements error.
func (r *StatusError) Error() string {
	switch r.Status {
	case http.StatusProxyAuthRequired:
		return "the proxy wants credentials; give them in the proxy variable, as http://user:password@proxy:port"
	case http.StatusRequestEntityTooLarge:
		return fmt.Sprintf("%s does not accept bodies of this size; raise the limit of the proxy in front of it (%s)", r.Host, r.text())
	}
	return fmt.Sprintf("%s refused the request (%s)", r.Host, r.text())
}

func (r *StatusError) text() string { return fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status)) }

// IsStatus reports whether err is a [*StatusError] with that status.
func IsStatus(err error, status int) bool {
	e, ok := errors.AsType[*StatusError](err)
	return ok && e.Status == status
}

// temporary is an error that may not occur again when the request is repeated.
type temporary struct {
	error
	response *http.Response // for its Retry-After; nil if there was no response
	dial     bool           // whether no server could be connected to
}

func (p temporary) Unwrap() error { return p.error }

func (c *Client) statusError(response *http.Response) error {
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	if err != nil {
		return err
	}
	status := &StatusError{Host: response.Request.URL.Host, Status: response.StatusCode, Body: body}
	again, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), response, nil)
	if again || c.temporary != nil && c.temporary(status) {
		return temporary{error: status, response: response}
	}
	return status
}

// errRedirect says why a redirect is not followed. It is not retried.
type errRedirect string

func (e errRedirect) Error() string { return string(e) }

const maxRedirects = 10

// checkRedirect allows redirects, but not from https to http. Package net/http does not send
// credentials on to another host.
func checkRedirect(next *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return errRedirect(fmt.Sprintf("%s redirects more than %d times", via[0].URL.Host, maxRedirects))
	case via[len(via)-1].URL.Scheme == "https" && next.URL.Scheme != "https":
		return errRedirect(fmt.Sprintf("%s redirects from https to http, which is not followed", via[0].URL.Host))
	}
	return nil
}

// failed returns the error of a request without a complete response, with a hint.
func (w *watcher) failed(host string, err error) error {
	if e, ok := errors.AsType[errRedirect](err); ok {
		return e
	}
	again, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), nil, err)
	dial, ok := errors.AsType[*net.OpError](err)
	isDial := ok && (dial.Op == "dial" || dial.Op == "proxyconnect")
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	err = fmt.Errorf("%s: %w", host, explain(err))
	if context.Cause(w.ctx) == errStalled {
		err = fmt.Errorf("%s: %w", host, errStalled)
	}
	if again {
		return temporary{error: err, dial: isDial}
	}
	return err
}

// unreachable makes err permanent if no connection could be established yet: the address is
// more likely mistyped than the server down.
func (c *Client) unreachable(err error) error {
	again, ok := errors.AsType[temporary](err)
	if ok && again.dial && !c.reached.Load() {
		return again.error
	}
	return err
}

// explain returns err with a hint at its likely cause.
func explain(err error) error {
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return fmt.Errorf("there is no host %q; behind a proxy, set HTTPS_PROXY", e.Name)
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return fmt.Errorf("%w; is the clock of this machine right?", err)
	}
	if roots.IsUnknown(err) {
		return fmt.Errorf("%w; %s", err, roots.Hint)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fmt.Errorf("%w; is it http:// rather than https://?", err)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the connection was closed")
	}
	return err
}
