//go:build e2e

package publish_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/publish"
	"galbuild/publish/target"
	"galbuild/publish/target/s3"
	"galbuild/publish/target/s3/s3test"
)

// TestPurgeBucket checks how many requests a purge needs, and that no earlier version of an object
// is left in a bucket with versioning.
func TestPurgeBucket(t *testing.T) {
	server := s3test.StartVersioned(t)
	for _, versioned := range []bool{false, true} {
		t.Run(fmt.Sprintf("versioned %t", versioned), func(t *testing.T) {
			counter := &s3test.Counter{}
			bucket := server.Bucket(t)
			if versioned {
				if err := server.Client.EnableVersioning(t.Context(), bucket); err != nil {
					t.Fatal(err)
				}
			}
			at, err := s3.New(s3.Config{Endpoint: server.URL, Bucket: bucket, AccessKey: server.AccessKey, SecretKey: server.SecretKey, Transport: counter})
			if err != nil {
				t.Fatal(err)
			}
			local := t.TempDir()
			buildSite(t, local, "one@1.0.0", "two@1.0.0")
			publishSite(t, at, local)
			buildSite(t, local, "one@1.0.0", "one@2.0.0", "two@1.0.0")
			publishSite(t, at, local)
			counter.Take()
			subjects := decide(t, at, decision.Blocked, "acme.one")
			purged, err := publish.Purge(t.Context(), at, subjects, publish.Options{})
			if err != nil || len(purged.Objects) == 0 || len(purged.Left) > 0 {
				t.Fatalf("%+v, %v", purged, err)
			}
			byMethod, n := counter.Take()
			t.Logf("%d requests: %v", n, byMethod)
			if n > 60 {
				t.Errorf("%d requests, want at most 60", n)
			}
			gone := make(map[string]bool)
			for _, key := range purged.Objects {
				gone[key] = true
			}
			for o := range server.Client.ListObjects(t.Context(), bucket, minio.ListObjectsOptions{Recursive: true, WithVersions: versioned}) {
				if o.Err != nil || gone[o.Key] {
					t.Errorf("%s, version %s: %v", o.Key, o.VersionID, o.Err)
				}
			}
			if report, err := publish.Verify(t.Context(), at); err != nil || len(report.Problems) > 0 {
				t.Errorf("%+v, %v", report, err)
			}
		})
	}
}

// TestPurgeLocked purges a bucket whose Object Lock protects every version of an object. What stays
// is named.
func TestPurgeLocked(t *testing.T) {
	server := s3test.StartVersioned(t)
	const bucket = "locked"
	if err := server.Client.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	mode, days, unit := minio.Compliance, uint(1), minio.Days
	if err := server.Client.SetBucketObjectLockConfig(t.Context(), bucket, &mode, &days, &unit); err != nil {
		t.Fatal(err)
	}
	at, err := s3.New(s3.Config{Endpoint: server.URL, Bucket: bucket, AccessKey: server.AccessKey, SecretKey: server.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	local := t.TempDir()
	buildSite(t, local, "one@1.0.0", "two@1.0.0")
	publishSite(t, at, local)
	subjects := decide(t, at, decision.Blocked, "acme.one")
	purged, err := publish.Purge(t.Context(), at, subjects, publish.Options{})
	if err != nil || len(purged.Objects) == 0 {
		t.Fatalf("%+v, %v", purged, err)
	}
	const asset = "assets/acme/one/1.0.0/" + catalog.PackageAsset
	named := slices.ContainsFunc(purged.Left, func(l target.Leftover) bool {
		return l.Key == asset && strings.Contains(l.Reason, "Object Lock")
	})
	if !named {
		t.Errorf("%s is not named in %+v", asset, purged.Left)
	}
	_, err = server.Client.StatObject(t.Context(), bucket, asset, minio.StatObjectOptions{})
	if minio.ToErrorResponse(err).StatusCode != http.StatusNotFound {
		t.Errorf("%s answers: %v", asset, err)
	}
}
