package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"galbuild/build/retry"
)

// A Request is a request that is sent until it succeeds or fails permanently.
type Request struct {
	Operation, Key string // for errors
	// Send makes an attempt. attempt counts from 0.
	Send func(ctx context.Context, attempt int) error
	// Adapt changes the form of later requests as the error of an attempt requires. It reports
	// whether the request should be sent again. nil means that it has no other form.
	Adapt func(ctx context.Context, err error) bool
	// Fail returns the error to report instead of that of the last attempt. nil means the same.
	Fail func(err error) error
	// Denied is for [Bucket.Failed].
	Denied func(Error) string
}

// Try sends a request by the rules of package retry. It does not use its client, because minio-go
// sends the requests of package s3. Sending a request again in another form, because the server
// refused its form, does not count as an attempt. The error names the operation, the object and a
// hint.
func (b *Bucket) Try(ctx context.Context, r Request) error {
	reread := false // whether the credentials were read again
	for attempt := 0; ; {
		var response *http.Response
		at := b.Address()
		err := r.Send(recordResponse(ctx, &response), attempt)
		if response != nil {
			b.reached.Store(true)
		}
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s %s in %s: %w", r.Operation, r.Key, b, ctx.Err())
		case b.move(at, err, response) || r.Adapt != nil && r.Adapt(ctx, err):
			continue
		case !reread && b.replaced(ctx, err, response):
			reread = true
			continue
		case attempt == 0 && !b.reached.Load() && b.isTemporary(err) && at.Endpoint.Scheme == "http" && isTLS(ctx, at.Endpoint.Host):
			return b.end(r, errTLS, nil)
		}
		pause, err := b.pause(attempt, err, response)
		if err != nil {
			return b.end(r, err, response)
		}
		attempt++
		if err := retry.Wait(ctx, pause); err != nil {
			return fmt.Errorf("%s %s in %s: %w", r.Operation, r.Key, b, err)
		}
	}
}

// end returns the error of a request after its last attempt.
func (b *Bucket) end(r Request, err error, response *http.Response) error {
	if r.Fail != nil {
		err = r.Fail(err)
	}
	return b.Failed(r.Operation, r.Key, err, response, r.Denied)
}

// pause returns how long to wait before the next attempt, or err if there must be none.
func (b *Bucket) pause(attempt int, err error, response *http.Response) (time.Duration, error) {
	if b.config.Once || !b.isTemporary(err) {
		return 0, err
	}
	return retry.Pause(attempt, retry.Temporary(err, response))
}

// refused are error codes of requests whose credentials the server does not accept.
var refused = []string{"ExpiredToken", "InvalidToken", "InvalidTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch"}

// replaced requests the credentials again after the server has refused them, because a session may
// have ended early. It reports whether they are others than those that the request was signed with.
func (b *Bucket) replaced(ctx context.Context, err error, response *http.Response) bool {
	if !slices.Contains(refused, code(err)) || response == nil || response.Request == nil {
		return false
	}
	key := accessKey.FindStringSubmatch(response.Request.Header.Get("Authorization"))
	if key == nil {
		return false
	}
	token := response.Request.Header.Get("X-Amz-Security-Token")
	isSame := func(v credentials.Value) bool { return v.AccessKeyID == key[1] && v.SessionToken == token }
	if value, err := b.value(ctx); err == nil && !isSame(value) {
		return true // another request has read them
	}
	b.keys.Expire()
	value, err := b.value(ctx)
	return err == nil && !isSame(value)
}

// accessKey finds the access key in the Authorization header of a signed request.
var accessKey = regexp.MustCompile(`Credential=([^,]*)/\d{8}/[^/,]*/s3/aws4_request`)

// value returns the credentials, and requests them if they have expired.
func (b *Bucket) value(ctx context.Context) (credentials.Value, error) {
	return b.keys.GetWithContext(&credentials.CredContext{Client: &http.Client{Transport: b.transport}, Context: ctx})
}

// temporary are error codes of requests that may succeed later.
var temporary = []string{
	"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestTimeout", "InternalError", "ServiceUnavailable",
	"OperationAborted", "ConditionalRequestConflict", "ExpiredToken",
	"ExistingObjectIsDirectory",                                                 // versitygw, while another process deletes the last object in the same folder
	"BadDigest", "InvalidDigest", "IncompleteBody", "XAmzContentSHA256Mismatch", // the body was changed in transit
}

// full are error codes of servers that have no space left.
var full = []string{"XMinioStorageFull", "QuotaExceeded", "InsufficientCapacity", "StorageQuotaExceeded", "XMinioAdminBucketQuotaExceeded"}

// IsTemporary reports whether the code is that of a request that may succeed later.
func (e Error) IsTemporary() bool { return slices.Contains(temporary, e.Code) }

// isTemporary reports whether the request may succeed when it is repeated.
func (b *Bucket) isTemporary(err error) bool {
	if errors.As(err, new(Final)) || errors.As(err, new(errCredentials)) || retry.IsPlain(err) || isProxyLogin(err) {
		return false
	}
	if e, ok := errors.AsType[Error](err); ok {
		if slices.Contains(full, e.Code) || e.StatusCode == http.StatusInsufficientStorage {
			return false
		}
		return e.IsTemporary() || e.StatusCode == http.StatusRequestTimeout ||
			e.StatusCode == http.StatusTooManyRequests || e.StatusCode >= 500 && e.StatusCode != http.StatusNotImplemented
	}
	if retry.IsDial(err) && !b.reached.Load() {
		return false // more likely mistyped than down
	}
	return retry.IsTemporaryTransport(err)
}

// Final is an error that is not retried.
type Final struct{ Err error }

// Error implements error.
func (e Final) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e Final) Unwrap() error { return e.Err }
