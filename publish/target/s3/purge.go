package s3

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"

	"galbuild/publish/target"
)

// A version is an earlier version of an object in a bucket with versioning, or a delete marker.
type version struct {
	name, id string
	marker   bool
}

// Purge implements [target.Purger]. It deletes all earlier versions of the objects in a bucket with
// versioning.
func (t *Target) Purge(ctx context.Context, keys []string) ([]target.Leftover, error) {
	var config minio.BucketVersioningConfiguration
	err := t.try(ctx, "get the versioning of", t.bucket, func(ctx context.Context, _ int) (err error) {
		config, err = t.client().GetBucketVersioning(ctx, t.bucket)
		return err
	})
	switch {
	case err == nil && !config.Enabled() && !config.Suspended():
		return nil, nil
	case isUnsupported(err) || status(err) == http.StatusNotFound:
		return nil, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return []target.Leftover{{Reason: fmt.Sprintf("the bucket may keep earlier versions; finding out needs s3:GetBucketVersioning (%v)", err)}}, nil
	}
	wanted := make(map[string]bool)
	prefixes := make(map[string]bool)
	for _, key := range keys {
		wanted[t.prefix+key] = true
		top, _, _ := strings.Cut(key, "/")
		prefixes[top] = true
	}
	var left []target.Leftover
	for _, prefix := range slices.Sorted(maps.Keys(prefixes)) {
		some, err := t.purgeVersions(ctx, t.prefix+prefix, wanted)
		if err != nil {
			return nil, err
		}
		left = append(left, some...)
	}
	return left, nil
}

// purgeVersions deletes all versions of the wanted objects below a prefix. The delete markers of an
// object go last, and only if none of its versions stays, because an object answers again without
// its marker.
func (t *Target) purgeVersions(ctx context.Context, prefix string, wanted map[string]bool) (left []target.Leftover, err error) {
	var all []version
	err = t.try(ctx, "list the versions of", prefix, func(ctx context.Context, _ int) error {
		all = nil
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for o := range t.client().ListObjectsIter(ctx, t.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true, WithVersions: true}) {
			if o.Err != nil {
				return o.Err
			}
			if wanted[o.Key] {
				all = append(all, version{o.Key, o.VersionID, o.IsDeleteMarker})
			}
		}
		return ctx.Err()
	})
	if status(err) == http.StatusForbidden {
		return []target.Leftover{{Reason: fmt.Sprintf("the bucket keeps earlier versions below %s; listing them needs s3:ListBucketVersions", prefix)}}, nil
	}
	if err != nil || len(all) == 0 {
		return nil, err
	}
	left, err = t.deleteVersions(ctx, prefix, slices.DeleteFunc(slices.Clone(all), func(v version) bool { return v.marker }))
	if err != nil {
		return left, err
	}
	stays := make(map[string]bool)
	for _, l := range left {
		stays[t.prefix+l.Key] = true
	}
	markers, err := t.deleteVersions(ctx, prefix, slices.DeleteFunc(all, func(v version) bool {
		return !v.marker || stays[v.name] || stays[t.prefix]
	}))
	return append(left, markers...), err
}

// deleteVersions deletes versions, which are below a prefix. A leftover without a key stands for
// all of them.
func (t *Target) deleteVersions(ctx context.Context, prefix string, all []version) (left []target.Leftover, err error) {
	if len(all) == 0 {
		return nil, nil
	}
	objects := func(yield func(minio.ObjectInfo) bool) {
		for _, v := range all {
			if !yield(minio.ObjectInfo{Key: v.name, VersionID: v.id}) {
				return
			}
		}
	}
	err = t.try(ctx, "delete", fmt.Sprintf("%d versions", len(all)), func(ctx context.Context, _ int) error {
		left = nil
		results, err := t.client().RemoveObjectsWithIter(ctx, t.bucket, objects, minio.RemoveObjectsOptions{})
		if err != nil {
			return err
		}
		for r := range results {
			if r.Err != nil && !isMissing(r.Err) {
				left = append(left, target.Leftover{Key: strings.TrimPrefix(r.ObjectName, t.prefix), Reason: fmt.Sprintf(
					"the bucket keeps version %s: %v; deleting it needs s3:DeleteObjectVersion, and no Object Lock", r.ObjectVersionID, r.Err)})
			}
		}
		return ctx.Err()
	})
	if err != nil && ctx.Err() == nil {
		return []target.Leftover{{Reason: fmt.Sprintf("the bucket keeps %d earlier versions below %s: %v", len(all), prefix, err)}}, nil
	}
	return left, err
}
