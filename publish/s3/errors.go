package s3

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"galbuild/publish"
)

// code returns what the server calls the error, or nothing.
func code(err error) string {
	e, _ := errors.AsType[minio.ErrorResponse](err)
	return e.Code
}

// isMissing also tells of an answer without a body, which minio-go calls so.
func isMissing(err error) bool { return code(err) == minio.NoSuchKey }

func isUnsupported(err error) bool {
	e, ok := errors.AsType[minio.ErrorResponse](err)
	return ok && (e.StatusCode == http.StatusNotImplemented || e.Code == minio.NotImplemented || e.StatusCode == http.StatusMethodNotAllowed)
}

// isProxyLogin tells of what [net/http] has no error of its own for.
func isProxyLogin(err error) bool {
	return strings.Contains(err.Error(), http.StatusText(http.StatusProxyAuthRequired))
}

const noSuchUpload = "NoSuchUpload"

// failed returns what is told of err.
func (t *Target) failed(doing, key string, err error) error {
	switch {
	case isMissing(err):
		return fmt.Errorf("%s %s in %s: %w", doing, key, t, publish.ErrNotExist)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s %s in %s: %w", doing, key, t, err)
	}
	hint := t.hint(err)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // the address is named already
	}
	if hint != "" {
		return fmt.Errorf("%s %s in %s: %w (%s)", doing, key, t, err, hint)
	}
	return fmt.Errorf("%s %s in %s: %w", doing, key, t, err)
}

// hint returns the way out, if one is known.
func (t *Target) hint(err error) string {
	if e, ok := errors.AsType[minio.ErrorResponse](err); ok {
		return t.hintAnswer(e)
	}
	unknown := &x509.UnknownAuthorityError{}
	wrong := &x509.HostnameError{}
	dns := &net.DNSError{}
	op := &net.OpError{}
	switch {
	case errors.As(err, new(errCredentials)):
		return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile in AWS_PROFILE"
	case errors.As(err, unknown):
		return fmt.Sprintf("give the certificate of who signs for %s as CA file", t.host)
	case errors.As(err, wrong) && strings.Contains(t.bucket, "."):
		return "a bucket with dots in its name needs the path style over https"
	case errors.Is(err, http.ErrSchemeMismatch):
		return fmt.Sprintf("it does not speak TLS: write the endpoint as http://%s", t.host)
	case isProxyLogin(err):
		return "the proxy wants credentials: give them in the proxy variable, as http://user:password@proxy:port"
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("there is no host %s: check endpoint and region, or use the path style", dns.Name)
	case errors.As(err, &op) && op.Op == "dial":
		return "check the endpoint, and HTTPS_PROXY and NO_PROXY where there is a proxy"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	return ""
}

// hintAnswer is hint for what the server says.
func (t *Target) hintAnswer(e minio.ErrorResponse) string {
	said := e.Code
	if e.StatusCode != 0 {
		said = fmt.Sprintf("%d %s", e.StatusCode, e.Code)
	}
	way := ""
	switch e.Code {
	case minio.NoSuchBucket:
		way = fmt.Sprintf("bucket %s is not at %s: make it, or check bucket, endpoint and region", t.bucket, t.host)
	case "InvalidAccessKeyId", "InvalidTokenId", "InvalidToken":
		way = "the server does not know the access key: check which credentials are used, and that they are for this server"
	case "SignatureDoesNotMatch":
		way = "check the secret key, and the region; a proxy in front must keep the Host header"
	case "RequestTimeTooSkewed":
		way = fmt.Sprintf("set this machine's clock, which says %s", time.Now().UTC().Format(time.RFC3339))
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "IllegalLocationConstraintException":
		way = "give the region and the endpoint of the bucket"
		if e.Region != "" {
			way = "the region of the bucket is " + e.Region
		}
	case "SecondLevelDomainForbidden":
		way = "it takes the virtual-host style only"
	default:
		way = t.hintStatus(e.StatusCode)
	}
	if way == "" {
		return said
	}
	return said + "; " + way
}

func (t *Target) hintStatus(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "the credentials are not accepted"
	case http.StatusForbidden:
		return fmt.Sprintf("the credentials need s3:ListBucket on %s, and s3:GetObject, s3:PutObject and s3:DeleteObject on its objects", t.bucket)
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return "the server cannot do this"
	}
	return ""
}
