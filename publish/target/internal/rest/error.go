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

// Refused is an answer that is not what was asked for.
type Refused struct {
	Host   string
	Status int
	Body   []byte // its beginning
	// Tries is how many tries there were before, each of which may have been heard.
	Tries int
}

// Error implements error.
func (r *Refused) Error() string {
	switch r.Status {
	case http.StatusProxyAuthRequired:
		return "the proxy wants credentials; give them in the proxy variable, as http://user:password@proxy:port"
	case http.StatusRequestEntityTooLarge:
		return fmt.Sprintf("%s does not take that many bytes; raise the limit of the proxy before it (%s)", r.Host, r.text())
	}
	return fmt.Sprintf("%s cannot do it (%s)", r.Host, r.text())
}

func (r *Refused) text() string { return fmt.Sprintf("%d %s", r.Status, http.StatusText(r.Status)) }

// IsStatus tells whether err is a refusal with that status.
func IsStatus(err error, status int) bool {
	refused, ok := errors.AsType[*Refused](err)
	return ok && refused.Status == status
}

// passing is an error that may be gone when the request is repeated.
type passing struct {
	error
	answer *http.Response // if there was one, for its Retry-After
}

func (p passing) Unwrap() error { return p.error }

func (c *Client) refused(answer *http.Response) error {
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxRefusal))
	if err != nil {
		return err
	}
	refused := &Refused{Host: answer.Request.URL.Host, Status: answer.StatusCode, Body: body}
	again, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), answer, nil)
	if again || c.passing != nil && c.passing(refused) {
		return passing{refused, answer}
	}
	return refused
}

// errRedirect is why a redirect is not followed. Asking again would not help.
type errRedirect string

func (e errRedirect) Error() string { return string(e) }

const maxRedirects = 10

// checkRedirect follows redirects, but not from https to http. The library does not
// take credentials to another host.
func checkRedirect(next *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return errRedirect(fmt.Sprintf("%s redirects more than %d times", via[0].URL.Host, maxRedirects))
	case via[len(via)-1].URL.Scheme == "https" && next.URL.Scheme != "https":
		return errRedirect(fmt.Sprintf("%s redirects from https to http, which is not followed", via[0].URL.Host))
	}
	return nil
}

// failed returns why there was no answer, or why it broke off, and the way out.
func (w *watched) failed(host string, err error) error {
	if e, ok := errors.AsType[errRedirect](err); ok {
		return e
	}
	again, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), nil, err)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	err = fmt.Errorf("%s: %w", host, explain(err))
	if context.Cause(w.ctx) == errStalled {
		err = fmt.Errorf("%s: %w", host, errStalled)
	}
	if again {
		return passing{error: err}
	}
	return err
}

// unreachable returns an error that is not tried again if no server could be connected to
// yet: its address is more likely mistyped than the server down.
func (c *Client) unreachable(err error) error {
	again, ok := errors.AsType[passing](err)
	if dial, isDial := errors.AsType[*net.OpError](err); ok && isDial && dial.Op == "dial" && !c.met.Load() {
		return again.error
	}
	return err
}

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
