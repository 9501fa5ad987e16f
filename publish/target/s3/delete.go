package s3

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/minio/minio-go/v7"
	"golang.org/x/sync/errgroup"
)

// Delete implements [target.Target].
func (t *Target) Delete(ctx context.Context, keys []string) error {
	left := map[string]bool{}
	for _, key := range keys {
		left[t.prefix+key] = true
	}
	if len(left) > 1 && !t.dialect.Load().noBatch {
		err := t.try(ctx, "delete", fmt.Sprintf("%d objects", len(left)), func(ctx context.Context, _ int) error {
			return t.deleteBatches(ctx, left)
		})
		switch {
		case isUnsupported(err) || isInvalid(err) || isForbidden(err):
			t.change(func(d *dialect) { d.noBatch = true })
		case err != nil:
			return err
		}
	}
	return t.deleteEach(ctx, slices.Sorted(maps.Keys(left))) // also keys that no response has named
}

// deleteBatches deletes objects in batches, and removes them from left.
func (t *Target) deleteBatches(ctx context.Context, left map[string]bool) error {
	if err := ctx.Err(); err != nil || len(left) == 0 {
		return err
	}
	objects := func(yield func(minio.ObjectInfo) bool) {
		for _, key := range slices.Sorted(maps.Keys(left)) {
			if !yield(minio.ObjectInfo{Key: key}) {
				return
			}
		}
	}
	results, err := t.client().RemoveObjectsWithIter(ctx, t.bucket, objects, minio.RemoveObjectsOptions{})
	if err != nil {
		return err
	}
	for r := range results {
		if r.Err != nil && !isMissing(r.Err) {
			err = r.Err // one of several is enough
			continue
		}
		delete(left, r.ObjectName)
	}
	return cmp.Or(err, ctx.Err())
}

// deleteEach removes objects with one request each.
func (t *Target) deleteEach(ctx context.Context, names []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, name := range names {
		group.Go(func() error {
			return t.try(ctx, "delete", name[len(t.prefix):], func(ctx context.Context, _ int) error {
				err := t.client().RemoveObject(ctx, t.bucket, name, minio.RemoveObjectOptions{})
				if isMissing(err) {
					return nil // the response of Google Cloud Storage for a missing object
				}
				return err
			})
		})
	}
	return group.Wait()
}
