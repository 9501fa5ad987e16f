package s3

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"

	"galbuild/publish/target/s3/bucket"
)

// Codes of error responses.
const (
	accessDenied       = minio.AccessDenied
	preconditionFailed = minio.PreconditionFailed
)

// responseOf returns the error response in err, or the zero value.
func responseOf(err error) bucket.Error {
	e, _ := errors.AsType[bucket.Error](convert(err))
	return e
}

// code returns the error code of an error response, or "".
func code(err error) string { return responseOf(err).Code }

// status returns the HTTP status of an error response, or 0.
func status(err error) int { return responseOf(err).StatusCode }

// isMissing reports whether there is no such object. minio-go also returns this code for a 404
// without a body.
func isMissing(err error) bool { return code(err) == minio.NoSuchKey }

// isUnsupported reports whether the server does not support a request (405 or 501).
func isUnsupported(err error) bool {
	return status(err) == http.StatusNotImplemented || code(err) == minio.NotImplemented || status(err) == http.StatusMethodNotAllowed
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

// failed returns err with the operation, the object and a hint.
func (t *Target) failed(operation, key string, err error) error {
	return t.Failed(operation, key, err, nil, t.denied(operation))
}

// denied returns the function that explains a denied operation, or nil if package bucket does.
func (t *Target) denied(operation string) func(bucket.Error) string {
	if slices.Contains([]string{"get", "list", "delete"}, operation) {
		return nil
	}
	return func(e bucket.Error) string { return t.hintDenied(operation, e) }
}

// hintDenied returns the hint for requests that are denied although the credentials are valid: the
// permission that is needed, and what a policy may require.
func (t *Target) hintDenied(operation string, e bucket.Error) string {
	switch kms := bucket.HintKMS(e); {
	case kms != "":
		return kms
	case isWrite(operation) && e.IsDeny():
		return "a policy denies the write, whatever the credentials allow; it may require " + t.hintPolicy()
	case e.IsDeny():
		return bucket.HintDeny
	case strings.Contains(e.Message, "identity-based policy allows"):
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
	if t.Address().Endpoint.Scheme == "http" {
		hint += ", or https"
	}
	return hint
}
