package bucket

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/xml"
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

	"galbuild/build/retry"
	"galbuild/publish/target"
)

// An Error is an error response.
type Error struct {
	Code, Message string
	Region        string // of the bucket, if the response names it
	StatusCode    int    // of HTTP
}

// Error implements error.
func (e Error) Error() string {
	if e.Message != "" {
		return e.Message
	}
	return fmt.Sprintf("Error response code %s.", e.Code)
}

// Codes of errors that responses without a body have too.
const (
	noSuchKey    = "NoSuchKey"
	noSuchBucket = "NoSuchBucket"
)

// readError returns the error that a response to a GET of an object is. If its body is not the XML
// of an error, as behind a proxy, the status stands for the code.
func readError(response *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, maxError))
	if err != nil {
		return err
	}
	e := Error{StatusCode: response.StatusCode}
	var body struct {
		XMLName               xml.Name `xml:"Error"`
		Code, Message, Region string
	}
	if xml.Unmarshal(text, &body) == nil {
		e.Code, e.Message, e.Region = body.Code, body.Message, strings.TrimSpace(body.Region)
	} else {
		e.Code, e.Message = describeStatus(response)
	}
	if e.Region == "" {
		e.Region = response.Header.Get("X-Amz-Bucket-Region")
	}
	return e
}

// describeStatus returns the code and the message for an error response without either.
func describeStatus(response *http.Response) (code, message string) {
	switch response.StatusCode {
	case http.StatusNotFound:
		return noSuchKey, "The specified key does not exist."
	case http.StatusForbidden:
		return "AccessDenied", "Access Denied."
	case http.StatusPreconditionFailed:
		return preconditionFailed, "At least one of the preconditions you specified did not hold."
	}
	status := cmp.Or(response.Status, fmt.Sprintf("%d %s", response.StatusCode, http.StatusText(response.StatusCode)))
	return status, status
}

// code returns the error code of an error response, or "".
func code(err error) string {
	e, _ := errors.AsType[Error](err)
	return e.Code
}

// isMissing reports whether there is no such object.
func isMissing(err error) bool { return code(err) == noSuchKey }

// isProxyLogin reports whether a proxy requires credentials.
func isProxyLogin(err error) bool {
	return strings.Contains(err.Error(), http.StatusText(http.StatusProxyAuthRequired))
}

// Failed returns err with the operation, the object and a hint. response is the last response, or
// nil. denied returns the hint for a write that is denied although the credentials are valid. It
// may be nil for other operations.
func (b *Bucket) Failed(operation, key string, err error, response *http.Response, denied func(Error) string) error {
	switch {
	case isMissing(err) && isWebPageOf(response):
		return fmt.Errorf("%s %s in %s: %w (404 with a web page; %s)", operation, key, b, target.ErrNotExist, b.hintWebPage(b.Address()))
	case isMissing(err) && operation == "put":
		return fmt.Errorf("%s %s in %s: %w (404; %s)", operation, key, b, target.ErrNotExist, b.hintBucket(b.Address()))
	case isMissing(err):
		return fmt.Errorf("%s %s in %s: %w", operation, key, b, target.ErrNotExist)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s %s in %s: %w", operation, key, b, err)
	}
	hint := b.hint(operation, err, response, denied)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // the address is named already
	}
	if hint != "" {
		return fmt.Errorf("%s %s in %s: %w (%s)", operation, key, b, err, hint)
	}
	return fmt.Errorf("%s %s in %s: %w", operation, key, b, err)
}

// hint returns what the user can do about err, or "".
func (b *Bucket) hint(operation string, err error, response *http.Response, denied func(Error) string) string {
	if e, ok := errors.AsType[Error](err); ok {
		return b.hintResponse(operation, e, response, denied)
	}
	a := b.Address()
	wrong := &x509.HostnameError{}
	dns := &net.DNSError{}
	op := &net.OpError{}
	switch {
	case errors.Is(err, errWebPage):
		return b.hintWebPage(a)
	case errors.Is(err, errTLS):
		return hintTLS(a)
	case errors.As(err, new(errCredentials)):
		return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --s3-profile or in AWS_PROFILE"
	case errors.As(err, wrong) && a.Style == VirtualHost:
		return fmt.Sprintf("the certificate is not valid for %s.%s: use --s3-addressing-style=path", b.config.Bucket, a.Endpoint.Hostname())
	case retry.IsPlain(err):
		return fmt.Sprintf("the server does not speak TLS: write the endpoint as http://%s", a.Endpoint.Host)
	case isProxyLogin(err):
		return retry.ProxyLogin
	case errors.As(err, &dns) && dns.IsNotFound:
		return b.hintName(a, dns.Name)
	case errors.As(err, &op) && op.Op == "dial":
		return "check the endpoint, and HTTPS_PROXY and NO_PROXY where there is a proxy"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	return retry.Hint(err)
}

// hintName returns the hint for a host name that does not exist in DNS.
func (b *Bucket) hintName(a *Address, name string) string {
	if a.Style == VirtualHost && strings.HasPrefix(name, b.config.Bucket+".") {
		return "check bucket, endpoint and region, or use --s3-addressing-style=path, which does not put the bucket into the host name"
	}
	return "check endpoint and region"
}

func (b *Bucket) hintWebPage(a *Address) string {
	return fmt.Sprintf("%s returns web pages, so it is not the address of the S3 API: it may be a console (MinIO's is on port 9001, its API on 9000), a website endpoint, or a proxy's login", a.Endpoint.Host)
}

func hintTLS(a *Address) string {
	return fmt.Sprintf("the server speaks TLS: write the endpoint as https://%s", a.Endpoint.Host)
}

func isWebPageOf(response *http.Response) bool { return response != nil && isWebPage(response.Header) }

// hintResponse returns the hint for an error response, after its status unless the message is that.
func (b *Bucket) hintResponse(operation string, e Error, response *http.Response, denied func(Error) string) string {
	status := e.Code
	if e.StatusCode != 0 && !strings.HasPrefix(status, strconv.Itoa(e.StatusCode)) {
		status = fmt.Sprintf("%d %s", e.StatusCode, e.Code)
	}
	hint := cmp.Or(b.hintCause(e, response), b.hintCode(e), b.hintStatus(operation, e, denied))
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
func (b *Bucket) hintCause(e Error, response *http.Response) string {
	a := b.Address()
	switch {
	case strings.Contains(e.Message, "HTTP request") && strings.Contains(e.Message, "HTTPS"):
		return hintTLS(a)
	case e.StatusCode == http.StatusRequestEntityTooLarge || e.Code == "EntityTooLarge":
		return "the server, or a proxy before it, limits the size of a request: raise the limit to 32 MiB or more (client_max_body_size in nginx)"
	case isWebPageOf(response):
		return b.hintWebPage(a)
	case response == nil:
		return ""
	case e.StatusCode == http.StatusForbidden || e.StatusCode == http.StatusBadRequest:
		if hint := hintClock(response); hint != "" {
			return hint
		}
	}
	if missing := b.chain.missing(); missing != "" && (e.StatusCode == http.StatusForbidden || e.StatusCode == http.StatusUnauthorized) {
		return "no credentials were found, so the request was sent without any: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --s3-profile (" + missing + ")"
	}
	if to := redirectOf(e, response); to != nil {
		return fmt.Sprintf("the server redirects to %s://%s: if that is the right server, give it as the endpoint", to.Scheme, to.Host)
	}
	return ""
}

// maxSkew is the largest allowed difference of clocks. Amazon S3 allows 15 minutes, some servers 5.
const maxSkew = 5 * time.Minute

// hintClock compares this machine's clock with the server's. The hint does not contain the time, so
// that it is the same for each attempt.
func hintClock(response *http.Response) string {
	server, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return ""
	}
	switch ahead := time.Since(server).Round(time.Minute); {
	case ahead > maxSkew:
		return fmt.Sprintf("set this machine's clock, or the server's: this one is %s ahead", ahead)
	case -ahead > maxSkew:
		return fmt.Sprintf("set this machine's clock, or the server's: this one is %s behind", -ahead)
	}
	return ""
}

// hintCode returns the hint for an error code.
func (b *Bucket) hintCode(e Error) string {
	a := b.Address()
	switch e.Code {
	case noSuchBucket:
		return b.hintBucket(a)
	case "InvalidAccessKeyId", "InvalidTokenId", "InvalidToken":
		return "the server does not recognize the access key: check which credentials are used, and that they are for this server; read a public bucket with --no-sign-request"
	case "ExpiredToken":
		return "the session has expired: get new credentials"
	case "SignatureDoesNotMatch":
		return "check the secret key, and the region; a proxy in front must keep the Host header"
	case "RequestTimeTooSkewed":
		return "set this machine's clock, or the server's"
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException":
		if region := regionOf(e); region != "" {
			return "the region of the bucket is " + region
		}
		return "give the region and the endpoint of the bucket"
	case "AccessControlListNotSupported":
		return "the bucket does not accept ACLs: leave out --s3-acl"
	case "InvalidStorageClass":
		return fmt.Sprintf("the server has no storage class %s: leave out --s3-storage-class, or name another", b.config.StorageClass)
	case "InvalidObjectState":
		return "the object is in an archive: restore it, and keep the bucket's lifecycle rules from moving it there"
	}
	if slices.Contains(full, e.Code) || e.StatusCode == http.StatusInsufficientStorage {
		return "there is no space left on the server or in the bucket's quota"
	}
	if needsVirtualHost(e) {
		return b.hintStyle(a)
	}
	return ""
}

func (b *Bucket) hintStyle(a *Address) string {
	if net.ParseIP(a.Endpoint.Hostname()) != nil {
		return fmt.Sprintf("the server accepts only the virtual-host style, https://BUCKET.HOST: give the endpoint as a host name instead of %s, and add --s3-addressing-style=virtual if it still fails", a.Endpoint.Host)
	}
	return "the server accepts only the virtual-host style: use --s3-addressing-style=virtual"
}

// hintOnlyVirtual returns the hint for errors of a server that does not expect the bucket in the
// path.
func (b *Bucket) hintOnlyVirtual(a *Address) string {
	if a.Style == VirtualHost || b.config.Style != Auto || net.ParseIP(a.Endpoint.Hostname()) != nil {
		return ""
	}
	return "; if the server accepts only the virtual-host style, use --s3-addressing-style=virtual"
}

func (b *Bucket) hintBucket(a *Address) string {
	if host, ok := strings.CutPrefix(a.Endpoint.Host, b.config.Bucket+"."); ok {
		return fmt.Sprintf("the endpoint contains the bucket %s already: write it as %s://%s", b.config.Bucket, a.Endpoint.Scheme, host)
	}
	return fmt.Sprintf("there is no bucket %s at %s: create it, or check bucket, endpoint and region%s", b.config.Bucket, a.Endpoint.Host, b.hintOnlyVirtual(a))
}

func (b *Bucket) hintStatus(operation string, e Error, denied func(Error) string) string {
	switch e.StatusCode {
	case http.StatusUnauthorized:
		return "the credentials are not accepted"
	case http.StatusForbidden:
		if denied != nil {
			return denied(e)
		}
		return b.hintDenied(operation, e)
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return "the server does not support this" + b.hintOptions() + b.hintOnlyVirtual(b.Address())
	}
	if e.StatusCode == http.StatusBadRequest {
		return strings.TrimPrefix(b.hintOptions(), ": ")
	}
	return ""
}

// hintOptions names the options in use that other servers than Amazon's may not support.
func (b *Bucket) hintOptions() string {
	c, set := b.config, []string{}
	for flag, is := range map[string]bool{
		"--s3-sse": c.Encryption != "" || c.KMSKey != "" || c.BucketKey, "--s3-storage-class": c.StorageClass != "", "--s3-acl": c.ACL != "",
		"--s3-conditional-writes=yes": c.Conditional == Yes,
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

// HintKMS returns the hint for a denied use of a KMS key, or "".
func HintKMS(e Error) string {
	if strings.Contains(e.Message, "kms:") || strings.HasPrefix(e.Code, "KMS") {
		return "the credentials need kms:GenerateDataKey and kms:Decrypt on the key of --s3-sse-kms-key-id, or of the bucket"
	}
	return ""
}

// HintDeny is the hint for a request that a policy denies.
const HintDeny = "a policy denies the request, whatever the credentials allow; it may require https, or requests from certain addresses"

// IsDeny reports whether a policy denies a request explicitly. Amazon's message states whether one
// does, or none allows it.
func (e Error) IsDeny() bool { return strings.Contains(e.Message, "explicit deny") }

// hintDenied returns the hint for requests that are denied although the credentials are valid: the
// permission that is needed.
func (b *Bucket) hintDenied(operation string, e Error) string {
	switch kms := HintKMS(e); {
	case kms != "":
		return kms
	case e.IsDeny():
		return HintDeny
	case operation == "get":
		return fmt.Sprintf("the credentials need s3:GetObject on the objects of %s, and s3:ListBucket on %[1]s: without it, the server denies access to objects that do not exist", b.config.Bucket)
	case operation == "list":
		return "the credentials need s3:ListBucket on " + b.config.Bucket
	case operation == "delete":
		return "the credentials need s3:DeleteObject on the objects of " + b.config.Bucket
	}
	return ""
}
