// Package bucket reads objects of a bucket: of Amazon S3, of a server with the same protocol, or of
// Aliyun OSS. It is the half of package s3 that galshim links too: the configuration of a bucket,
// the credentials, the address of the server, one GET for each object, and the hints in errors.
//
// # Requests
//
// An object is read by a GET that is signed with Signature Version 4. If a connection breaks,
// reading continues where it stopped, with a Range and If-Match. [Bucket.Presign] returns an
// address that anyone can read an object at for a limited time.
//
// If the error response to a request states that the bucket is in another region, at another
// endpoint within the same domain, or only accepts the virtual-host style, the Bucket sends the
// request again in the new form, and makes all later requests in it.
//
// # Credentials
//
// The credentials are those in [Config], or else the first of these: AWS_ACCESS_KEY_ID and
// AWS_SECRET_ACCESS_KEY (with AWS_SESSION_TOKEN); the profile AWS_PROFILE of the shared files
// (~/.aws/credentials and ~/.aws/config, or AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE),
// with keys, SSO, credential_process or role_arn; a web identity (AWS_WEB_IDENTITY_TOKEN_FILE and
// AWS_ROLE_ARN); the role of a container; the role of a machine (EC2), unless
// AWS_EC2_METADATA_DISABLED is true. Without any credentials, a public bucket can be read.
//
// Keys in a shared file are read for each request, so they can be replaced at any time. Temporary
// credentials are requested again before they expire, and when the server refuses them; then the
// request is sent again if they differ from those before.
//
// # Aliyun OSS
//
// [OSS] uses the S3 interface of OSS and not its SDK. The interface has every request that is
// needed here (lists, ranges, multipart uploads, copies, batch deletion), so the retries, checks
// and tests of packages bucket and s3 apply to it. OSS differs in a few ways: buckets are addressed
// in the virtual-host style only; If-Match and If-None-Match of a write return 501; chunked
// signatures are not accepted; bodies are also checked by Content-MD5; and CORS is configured in
// the console. The credentials are OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET (with
// OSS_SESSION_TOKEN), ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET (with
// ALIBABA_CLOUD_SECURITY_TOKEN), or the first two kinds above.
// Source: https://www.alibabacloud.com/help/en/oss/developer-reference/compatibility-with-amazon-s3
package bucket

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

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

	// AccessKey and SecretKey, and SessionToken for temporary credentials, take precedence over
	// the environment.
	AccessKey, SecretKey, SessionToken string
	// Profile is a profile in the shared files that takes precedence over the environment.
	Profile string
	// Anonymous sends requests without credentials, to read a public bucket.
	Anonymous bool
	// RequesterPays pays for requests to a requester-pays bucket.
	RequesterPays bool

	// The following options are those of writes, by package s3.

	// Conditional states whether the server honours If-Match and If-None-Match of a PUT.
	Conditional Conditional
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

	// CAFile is a file of PEM certificates that are trusted in addition to the system's. The
	// default is the variable AWS_CA_BUNDLE, or ca_bundle of the profile.
	CAFile string
	// Transport sends the requests. The default honours CAFile and the variables HTTP_PROXY,
	// HTTPS_PROXY and NO_PROXY.
	Transport http.RoundTripper
	// Warn is called once if the server cannot do what a target needs. It may be nil.
	Warn func(message string)
	// Once sends each request once: the caller repeats it.
	Once bool
	// Stall is how long no data may be transferred; 0 means no limit.
	Stall time.Duration
	// Agent is the header User-Agent of the requests that read. The default is Go's.
	Agent string

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

// Bucket reads the objects of a folder of a bucket. It implements [target.Reader].
type Bucket struct {
	config    Config // completed
	prefix    string // empty, or with a trailing slash
	name      string
	transport http.RoundTripper
	path      string // of the S3 API on its server
	keys      *credentials.Credentials
	chain     *chain // sources of credentials; nil if anonymous
	amazon    bool   // whether the server is Amazon's
	address   atomic.Pointer[Address]
	moving    sync.Mutex  // guards replacing the address
	reached   atomic.Bool // whether the server has sent a response
}

// New returns a bucket. It sends no request.
func New(c Config) (*Bucket, error) {
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
	if c.Style != Auto && c.Style != Path && c.Style != VirtualHost {
		return nil, fmt.Errorf("s3: addressing style %q: want path or virtual", c.Style)
	}
	base, err := c.baseTransport()
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	b := &Bucket{config: c, path: endpoint.Path, chain: c.credentials(base), amazon: isAmazonHost(endpoint.Hostname())}
	if prefix := strings.Trim(c.Prefix, "/"); prefix != "" {
		b.prefix = prefix + "/"
	}
	b.keys = credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	if !c.Anonymous {
		b.keys = credentials.New(b.chain)
	}
	b.transport = &recorder{base, b.chain}
	b.name = b.describe(endpoint)
	b.address.Store(c.firstAddress(endpoint, b.amazon))
	return b, nil
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

func (b *Bucket) describe(endpoint *url.URL) string {
	name := strings.TrimSuffix(b.config.Bucket+"/"+strings.TrimSuffix(b.prefix, "/"), "/")
	switch {
	case b.config.oss:
		return "oss://" + name
	case b.amazon:
		return "s3://" + name
	}
	return fmt.Sprintf("s3://%s at %s", name, endpoint)
}

// String implements [target.Reader].
func (b *Bucket) String() string { return b.name }

// Config returns the configuration, completed with the settings of the environment.
func (b *Bucket) Config() Config { return b.config }

// Prefix returns what the names of all objects begin with: "", or a path with a trailing slash.
func (b *Bucket) Prefix() string { return b.prefix }

// Credentials returns the credentials, for requests that a Bucket does not make.
func (b *Bucket) Credentials() *credentials.Credentials { return b.keys }

// IsAmazon reports whether the server is Amazon's, according to its name.
func (b *Bucket) IsAmazon() bool { return b.amazon }

// IsOSS reports whether the server is that of Aliyun OSS.
func (b *Bucket) IsOSS() bool { return b.config.oss }

// Transport returns the transport for all requests. Its responses are those that Amazon S3 would
// send, see normalize.
func (b *Bucket) Transport() http.RoundTripper { return b.transport }

// Path returns the path of the S3 API on its server, or "".
func (b *Bucket) Path() string { return b.path }
