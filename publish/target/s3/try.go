package s3

import (
	"cmp"
	"context"
	"errors"

	"github.com/minio/minio-go/v7"

	"galbuild/publish/target/s3/bucket"
)

// try calls f until it succeeds or fails permanently, see [bucket.Bucket.Try]. If the server
// refuses the form of the request, try changes the dialect.
func (t *Target) try(ctx context.Context, operation, key string, f func(ctx context.Context, attempt int) error) error {
	var denied error // error of a write without encryption
	var d *dialect   // of the last attempt
	return t.Try(ctx, bucket.Request{
		Operation: operation, Key: key,
		Send: func(ctx context.Context, attempt int) error {
			d = t.dialect.Load()
			err := convert(f(ctx, attempt))
			if err == nil && d.encrypted && isWrite(operation) {
				t.encrypts.Store(true)
			}
			return err
		},
		Adapt: func(ctx context.Context, err error) bool {
			adapted := t.adapt(ctx, d, operation, err)
			if adapted && code(err) == accessDenied {
				denied = err
			}
			return adapted
		},
		Fail:   func(err error) error { return t.undo(operation, d, err, denied) },
		Denied: t.denied(operation),
	})
}

// convert returns err with a [bucket.Error] instead of the error response of minio-go.
func convert(err error) error {
	if final, ok := err.(bucket.Final); ok {
		return bucket.Final{Err: convert(final.Err)}
	}
	if e, ok := errors.AsType[minio.ErrorResponse](err); ok {
		return bucket.Error{Code: e.Code, Message: e.Error(), Region: e.Region, StatusCode: e.StatusCode}
	}
	return err
}

// undo is called with the error of a write. If the write used an encryption that was tried after a
// denial, and was denied again, undo stops requesting that encryption. It returns the error that
// explains more: the one of the write without encryption.
func (t *Target) undo(operation string, d *dialect, err, denied error) error {
	if !d.encrypted || t.encrypts.Load() {
		return err
	}
	if operation == "probe" && code(err) != accessDenied { // refused because of its condition
		return err
	}
	if code(err) == preconditionFailed || isMissing(err) { // only the condition of the write forbids it
		t.encrypts.Store(true)
		return err
	}
	if code(err) == accessDenied {
		t.change(func(d *dialect) { d.encryption = t.headers.encryption })
	}
	return cmp.Or(denied, err)
}
