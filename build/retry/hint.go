package retry

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
	"strings"

	"github.com/hashicorp/go-retryablehttp"

	"galbuild/build/cacert"
)

// ProxyLogin is the hint for status 407.
const ProxyLogin = "write the credentials of the proxy into its variable: http://user:password@proxy:port"

// explain returns the error of a request that has no complete response. It removes the URL, adds a
// hint, and marks the error if it may not occur again.
func (w *watcher) explain(err error) error {
	if e, ok := errors.AsType[errRedirect](err); ok {
		return e
	}
	if context.Cause(w.ctx) == errStalled {
		return Temporary(fmt.Errorf("%w for %s", errStalled, w.timeout), nil)
	}
	isTemporary := IsTemporaryTransport(err)
	hint := Hint(err)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		err = fmt.Errorf("there is no host %q", e.Name)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the connection was closed")
	}
	if hint != "" {
		err = fmt.Errorf("%w; %s", err, hint)
	}
	if isTemporary {
		return Temporary(err, nil)
	}
	return err
}

// IsTemporaryTransport reports whether the error of a transport may not occur again when the
// request is repeated, if a connection could be established before.
func IsTemporaryTransport(err error) bool {
	retried, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), nil, err)
	return retried && !IsPlain(err) && !errors.As(err, new(errProxy)) && !errors.As(err, new(errRedirect))
}

// IsPlain reports whether a TLS handshake got a response in plain text.
func IsPlain(err error) bool {
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, new(tls.RecordHeaderError))
}

// Hint returns a hint at the likely cause of the error of a request, or "" if there is none.
func Hint(err error) string {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return "is the clock of this machine right?"
	}
	if e, ok := errors.AsType[errProxy](err); ok && e == http.StatusProxyAuthRequired {
		return ProxyLogin
	}
	op, isOp := errors.AsType[*net.OpError](err)
	name, isName := errors.AsType[*net.DNSError](err)
	switch {
	case isOp && op.Op == "proxyconnect":
		return fmt.Sprintf("the proxy in %s cannot be reached: correct the variable, "+
			"or name the host in NO_PROXY", proxyVariable(err))
	case isName && name.IsNotFound:
		return "behind a proxy, set " + proxyVariable(err)
	case cacert.IsUnknown(err):
		return cacert.Hint
	case IsPlain(err):
		return "is it http:// rather than https://?"
	}
	return ""
}

// proxyVariable returns the name of the variable with the proxy for the request that failed.
func proxyVariable(err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok && strings.HasPrefix(e.URL, "http:") {
		return "HTTP_PROXY"
	}
	return "HTTPS_PROXY"
}
