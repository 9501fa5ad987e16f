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

// A request is tried for about a minute, or longer where the server asks for it.
const (
	tries     = 10
	shortWait = 200 * time.Millisecond
	longWait  = 15 * time.Second
	maxWait   = 5 * time.Minute // what is asked for beyond it is an error
)

// try calls f until it succeeds, or fails in a way that will not pass. Attempt counts
// from 0; a request that is changed and sent again because the server refused its form is
// the same attempt. The error names the operation, the object and a hint.
func (t *Target) try(ctx context.Context, doing, key string, f func(ctx context.Context, attempt int) error) error {
	var denied error // error of a write without encryption
	for attempt := 0; ; {
		var answer *http.Response
		d := t.dialect.Load()
		err := f(heard(ctx, &answer), attempt)
		if answer != nil {
			t.met.Store(true)
		}
		switch {
		case err == nil:
			if d.encrypted && isWrite(doing) {
				t.encrypts.Store(true)
			}
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s %s in %s: %w", doing, key, t, ctx.Err())
		case t.adapt(ctx, d, doing, err, answer):
			if code(err) == minio.AccessDenied {
				denied = err
			}
			continue
		case attempt+1 == tries || !t.passes(err):
			return t.failed(doing, key, t.undo(d, err, denied), answer)
		case attempt == 0 && !t.met.Load() && d.endpoint.Scheme == "http" && isTLS(ctx, d.endpoint.Host):
			return t.failed(doing, key, errTLS, nil)
		}
		if code(err) == "ExpiredToken" {
			t.keys.Expire()
		}
		wait := retryablehttp.DefaultBackoff(shortWait, longWait, attempt, answer)
		if wait > maxWait {
			return t.failed(doing, key, fmt.Errorf("%w; the server asks to wait %s", err, wait), answer)
		}
		attempt++
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s %s in %s: %w", doing, key, t, ctx.Err())
		case <-time.After(wait + rand.N(wait/2+time.Millisecond)):
		}
	}
}

// undo stops asking for an encryption that was tried after a denied write, if the write is
// denied with it too. It returns the more useful error.
func (t *Target) undo(d *dialect, err, denied error) error {
	if !d.encrypted || t.encrypts.Load() {
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

// passing are errors that say to come again.
var passing = []string{
	"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestTimeout", "InternalError", "ServiceUnavailable",
	"OperationAborted", "ConditionalRequestConflict", "ExpiredToken",
	"ExistingObjectIsDirectory",                                                 // versitygw, while somebody else removes the last object beside this one
	"BadDigest", "InvalidDigest", "IncompleteBody", "XAmzContentSHA256Mismatch", // the bytes were others on their way
}

// full are error codes of servers that have no space left.
var full = []string{"XMinioStorageFull", "QuotaExceeded", "InsufficientCapacity", "StorageQuotaExceeded", "XMinioAdminBucketQuotaExceeded"}

// passes tells whether err may be gone when the request is repeated.
func (t *Target) passes(err error) bool {
	if errors.As(err, new(errFinal)) || errors.As(err, new(errCredentials)) || isPlain(err) || isProxyLogin(err) {
		return false
	}
	if e, ok := errors.AsType[minio.ErrorResponse](err); ok {
		if slices.Contains(full, e.Code) || e.StatusCode == http.StatusInsufficientStorage {
			return false
		}
		return slices.Contains(passing, e.Code) || e.StatusCode == http.StatusRequestTimeout ||
			e.StatusCode == http.StatusTooManyRequests || e.StatusCode >= 500 && e.StatusCode != http.StatusNotImplemented
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" && !t.met.Load() {
		return false // more likely mistyped than down
	}
	again, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), nil, err)
	return again
}

// errFinal is an error that no repetition mends.
type errFinal struct{ error }

func (e errFinal) Unwrap() error { return e.error }
