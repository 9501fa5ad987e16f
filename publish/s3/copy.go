package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"

	"galbuild/publish"
)

// Copy implements [publish.Target]. The bytes do not leave the server, unless it cannot
// copy, or a policy does not let it: then they are sent once more.
func (t *Target) Copy(ctx context.Context, from string, o publish.Object) error {
	before := t.dialect.Load()
	if before.noCopy {
		return t.Put(ctx, t.source(ctx, from, o))
	}
	err := t.copy(ctx, from, o)
	if !isNoCopy(err) {
		return err
	}
	if err := t.Put(ctx, t.source(ctx, from, o)); err != nil {
		return err
	}
	t.change(func(d *dialect) {
		d.noCopy = d.encryption == before.encryption // otherwise that is what the copy was denied for
	})
	return nil
}

// source returns o with its bytes: from here, or else from the server.
func (t *Target) source(ctx context.Context, from string, o publish.Object) publish.Object {
	open := o.Open
	o.Open = func() (io.ReadCloser, error) {
		if r, err := open(); err == nil {
			return r, nil
		}
		return t.Get(ctx, from, 0, -1)
	}
	return o
}

// isNoCopy tells whether the server cannot copy: it says so, denies it, or gives a
// response that is not to a copy.
func isNoCopy(err error) bool {
	_, syntax := errors.AsType[*xml.SyntaxError](err)
	_, other := errors.AsType[xml.UnmarshalError](err)
	empty := status(err) == http.StatusOK // minio-go's error for a result that is not there
	return isUnsupported(err) || isInvalid(err) || code(err) == minio.AccessDenied || empty || syntax || other
}

func (t *Target) copy(ctx context.Context, from string, o publish.Object) error {
	if o.Size > t.limits.copy {
		return t.multipart(ctx, &o, func(ctx context.Context, o *publish.Object, id string) ([]minio.CompletePart, error) {
			return t.copyParts(ctx, from, o, id)
		})
	}
	return t.try(ctx, "copy", from, func(ctx context.Context, _ int) error {
		to := minio.CopyDestOptions{
			Bucket: t.bucket, Object: t.prefix + o.Key, Encryption: t.header(),
			ReplaceMetadata: true, ContentType: o.MediaType, CacheControl: o.CacheControl,
		}
		_, err := t.client().Client.CopyObject(ctx, to, minio.CopySrcOptions{Bucket: t.bucket, Object: t.prefix + from})
		return err
	})
}

func (t *Target) copyParts(ctx context.Context, from string, o *publish.Object, id string) ([]minio.CompletePart, error) {
	size := t.limits.copyPart
	parts := make([]minio.CompletePart, (o.Size+size-1)/size)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range parts {
		group.Go(func() error {
			offset := int64(i) * size
			return t.try(ctx, "copy", from, func(ctx context.Context, _ int) (err error) {
				parts[i], err = t.client().CopyObjectPart(ctx, t.bucket, t.prefix+from, t.bucket, t.prefix+o.Key, id, i+1, offset, min(size, o.Size-offset), nil)
				return err
			})
		})
	}
	return parts, group.Wait()
}
