package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	"github.com/minio/minio-go/v7"
)

// A request is retried for about a minute, or longer if the server asks for it.
const (
	tries     = 10
	shortWait = 200 * time.Millisecond
	longWait  = 15 * time.Second
	maxWait   = 5 * time.Minute // if a server asks for a longer pause, the request fails
)

// try calls f until it succeeds or fails permanently. attempt counts from 0. Sending a request
// again in another form, because the server refused its form, does not count as an attempt. The
// error names the operation, the object and a hint.
func (t *Target) try(ctx context.Context, doing, key string, f func(ctx context.Context, attempt int) error) error {
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
			if d.encrypted && isWrite(doing) {
				t.encrypts.Store(true)
			}
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s %s in %s: %w", doing, key, t, ctx.Err())
		case t.adapt(ctx, d, doing, err, response):
			if code(err) == minio.AccessDenied {
				denied = err
			}
			continue
		case attempt+1 == tries || !t.isTemporary(err):
			return t.failed(doing, key, t.undo(doing, d, err, denied), response)
		case attempt == 0 && !t.reached.Load() && d.endpoint.Scheme == "http" && isTLS(ctx, d.endpoint.Host):
			return t.failed(doing, key, errTLS, nil)
		}
		if code(err) == "ExpiredToken" {
			t.keys.Expire()
		}
		wait := retryablehttp.DefaultBackoff(shortWait, longWait, attempt, response)
		if wait > maxWait {
			return t.failed(doing, key, fmt.Errorf("%w; the server asks to wait %s", err, wait), response)
		}
		attempt++
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s %s in %s: %w", doing, key, t, ctx.Err())
		case <-time.After(wait + rand.N(wait/2+time.Millisecond)):
		}
	}
}

// undo stops requesting an encryption that was tried after a denied write, if the write is
// denied with it too. It returns the more useful error. Any other refusal of a probe may be
// due to the condition that is tested.
func (t *Target) undo(doing string, d *dialect, err, denied error) error {
	if !d.encrypted || t.encrypts.Load() {
		return err
	}
	if doing == "probe" && code(err) != minio.AccessDenied {
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
	if errors.As(err, new(errFinal)) || errors.As(err, new(errCredentials)) || isPlain(err) || isProxyLogin(err) {
		return false
	}
	if e, ok := errors.AsType[minio.ErrorResponse](err); ok {
		if slices.Contains(full, e.Code) || e.StatusCode == http.StatusInsufficientStorage {
			return false
		}
		return slices.Contains(temporary, e.Code) || e.StatusCode == http.StatusRequestTimeout ||
			e.StatusCode == http.StatusTooManyRequests || e.StatusCode >= 500 && e.StatusCode != http.StatusNotImplemented
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" && !t.reached.Load() {
		return false // more likely mistyped than down
	}
	again, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), nil, err)
	return again
}

// errFinal is an error that is not retried.
type errFinal struct{ error }

func (e errFinal) Unwrap() error { return e.error }
