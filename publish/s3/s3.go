// Package s3 is a bucket as a place for a site: of Amazon S3, of a server that speaks
// its protocol (MinIO, Ceph, versitygw, Cloudflare R2, …), or of Aliyun OSS.
//
// # What is sent
//
// An object is one PUT with its media type, Cache-Control and SHA-256, which is signed,
// so that the server refuses other bytes. One of more than 32 MiB is a multipart upload
// of parts of 8 MiB, four at a time, each with its SHA-256; nothing is visible before
// all are there. Copies are made by the server. Lists and deletions go by the thousand.
// What an interrupted upload has left of parts costs until a lifecycle rule of the
// bucket (AbortIncompleteMultipartUpload) removes it.
//
// [Target.Swap] is a PUT with If-Match or If-None-Match, which Amazon S3, MinIO, Ceph,
// R2 and versitygw honour. A server that answers 501, or replaces an object in spite of
// an If-Match that does not hold (asked once, of servers other than Amazon's), is
// locked by [publish.SwapLocked] instead.
//
// # Credentials
//
// Those in [Config], or the first of: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with
// AWS_SESSION_TOKEN); the profile AWS_PROFILE of the shared files (~/.aws/credentials
// and ~/.aws/config, or AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE), with keys,
// SSO or credential_process; a web identity (AWS_WEB_IDENTITY_TOKEN_FILE and
// AWS_ROLE_ARN); the role of a container; the role of a machine (EC2). They are asked
// for anew when they expire.
//
// # Aliyun OSS
//
// [OSS] speaks to OSS by its S3 interface and not by its SDK: it has every request that
// is needed here (lists, ranges, multipart uploads, copies, batch deletion), and so the
// retries, checks and tests of this package hold for it, with no second client to keep.
// What differs: buckets are named by host only, If-Match and If-None-Match are answered
// 501, chunked signatures are not taken, bodies are checked by Content-MD5 too, and CORS
// is set in the console. Credentials are OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET
// (with OSS_SESSION_TOKEN), ALIBABA_CLOUD_ACCESS_KEY_ID and
// ALIBABA_CLOUD_ACCESS_KEY_SECRET (with ALIBABA_CLOUD_SECURITY_TOKEN), or the first two
// of those above.
// Source: https://www.alibabacloud.com/help/en/oss/developer-reference/compatibility-with-amazon-s3
//
// # Tests
//
// With the tag e2e the suite is run against versitygw, which the test installs, also
// through a proxy that breaks things. GALBUILD_TEST_S3=BUCKET/PREFIX (with the
// variables above, AWS_REGION and AWS_ENDPOINT_URL_S3) and GALBUILD_TEST_OSS=BUCKET/PREFIX
// (with OSS_REGION) run it against a real bucket too, below that prefix.
package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"galbuild/publish"
)

// Config says which bucket, where and as whom. Bucket is enough for one of Amazon S3.
type Config struct {
	Bucket string
	// Prefix is the folder of the bucket that holds the site; empty is its root.
	Prefix string

	// Endpoint is the server's address, such as https://minio.example.com:9000, without
	// a path; https is meant if it says neither. Empty is AWS_ENDPOINT_URL_S3,
	// AWS_ENDPOINT_URL, or Amazon S3.
	Endpoint string
	// Region is that of the bucket. Empty is AWS_REGION, AWS_DEFAULT_REGION, what
	// Amazon S3 says the bucket's is, or us-east-1 on other servers.
	Region string
	// Style says where the bucket's name stands in addresses.
	Style Style
	// Unconditional says that the server does not honour If-Match and If-None-Match,
	// which is otherwise found out.
	Unconditional bool

	// AccessKey and SecretKey, with SessionToken for temporary ones, are used rather
	// than those of the environment.
	AccessKey, SecretKey, SessionToken string
	// Anonymous sends requests without credentials: a public bucket can be read.
	Anonymous bool

	// CAFile is a file of PEM certificates that are trusted besides the system's.
	CAFile string
	// Transport sends the requests. If nil, one that honours HTTP_PROXY, HTTPS_PROXY,
	// NO_PROXY and CAFile.
	Transport http.RoundTripper

	oss bool
}

// Style is a way of addressing buckets.
type Style string

const (
	Auto        Style = ""        // VirtualHost for Amazon S3 and OSS, Path for others
	Path        Style = "path"    // https://host/bucket/key
	VirtualHost Style = "virtual" // https://bucket.host/key
)

// Target is a folder of a bucket.
type Target struct {
	client *minio.Core
	keys   *credentials.Credentials
	bucket string
	prefix string // empty, or with a slash at its end
	name   string
	host   string
	oss    bool
	limits limits

	met         atomic.Bool // the server has answered
	mu          sync.Mutex  // of what follows
	asked       bool        // whether conditions are honoured
	conditional bool
}

// New returns the folder of a bucket. It does not ask the server for anything.
func New(c Config) (*Target, error) {
	if c.Bucket == "" || strings.Contains(c.Bucket, "/") {
		return nil, fmt.Errorf("s3: %q is no name of a bucket", c.Bucket)
	}
	endpoint, err := parseEndpoint(cmp.Or(c.Endpoint, os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"), amazon))
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	base, err := c.transport()
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	if strings.HasSuffix(endpoint.Hostname(), ".aliyuncs.com") && !c.oss {
		if c, err = OSS(c); err != nil {
			return nil, err
		}
	}
	isAmazon := isAmazonHost(endpoint.Hostname())
	region := cmp.Or(c.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
	if region == "" && !isAmazon {
		region = "us-east-1"
	}
	lookup := minio.BucketLookupPath
	if c.Style == VirtualHost || c.Style == Auto && isAmazon && !strings.Contains(c.Bucket, ".") {
		lookup = minio.BucketLookupDNS // a certificate for *.host holds for no name with dots
	}
	keys := c.credentials(base)
	client, err := minio.NewCore(endpoint.Host, &minio.Options{
		Creds: keys, Secure: endpoint.Scheme == "https", Region: region, BucketLookup: lookup,
		Transport: &listening{base}, MaxRetries: 1, // Target.try does it
	})
	if err != nil {
		return nil, fmt.Errorf("s3: %s: %w", endpoint.Host, err)
	}
	client.SetS3EnableDualstack(false) // the names that firewalls know
	t := &Target{
		client: client, keys: keys, bucket: c.Bucket, host: endpoint.Host, oss: c.oss, limits: usual,
		asked: c.Unconditional || isAmazon, conditional: !c.Unconditional,
	}
	if prefix := strings.Trim(c.Prefix, "/"); prefix != "" {
		t.prefix = prefix + "/"
	}
	t.name = t.describe(endpoint, isAmazon)
	return t, nil
}

const amazon = "https://s3.amazonaws.com"

func isAmazonHost(host string) bool {
	return strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")
}

func parseEndpoint(s string) (*url.URL, error) {
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("the endpoint is no address") // which may hold a password
	case u.User != nil:
		return nil, fmt.Errorf("the endpoint %s must not hold credentials: they are taken from the environment, a shared file or the configuration", u.Redacted())
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		return nil, fmt.Errorf("the endpoint %s is not of the form https://host or https://host:port", u.Redacted())
	}
	return u, nil
}

func (t *Target) describe(endpoint *url.URL, isAmazon bool) string {
	name := t.bucket + "/" + strings.TrimSuffix(t.prefix, "/")
	switch name = strings.TrimSuffix(name, "/"); {
	case t.oss:
		return "oss://" + name
	case isAmazon:
		return "s3://" + name
	}
	return fmt.Sprintf("s3://%s at %s://%s", name, endpoint.Scheme, endpoint.Host)
}

// String implements [publish.Target].
func (t *Target) String() string { return t.name }

// List implements [publish.Target].
func (t *Target) List(ctx context.Context, prefix string) iter.Seq2[publish.Entry, error] {
	return func(yield func(publish.Entry, error) bool) {
		last, stopped := "", false // after which the next try goes on
		err := t.try(ctx, "list", prefix, func(ctx context.Context, _ int) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			options := minio.ListObjectsOptions{Prefix: t.prefix + prefix, Recursive: true, StartAfter: last, FetchOwner: new(bool)}
			for o := range t.client.ListObjectsIter(ctx, t.bucket, options) {
				if o.Err != nil {
					return o.Err
				}
				last = o.Key
				if strings.HasSuffix(o.Key, "/") || !strings.HasPrefix(o.Key, t.prefix+prefix) {
					continue // what consoles show as a folder, or nobody has asked for
				}
				e := publish.Entry{Key: strings.TrimPrefix(o.Key, t.prefix), Size: o.Size, Modified: o.LastModified}
				if !yield(e, nil) {
					stopped = true
					return nil
				}
			}
			return ctx.Err()
		})
		if err != nil && !stopped {
			yield(publish.Entry{}, err)
		}
	}
}

// Delete implements [publish.Target].
func (t *Target) Delete(ctx context.Context, keys []string) error {
	left := map[string]bool{}
	for _, key := range keys {
		left[t.prefix+key] = true
	}
	if len(left) == 1 {
		return t.try(ctx, "delete", keys[0], func(ctx context.Context, _ int) error {
			return t.client.RemoveObject(ctx, t.bucket, t.prefix+keys[0], minio.RemoveObjectOptions{})
		})
	}
	return t.try(ctx, "delete", fmt.Sprintf("%d objects", len(left)), func(ctx context.Context, _ int) error {
		return t.deleteAll(ctx, left)
	})
}

// deleteAll takes from left what is deleted.
func (t *Target) deleteAll(ctx context.Context, left map[string]bool) error {
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
	results, err := t.client.RemoveObjectsWithIter(ctx, t.bucket, objects, minio.RemoveObjectsOptions{})
	if err != nil {
		return err
	}
	for r := range results {
		if r.Err != nil && !isMissing(r.Err) {
			err = r.Err // of several, one tells why
			continue
		}
		delete(left, r.ObjectName)
	}
	return cmp.Or(err, ctx.Err())
}
