// Package s3 implements a target as a folder of a bucket: of Amazon S3, of a server with the same
// protocol (MinIO, Ceph, versitygw, Cloudflare R2, …), or of Aliyun OSS.
//
// # Requests
//
// An object is uploaded by one PUT with its media type, Cache-Control and SHA-256. The hash is
// signed, so the server refuses different content. An object of more than 32 MiB is a multipart
// upload of parts of 8 MiB, four at a time, each with its SHA-256; it becomes visible when all
// parts are there. The server copies objects itself. Lists and deletions have up to a thousand
// keys per request. The parts of an interrupted upload take up space until a lifecycle rule of
// the bucket (AbortIncompleteMultipartUpload) removes them.
//
// [Target.Swap] is a PUT with If-Match or If-None-Match, which Amazon S3, MinIO, Ceph, R2 and
// versitygw honour. Every server except Amazon's is tested once: whether it replaces an object
// although the If-Match does not match, or although If-None-Match: * forbids it. If it does, or
// refuses the condition, or does not recognize its own ETag, Swap uses [target.SwapLocked] instead
// and calls [Config].Warn. The lock of SwapLocked works only among processes that use it, and
// needs a server that lists an object as soon as it is written.
//
// # Servers
//
// If a server refuses a request and the error response states the reason, the Target changes the
// request, sends it again, and makes all its later requests in the new form:
//
//	reason                                     change
//	a body needs a checksum (Object Lock)      send Content-MD5, then x-amz-checksum-sha256 too
//	a write without encryption is denied       request the bucket's encryption, or AES256
//	CopyObject is missing or denied            upload the content
//	DeleteObjects is missing                   delete one object per request, four at a time
//	ListObjectsV2 is missing                   use ListObjects
//	multipart uploads are missing              use one PUT of up to 5 GiB
//	the path style is refused                  use the virtual-host style, if Style is Auto
//	the bucket is in another region            use that region
//	a redirect within the same domain          use that endpoint, but never http after https
//
// The Target never sends chunked signatures, trailers or HEAD requests. It does not rely on strong
// ETags or ETags that are an MD5, on ranges, on the format of dates, on the status code of a
// success, or on the body of an error.
//
// Package bucket has the other half of this one: reading, the address of the server, and the
// credentials.
//
// # Tests
//
// With the tag e2e, the suite runs against versitygw, which the test installs: directly, through a
// proxy that breaks connections, and through proxies that each imitate one behaviour of another
// server. If GALBUILD_TEST_S3=BUCKET/PREFIX (with the variables above, AWS_REGION and
// AWS_ENDPOINT_URL_S3) or GALBUILD_TEST_OSS=BUCKET/PREFIX (with OSS_REGION) is set, the suite also
// runs against that real bucket, below the prefix.
package s3

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/minio/minio-go/v7"

	"galbuild/publish/target"
	"galbuild/publish/target/s3/bucket"
)

// Config names a bucket and has the address of its server, the credentials and the options of
// writes. For Amazon S3, Bucket is enough.
type Config = bucket.Config

// The values of options in a [Config].
const (
	Path        = bucket.Path
	VirtualHost = bucket.VirtualHost
	Yes         = bucket.Yes
	Never       = bucket.Never
)

// OSS completes a configuration for a bucket of Aliyun OSS, see [bucket.OSS].
func OSS(c Config) (Config, error) { return bucket.OSS(c) }

// Target is a folder of a bucket.
type Target struct {
	*bucket.Bucket
	bucket    string
	prefix    string // empty, or with a trailing slash
	transport http.RoundTripper
	headers   header
	limits    limits
	warn      func(message string)

	dialect  atomic.Pointer[dialect]
	connect  sync.Mutex                 // guards replacing the connection
	current  atomic.Pointer[connection] // to the current address
	encrypts atomic.Bool                // whether a write succeeded with the encryption that was tried
	mu       sync.Mutex                 // guards replacing the dialect

	warned    sync.Once
	probing   sync.Mutex         // guards the following fields
	match     bucket.Conditional // whether If-Match is honoured; Detect until it has been tested
	noneMatch bucket.Conditional // whether If-None-Match: * is honoured
}

// New returns a target. It sends no request.
func New(c Config) (*Target, error) {
	b, err := bucket.New(c)
	if err != nil {
		return nil, err
	}
	c = b.Config()
	headers, err := newHeader(&c)
	if err != nil {
		return nil, err
	}
	t := &Target{
		Bucket: b, bucket: c.Bucket, prefix: b.Prefix(), transport: b.Transport(), headers: headers, limits: defaultLimits,
		warn: c.Warn, match: c.Conditional, noneMatch: c.Conditional,
	}
	if path := b.Path(); path != "" {
		t.transport = &prefixing{t.transport, path, b.Credentials()}
	}
	if c.Conditional == bucket.Detect && b.IsAmazon() {
		t.match, t.noneMatch = Yes, Yes
	}
	t.dialect.Store(&dialect{md5: b.IsOSS(), encryption: headers.encryption})
	return t, t.connectTo(b.Address())
}

// newHeader returns the headers that objects are sent with.
func newHeader(c *Config) (header, error) {
	encryption, err := newEncryption(c)
	switch {
	case err != nil:
	case c.StorageClass == "GLACIER" || c.StorageClass == "DEEP_ARCHIVE":
		err = fmt.Errorf("s3: storage class %s: its objects cannot be read until they are restored, and editors do not wait", c.StorageClass)
	case !slices.Contains([]bucket.Conditional{bucket.Detect, Yes, Never}, c.Conditional):
		err = fmt.Errorf("s3: conditional writes %q: want yes or no", c.Conditional)
	}
	return header{encryption: encryption, class: c.StorageClass, acl: c.ACL, payer: c.RequesterPays}, err
}

// A connection is a client of minio-go for an address.
type connection struct {
	address *bucket.Address
	client  *minio.Core
}

// client returns the client for the current address.
func (t *Target) client() *minio.Core {
	if address := t.Address(); t.current.Load().address != address {
		_ = t.connectTo(address) // the client of the last address returns the reason again
	}
	return t.current.Load().client
}

// connectTo makes the client for an address.
func (t *Target) connectTo(a *bucket.Address) error {
	t.connect.Lock()
	defer t.connect.Unlock()
	if now := t.current.Load(); now != nil && now.address == a {
		return nil
	}
	lookup := minio.BucketLookupPath
	if a.Style == VirtualHost {
		lookup = minio.BucketLookupDNS
	}
	client, err := minio.NewCore(a.Endpoint.Host, &minio.Options{
		Creds: t.Credentials(), Secure: a.Endpoint.Scheme == "https", Region: a.Region, BucketLookup: lookup,
		Transport: t.transport, MaxRetries: 1, // Target.try retries
	})
	if err != nil {
		return fmt.Errorf("s3: %s: %w", a.Endpoint.Host, err)
	}
	client.SetS3EnableDualstack(false) // firewalls allow only the usual host names
	t.current.Store(&connection{a, client})
	return nil
}

// List implements [target.Target].
func (t *Target) List(ctx context.Context, prefix string) iter.Seq2[target.Entry, error] {
	return func(yield func(target.Entry, error) bool) {
		last, stopped := "", false // last is the key after which the next attempt continues
		err := t.try(ctx, "list", prefix, func(ctx context.Context, _ int) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			d := t.dialect.Load()
			for o := range t.client().ListObjectsIter(ctx, t.bucket, t.listOptions(d, prefix, last)) {
				if o.Err != nil {
					return o.Err
				}
				last = o.Key
				if strings.HasSuffix(o.Key, "/") || !strings.HasPrefix(o.Key, t.prefix+prefix) {
					continue // a folder marker of a console, or a key without the prefix
				}
				e := target.Entry{Key: strings.TrimPrefix(o.Key, t.prefix), Size: o.Size, Modified: o.LastModified}
				if !yield(e, nil) {
					stopped = true
					return nil
				}
			}
			return ctx.Err()
		})
		if err != nil && !stopped {
			yield(target.Entry{}, err)
		}
	}
}

func (t *Target) listOptions(d *dialect, prefix, after string) minio.ListObjectsOptions {
	o := minio.ListObjectsOptions{Prefix: t.prefix + prefix, Recursive: true, StartAfter: after, FetchOwner: new(bool), UseV1: d.listV1}
	if t.headers.payer {
		o.Set(bucket.RequestPayer, "requester")
	}
	return o
}
