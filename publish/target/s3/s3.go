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
// # Credentials
//
// The credentials are those in [Config], or else the first of these: AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY (with AWS_SESSION_TOKEN); the profile AWS_PROFILE of the shared files
// (~/.aws/credentials and ~/.aws/config, or AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE),
// with keys, SSO, credential_process or role_arn; a web identity (AWS_WEB_IDENTITY_TOKEN_FILE and
// AWS_ROLE_ARN); the role of a container; the role of a machine (EC2), unless
// AWS_EC2_METADATA_DISABLED is true. Expired credentials are requested again. Without any
// credentials, a public bucket can be read.
//
// # Aliyun OSS
//
// [OSS] uses the S3 interface of OSS and not its SDK. The interface has every request that is
// needed here (lists, ranges, multipart uploads, copies, batch deletion), so the retries, checks
// and tests of this package apply to it. OSS differs in a few ways: buckets are addressed in the
// virtual-host style only; If-Match and If-None-Match return 501; chunked signatures are not
// accepted; bodies are also checked by Content-MD5; and CORS is configured in the console. The
// credentials are OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET (with OSS_SESSION_TOKEN),
// ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET (with
// ALIBABA_CLOUD_SECURITY_TOKEN), or the first two kinds above.
// Source: https://www.alibabacloud.com/help/en/oss/developer-reference/compatibility-with-amazon-s3
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
	"cmp"
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"galbuild/publish/target"
	"galbuild/publish/target/internal/weburl"
)

// Config names a bucket and has the address of its server, the credentials and the options of
// writes. For Amazon S3, Bucket is enough.
type Config struct {
	Bucket string
	// Prefix is the folder in the bucket. Empty is the root of the bucket.
	Prefix string

	// Endpoint is the server's address, such as https://minio.example.com:9000, with the path
	// of its S3 API if there is one. Without a scheme, https is used. The default is the
	// variable AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, endpoint_url of the profile in
	// ~/.aws/config, or Amazon S3.
	Endpoint string
	// Region is the bucket's region. The default is the variable AWS_REGION or
	// AWS_DEFAULT_REGION, the region of the profile, the region that Amazon S3 reports, or
	// us-east-1 on other servers.
	Region string
	// Style is where URLs contain the bucket's name.
	Style Style
	// Conditional states whether the server honours If-Match and If-None-Match of a PUT.
	Conditional Conditional

	// AccessKey and SecretKey, and SessionToken for temporary credentials, take precedence over
	// the environment.
	AccessKey, SecretKey, SessionToken string
	// Profile is a profile in the shared files that takes precedence over the environment.
	Profile string
	// Anonymous sends requests without credentials, to read a public bucket.
	Anonymous bool

	// Encryption is the server-side encryption of new objects: AES256, aws:kms or
	// aws:kms:dsse. If it is empty, the bucket decides; if the bucket's policy requires the
	// header, the default encryption of the bucket is sent, or AES256.
	Encryption string
	// KMSKey is the key for aws:kms, and BucketKey uses it through a bucket key. If one of
	// them is set, an empty Encryption means aws:kms.
	KMSKey    string
	BucketKey bool
	// StorageClass is the storage class of new objects, such as INTELLIGENT_TIERING. Empty
	// is the bucket's default.
	StorageClass string
	// ACL is the canned ACL of new objects, such as bucket-owner-full-control.
	ACL string
	// RequesterPays pays for requests to a requester-pays bucket.
	RequesterPays bool

	// CAFile is a file of PEM certificates that are trusted in addition to the system's. The
	// default is the variable AWS_CA_BUNDLE, or ca_bundle of the profile.
	CAFile string
	// Transport sends the requests. The default honours CAFile and the variables HTTP_PROXY,
	// HTTPS_PROXY and NO_PROXY.
	Transport http.RoundTripper
	// Warn is called once if the server cannot do what a target needs. It may be nil.
	Warn func(message string)

	oss  bool
	role *role // of the profile in AWS's shared configuration file
}

// Style is a way of addressing buckets.
type Style string

const (
	Auto        Style = ""        // VirtualHost for Amazon S3 and OSS, Path for others
	Path        Style = "path"    // https://host/bucket/key
	VirtualHost Style = "virtual" // https://bucket.host/key
)

// Conditional states whether the server honours conditions of a PUT.
type Conditional string

const (
	Detect Conditional = ""    // the server is tested, except Amazon S3 and OSS
	Yes    Conditional = "yes" // the server is not tested; if it refuses them, that is an error
	Never  Conditional = "no"  // Swap uses a lock
)

// Target is a folder of a bucket.
type Target struct {
	dialect     atomic.Pointer[dialect]
	transport   http.RoundTripper
	keys        *credentials.Credentials
	chain       *chain // sources of credentials; nil if anonymous
	bucket      string
	prefix      string // empty, or with a trailing slash
	name        string
	anonymous   bool
	autoStyle   bool
	conditional bool // whether Conditional is Yes
	oss         bool
	headers     header
	limits      limits
	warn        func(message string)

	reached  atomic.Bool // whether the server has sent a response
	encrypts atomic.Bool // whether a write succeeded with the encryption that was tried
	mu       sync.Mutex  // guards replacing the dialect

	warned    sync.Once
	probing   sync.Mutex  // guards the following fields
	match     Conditional // whether If-Match is honoured; Detect until it has been tested
	noneMatch Conditional // whether If-None-Match: * is honoured
}

// New returns a target. It sends no request.
func New(c Config) (*Target, error) {
	if c.Bucket == "" || strings.Contains(c.Bucket, "/") {
		return nil, fmt.Errorf("s3: %q is not the name of a bucket", c.Bucket)
	}
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	endpoint, err := parseEndpoint(c.Endpoint, c.Bucket)
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	base, err := c.baseTransport()
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	headers, err := c.headers()
	if err != nil {
		return nil, err
	}
	isAmazon := isAmazonHost(endpoint.Hostname())
	t := &Target{
		chain: c.credentials(base), bucket: c.Bucket, anonymous: c.Anonymous, autoStyle: c.Style == Auto, conditional: c.Conditional == Yes,
		oss: c.oss, headers: headers, limits: defaultLimits, warn: c.Warn, match: c.Conditional, noneMatch: c.Conditional,
	}
	if c.Conditional == Detect && isAmazon {
		t.match, t.noneMatch = Yes, Yes
	}
	if prefix := strings.Trim(c.Prefix, "/"); prefix != "" {
		t.prefix = prefix + "/"
	}
	t.connect(base, endpoint.Path)
	t.name = t.describe(endpoint, isAmazon)
	d := &dialect{address: c.address(endpoint, isAmazon), md5: c.oss, encryption: headers.encryption}
	if d.client, err = t.newClient(d.address); err != nil {
		return nil, err
	}
	t.dialect.Store(d)
	return t, nil
}

// connect sets the credentials and the transport. path is the path of the S3 API on its server.
func (t *Target) connect(base http.RoundTripper, path string) {
	t.keys = credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	if !t.anonymous {
		t.keys = credentials.New(t.chain)
	}
	if path != "" {
		base = &prefixing{base, path, t.keys}
	}
	t.transport = &recorder{base, t.chain}
}

// complete sets missing fields from the environment, and then from the profile in AWS's shared
// configuration file, as AWS's tools do. If the endpoint is that of OSS, it completes the
// configuration for OSS.
func (c Config) complete() (Config, error) {
	var profile shared
	if !c.oss {
		var err error
		if profile, err = c.readShared(); err != nil {
			return c, err
		}
		c.Endpoint = cmp.Or(c.Endpoint, os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"), profile.endpoint, amazon)
		c.Style, c.role = cmp.Or(c.Style, profile.style), profile.role
	}
	c.CAFile = cmp.Or(c.CAFile, os.Getenv("AWS_CA_BUNDLE"), profile.ca)
	if endpoint, err := parseEndpoint(c.Endpoint, c.Bucket); err == nil && !c.oss && strings.HasSuffix(endpoint.Hostname(), ".aliyuncs.com") {
		if c, err = OSS(c); err != nil {
			return c, err
		}
	}
	c.Region = cmp.Or(c.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), profile.region)
	if c.Warn == nil {
		c.Warn = func(string) {}
	}
	return c, nil
}

// headers returns the headers that objects are sent with.
func (c *Config) headers() (header, error) {
	encryption, err := newEncryption(c)
	switch {
	case err != nil:
	case c.StorageClass == "GLACIER" || c.StorageClass == "DEEP_ARCHIVE":
		err = fmt.Errorf("s3: storage class %s: its objects cannot be read until they are restored, and editors do not wait", c.StorageClass)
	case !slices.Contains([]Conditional{Detect, Yes, Never}, c.Conditional):
		err = fmt.Errorf("s3: conditional writes %q: want yes or no", c.Conditional)
	case !slices.Contains([]Style{Auto, Path, VirtualHost}, c.Style):
		err = fmt.Errorf("s3: addressing style %q: want path or virtual", c.Style)
	}
	return header{encryption: encryption, class: c.StorageClass, acl: c.ACL, payer: c.RequesterPays}, err
}

// address returns the first address to try for the bucket.
func (c *Config) address(endpoint *url.URL, isAmazon bool) address {
	a := address{endpoint: *endpoint, region: c.Region, style: Path}
	if a.region == "" && !isAmazon {
		a.region = "us-east-1"
	}
	if c.Style == VirtualHost || c.Style == Auto && isAmazon && !strings.Contains(c.Bucket, ".") {
		a.style = VirtualHost // a certificate for *.host does not cover names with dots
	}
	return a
}

// client returns the client of the current dialect.
func (t *Target) client() *minio.Core { return t.dialect.Load().client }

const amazon = "https://s3.amazonaws.com"

func isAmazonHost(host string) bool {
	return strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")
}

func parseEndpoint(s, bucket string) (*url.URL, error) {
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := weburl.Parse(s, "https://host:9000")
	switch {
	case err != nil:
		return nil, fmt.Errorf("endpoint: %w", err)
	case u.User != nil:
		return nil, fmt.Errorf("the endpoint %s must not contain credentials: set them in the environment, a shared file or the configuration", u.Redacted())
	case strings.Trim(u.Path, "/") == bucket || strings.HasPrefix(strings.Trim(u.Path, "/"), bucket+"/"):
		return nil, fmt.Errorf("the endpoint %s has the bucket in its path: give the bucket and the folder in it as BUCKET/PREFIX", u.Redacted())
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}, nil
}

func (t *Target) describe(endpoint *url.URL, isAmazon bool) string {
	name := t.bucket + "/" + strings.TrimSuffix(t.prefix, "/")
	switch name = strings.TrimSuffix(name, "/"); {
	case t.oss:
		return "oss://" + name
	case isAmazon:
		return "s3://" + name
	}
	return fmt.Sprintf("s3://%s at %s", name, endpoint)
}

// String implements [target.Target].
func (t *Target) String() string { return t.name }

// List implements [target.Target].
func (t *Target) List(ctx context.Context, prefix string) iter.Seq2[target.Entry, error] {
	return func(yield func(target.Entry, error) bool) {
		last, stopped := "", false // last is the key after which the next attempt continues
		err := t.try(ctx, "list", prefix, func(ctx context.Context, _ int) error {
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			d := t.dialect.Load()
			for o := range d.client.ListObjectsIter(ctx, t.bucket, t.listOptions(d, prefix, last)) {
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
		o.Set(requestPayer, "requester")
	}
	return o
}
