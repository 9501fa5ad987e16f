package s3

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"galbuild/build/retry"
	"galbuild/publish/target"
)

// code returns the error code of an error response, or "".
func code(err error) string {
	e, _ := errors.AsType[minio.ErrorResponse](err)
	return e.Code
}

// isMissing reports whether there is no such object. minio-go also returns this code for a 404
// without a body.
func isMissing(err error) bool { return code(err) == minio.NoSuchKey }

// isUnsupported reports whether the server does not support a request (405 or 501).
func isUnsupported(err error) bool {
	e, ok := errors.AsType[minio.ErrorResponse](err)
	return ok && (e.StatusCode == http.StatusNotImplemented || e.Code == minio.NotImplemented || e.StatusCode == http.StatusMethodNotAllowed)
}

// isInvalid reports whether the server does not understand a request.
func isInvalid(err error) bool {
	return slices.Contains([]string{minio.InvalidArgument, "InvalidRequest", "MalformedXML", "MalformedPOSTRequest"}, code(err))
}

// isForbidden reports whether a request was refused with 403 or 404. It may succeed in another
// form: some firewalls allow no POST, and some servers respond 404 to requests that they do not
// support.
func isForbidden(err error) bool {
	return status(err) == http.StatusForbidden || status(err) == http.StatusNotFound
}

// isProxyLogin reports whether a proxy requires credentials.
func isProxyLogin(err error) bool {
	return strings.Contains(err.Error(), http.StatusText(http.StatusProxyAuthRequired))
}

// status returns the HTTP status of an error response, or 0.
func status(err error) int {
	e, _ := errors.AsType[minio.ErrorResponse](err)
	return e.StatusCode
}

// failed returns err with the operation, the object and a hint. response is the last
// response, or nil.
func (t *Target) failed(operation, key string, err error, response *http.Response) error {
	switch {
	case isMissing(err) && isWebPageOf(response):
		return fmt.Errorf("%s %s in %s: %w (404 with a web page; %s)", operation, key, t, target.ErrNotExist, t.hintWebPage(t.dialect.Load()))
	case isMissing(err) && operation == "put":
		return fmt.Errorf("%s %s in %s: %w (404; %s)", operation, key, t, target.ErrNotExist, t.hintBucket(t.dialect.Load()))
	case isMissing(err):
		return fmt.Errorf("%s %s in %s: %w", operation, key, t, target.ErrNotExist)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s %s in %s: %w", operation, key, t, err)
	}
	hint := t.hint(operation, err, response)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // the address is named already
	}
	if hint != "" {
		return fmt.Errorf("%s %s in %s: %w (%s)", operation, key, t, err, hint)
	}
	return fmt.Errorf("%s %s in %s: %w", operation, key, t, err)
}

// hint returns what the user can do about err, or "".
func (t *Target) hint(operation string, err error, response *http.Response) string {
	if e, ok := errors.AsType[minio.ErrorResponse](err); ok {
		return t.hintResponse(operation, e, response)
	}
	d := t.dialect.Load()
	wrong := &x509.HostnameError{}
	dns := &net.DNSError{}
	op := &net.OpError{}
	switch {
	case errors.Is(err, errWebPage):
		return t.hintWebPage(d)
	case errors.Is(err, errTLS):
		return hintTLS(d)
	case errors.As(err, new(errCredentials)):
		return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --s3-profile or in AWS_PROFILE"
	case errors.As(err, wrong) && d.style == VirtualHost:
		return fmt.Sprintf("the certificate is not valid for %s.%s: use --s3-addressing-style=path", t.bucket, d.endpoint.Hostname())
	case retry.IsPlain(err):
		return fmt.Sprintf("the server does not speak TLS: write the endpoint as http://%s", d.endpoint.Host)
	case isProxyLogin(err):
		return retry.ProxyLogin
	case errors.As(err, &dns) && dns.IsNotFound:
		return t.hintName(d, dns.Name)
	case errors.As(err, &op) && op.Op == "dial":
		return "check the endpoint, and HTTPS_PROXY and NO_PROXY where there is a proxy"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	return retry.Hint(err)
}

// hintName returns the hint for a host name that does not exist in DNS.
func (t *Target) hintName(d *dialect, name string) string {
	if d.style == VirtualHost && strings.HasPrefix(name, t.bucket+".") {
		return "check bucket, endpoint and region, or use --s3-addressing-style=path, which does not put the bucket into the host name"
	}
	return "check endpoint and region"
}

func (t *Target) hintWebPage(d *dialect) string {
	return fmt.Sprintf("%s returns web pages, so it is not the address of the S3 API: it may be a console (MinIO's is on port 9001, its API on 9000), a website endpoint, or a proxy's login", d.endpoint.Host)
}

func hintTLS(d *dialect) string {
	return fmt.Sprintf("the server speaks TLS: write the endpoint as https://%s", d.endpoint.Host)
}

func isWebPageOf(response *http.Response) bool { return response != nil && isWebPage(response.Header) }

// hintResponse returns the hint for an error response, after its status unless the message is that.
func (t *Target) hintResponse(operation string, e minio.ErrorResponse, response *http.Response) string {
	status := e.Code
	if e.StatusCode != 0 && !strings.HasPrefix(status, strconv.Itoa(e.StatusCode)) {
		status = fmt.Sprintf("%d %s", e.StatusCode, e.Code)
	}
	hint := cmp.Or(t.hintCause(e, response), t.hintCode(e), t.hintStatus(operation, e))
	switch {
	case strings.HasPrefix(e.Message, status):
		return hint
	case hint == "":
		return status
	}
	return status + "; " + hint
}

// hintCause returns the hint for causes that appear under many error codes: the wrong port
// or clock, no credentials, a redirect that is not followed.
func (t *Target) hintCause(e minio.ErrorResponse, response *http.Response) string {
	d := t.dialect.Load()
	switch {
	case strings.Contains(e.Message, "HTTP request") && strings.Contains(e.Message, "HTTPS"):
		return hintTLS(d)
	case e.StatusCode == http.StatusRequestEntityTooLarge || e.Code == "EntityTooLarge":
		return "the server, or a proxy before it, limits the size of a request: raise the limit to 32 MiB or more (client_max_body_size in nginx)"
	case isWebPageOf(response):
		return t.hintWebPage(d)
	case response == nil:
		return ""
	case e.StatusCode == http.StatusForbidden || e.StatusCode == http.StatusBadRequest:
		if hint := hintClock(response); hint != "" {
			return hint
		}
	}
	if missing := t.chain.missing(); missing != "" && (e.StatusCode == http.StatusForbidden || e.StatusCode == http.StatusUnauthorized) {
		return "no credentials were found, so the request was sent without any: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --s3-profile (" + missing + ")"
	}
	if to := redirectOf(e, response); to != nil {
		return fmt.Sprintf("the server redirects to %s://%s: if that is the right server, give it as the endpoint", to.Scheme, to.Host)
	}
	return ""
}

// maxSkew is the largest allowed difference of clocks. Amazon S3 allows 15 minutes, some servers 5.
const maxSkew = 5 * time.Minute

// hintClock compares this machine's clock with the server's.
func hintClock(response *http.Response) string {
	server, err := http.ParseTime(response.Header.Get("Date"))
	if now := time.Now(); err == nil && now.Sub(server).Abs() > maxSkew {
		return fmt.Sprintf("set this machine's clock, which is at %s, or the server's, which is at %s", now.UTC().Format(time.RFC3339), server.UTC().Format(time.RFC3339))
	}
	return ""
}

// hintCode returns the hint for an error code.
func (t *Target) hintCode(e minio.ErrorResponse) string {
	d := t.dialect.Load()
	switch e.Code {
	case minio.NoSuchBucket:
		return t.hintBucket(d)
	case "InvalidAccessKeyId", "InvalidTokenId", "InvalidToken":
		return "the server does not recognize the access key: check which credentials are used, and that they are for this server; read a public bucket with --no-sign-request"
	case "ExpiredToken":
		return "the session has expired: get new credentials"
	case "SignatureDoesNotMatch":
		return "check the secret key, and the region; a proxy in front must keep the Host header"
	case "RequestTimeTooSkewed":
		return fmt.Sprintf("set this machine's clock, which is at %s", time.Now().UTC().Format(time.RFC3339))
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException":
		if region := regionOf(e); region != "" {
			return "the region of the bucket is " + region
		}
		return "give the region and the endpoint of the bucket"
	case "AccessControlListNotSupported":
		return "the bucket does not accept ACLs: leave out --s3-acl"
	case "InvalidStorageClass":
		return fmt.Sprintf("the server has no storage class %s: leave out --s3-storage-class, or name another", t.headers.class)
	case "InvalidObjectState":
		return "the object is in an archive: restore it, and keep the bucket's lifecycle rules from moving it there"
	}
	if slices.Contains(full, e.Code) || e.StatusCode == http.StatusInsufficientStorage {
		return "there is no space left on the server or in the bucket's quota"
	}
	if needsVirtualHost(e) {
		return t.hintStyle(d)
	}
	return ""
}

func (t *Target) hintStyle(d *dialect) string {
	if net.ParseIP(d.endpoint.Hostname()) != nil {
		return fmt.Sprintf("the server accepts only the virtual-host style, https://BUCKET.HOST: give the endpoint as a host name instead of %s, and add --s3-addressing-style=virtual if it still fails", d.endpoint.Host)
	}
	return "the server accepts only the virtual-host style: use --s3-addressing-style=virtual"
}

// hintOnlyVirtual returns the hint for errors of a server that does not expect the bucket in the
// path.
func (t *Target) hintOnlyVirtual(d *dialect) string {
	if d.style == VirtualHost || !t.autoStyle || net.ParseIP(d.endpoint.Hostname()) != nil {
		return ""
	}
	return "; if the server accepts only the virtual-host style, use --s3-addressing-style=virtual"
}

func (t *Target) hintBucket(d *dialect) string {
	if host, ok := strings.CutPrefix(d.endpoint.Host, t.bucket+"."); ok {
		return fmt.Sprintf("the endpoint contains the bucket %s already: write it as %s://%s", t.bucket, d.endpoint.Scheme, host)
	}
	return fmt.Sprintf("there is no bucket %s at %s: create it, or check bucket, endpoint and region%s", t.bucket, d.endpoint.Host, t.hintOnlyVirtual(d))
}

func (t *Target) hintStatus(operation string, e minio.ErrorResponse) string {
	switch e.StatusCode {
	case http.StatusUnauthorized:
		return "the credentials are not accepted"
	case http.StatusForbidden:
		return t.hintDenied(operation, e)
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return "the server does not support this" + t.hintOptions() + t.hintOnlyVirtual(t.dialect.Load())
	}
	if e.StatusCode == http.StatusBadRequest {
		return strings.TrimPrefix(t.hintOptions(), ": ")
	}
	return ""
}

// hintOptions names the options in use that other servers than Amazon's may not support.
func (t *Target) hintOptions() string {
	h, set := t.headers, []string{}
	for flag, is := range map[string]bool{
		"--s3-sse": t.headers.isSet(), "--s3-storage-class": h.class != "", "--s3-acl": h.acl != "", "--s3-conditional-writes=yes": t.conditional,
	} {
		if is {
			set = append(set, flag)
		}
	}
	if len(set) == 0 {
		return ""
	}
	slices.Sort(set)
	return ": try it without " + strings.Join(set, ", ")
}

// hintDenied returns the hint for requests that are denied although the credentials are
// valid: the permission that is needed, and what a policy may require. Amazon's message
// states whether a policy denies the request or none allows it.
func (t *Target) hintDenied(operation string, e minio.ErrorResponse) string {
	isDeny := strings.Contains(e.Message, "explicit deny")
	switch {
	case strings.Contains(e.Message, "kms:") || strings.HasPrefix(e.Code, "KMS"):
		return "the credentials need kms:GenerateDataKey and kms:Decrypt on the key of --s3-sse-kms-key-id, or of the bucket"
	case isWrite(operation) && isDeny:
		return "a policy denies the write, whatever the credentials allow; it may require " + t.hintPolicy()
	case isDeny:
		return "a policy denies the request, whatever the credentials allow; it may require https, or requests from certain addresses"
	}
	needs := map[string]string{
		"get":    fmt.Sprintf("s3:GetObject on the objects of %s, and s3:ListBucket on %[1]s: without it, the server denies access to objects that do not exist", t.bucket),
		"list":   "s3:ListBucket on " + t.bucket,
		"delete": "s3:DeleteObject on the objects of " + t.bucket,
	}
	if need, ok := needs[operation]; ok {
		return "the credentials need " + need
	}
	if strings.Contains(e.Message, "identity-based policy allows") {
		return "the credentials need s3:PutObject on the objects of " + t.bucket
	}
	return fmt.Sprintf("the credentials need s3:PutObject on the objects of %s; or the bucket's policy requires something else: %s", t.bucket, t.hintPolicy())
}

// hintPolicy returns what a bucket policy may require of a write.
func (t *Target) hintPolicy() string {
	d := t.dialect.Load()
	hint := "another encryption (--s3-sse, --s3-sse-kms-key-id)"
	switch {
	case d.encrypted:
		hint = "encryption with a KMS key (--s3-sse=aws:kms, --s3-sse-kms-key-id; AES256 was tried)"
	case !d.encryption.isSet():
		hint = "encryption (--s3-sse)"
	}
	hint += ", an ACL (--s3-acl=bucket-owner-full-control)"
	if d.endpoint.Scheme == "http" {
		hint += ", or https"
	}
	return hint
}
