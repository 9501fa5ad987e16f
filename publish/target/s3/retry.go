package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/minio/minio-go/v7"

	"galbuild/build/retry"
)

// try calls f until it succeeds or fails permanently, by the rules of package retry. It does not
// use its client, because minio-go sends the requests. attempt counts from 0. Sending a request
// again in another form, because the server refused its form, does not count as an attempt. The
// error names the operation, the object and a hint.
func (t *Target) try(ctx context.Context, operation, key string, f func(ctx context.Context, attempt int) error) error {
	var denied error // error of a write without encryption
	for attempt := 0; ; {
		var response *http.Response
		d := t.dialect.Load()
		err := f(recordResponse(ctx, &response), attempt)
		if response != nil {
			t.reached.Store(true)
		}
		switch {
		case err == nil:
			if d.encrypted && isWrite(operation) {
				t.encrypts.Store(true)
			}
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s %s in %s: %w", operation, key, t, ctx.Err())
		case t.adapt(ctx, d, operation, err, response):
			if code(err) == minio.AccessDenied {
				denied = err
			}
			continue
		case !t.isTemporary(err):
			return t.failed(operation, key, t.undo(operation, d, err, denied), response)
		case attempt == 0 && !t.reached.Load() && d.endpoint.Scheme == "http" && isTLS(ctx, d.endpoint.Host):
			return t.failed(operation, key, errTLS, nil)
		}
		if code(err) == "ExpiredToken" {
			t.keys.Expire()
		}
		pause, err := retry.Pause(attempt, retry.Temporary(err, response))
		if err != nil {
			return t.failed(operation, key, t.undo(operation, d, err, denied), response)
		}
		attempt++
		if err := retry.Wait(ctx, pause); err != nil {
			return fmt.Errorf("%s %s in %s: %w", operation, key, t, err)
		}
	}
}

// undo is called with the error of a write. If the write used an encryption that was tried after a
// denial, and was denied again, undo stops requesting that encryption. It returns the error that
// explains more: the one of the write without encryption.
func (t *Target) undo(operation string, d *dialect, err, denied error) error {
	if !d.encrypted || t.encrypts.Load() {
		return err
	}
	if operation == "probe" && code(err) != minio.AccessDenied { // refused because of its condition
		return err
	}
	if code(err) == minio.PreconditionFailed || isMissing(err) { // only the condition of the write forbids it
		t.encrypts.Store(true)
		return err
	}
	if code(err) == minio.AccessDenied {
		t.change(func(d *dialect) { d.encryption = t.headers.encryption })
	}
	return cmp.Or(denied, err)
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

// isTemporary reports whether the request may succeed when it is repeated.
func (t *Target) isTemporary(err error) bool {
	if errors.As(err, new(errFinal)) || errors.As(err, new(errCredentials)) || retry.IsPlain(err) || isProxyLogin(err) {
		return false
	}
	if e, ok := errors.AsType[minio.ErrorResponse](err); ok {
		if slices.Contains(full, e.Code) || e.StatusCode == http.StatusInsufficientStorage {
			return false
		}
		return slices.Contains(temporary, e.Code) || e.StatusCode == http.StatusRequestTimeout ||
			e.StatusCode == http.StatusTooManyRequests || e.StatusCode >= 500 && e.StatusCode != http.StatusNotImplemented
	}
	if retry.IsDial(err) && !t.reached.Load() {
		return false // more likely mistyped than down
	}
	return retry.IsTemporaryTransport(err)
}

// errFinal is an error that is not retried.
type errFinal struct{ error }

func (e errFinal) Unwrap() error { return e.error }
