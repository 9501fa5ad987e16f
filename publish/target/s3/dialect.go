package s3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"
	"golang.org/x/net/publicsuffix"
)

// A dialect is the form of the requests to a server: at first that of the configuration, then
// whatever the error responses of the server require. A change makes a new dialect, which is used
// for the rest of the run, and the refused request is sent again. Each change is made only once, so
// the retries end.
type dialect struct {
	address
	client *minio.Core

	md5         bool       // send Content-MD5 with bodies
	checksum    bool       // send x-amz-checksum-sha256 with bodies
	noChecksum  bool       // the server has refused that header
	encryption  encryption // encryption of new objects
	encrypted   bool       // encryption was tried because writes were denied without it
	listV1      bool       // use ListObjects
	noBatch     bool       // the server has no DeleteObjects
	noCopy      bool       // the server has no CopyObject
	noMultipart bool       // the server has no multipart uploads
	moves       int        // how often the address has changed
}

// An address is the address of a bucket.
type address struct {
	endpoint url.URL // scheme and host
	region   string  // empty: Amazon S3 reports it
	style    Style   // Path or VirtualHost
}

// maxMoves limits how often one run follows a redirect or tries another region.
const maxMoves = 4

// newClient returns a client for an address.
func (t *Target) newClient(a address) (*minio.Core, error) {
	lookup := minio.BucketLookupPath
	if a.style == VirtualHost {
		lookup = minio.BucketLookupDNS
	}
	client, err := minio.NewCore(a.endpoint.Host, &minio.Options{
		Creds: t.keys, Secure: a.endpoint.Scheme == "https", Region: a.region, BucketLookup: lookup,
		Transport: t.transport, MaxRetries: 1, // Target.try retries
	})
	if err != nil {
		return nil, fmt.Errorf("s3: %s: %w", a.endpoint.Host, err)
	}
	client.SetS3EnableDualstack(false) // firewalls allow only the usual host names
	return client, nil
}

// change replaces the dialect by a copy that do has changed.
func (t *Target) change(do func(d *dialect)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.dialect.Load()
	next := *now
	if do(&next); next != *now {
		t.dialect.Store(&next)
	}
}

// adapt changes the dialect as an error response requires. The request was made in the dialect
// before. adapt reports whether the request should be sent again.
func (t *Target) adapt(ctx context.Context, before *dialect, operation string, err error, response *http.Response) bool {
	e, ok := errors.AsType[minio.ErrorResponse](err)
	if !ok {
		return false
	}
	found := encryption{}
	if isWrite(operation) && e.Code == minio.AccessDenied && !before.encrypted && t.mayEncrypt(before) {
		found = t.bucketEncryption(ctx, before)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.dialect.Load()
	if now != before {
		return true // another request has changed the dialect meanwhile
	}
	next := *now
	switch {
	case t.moved(&next, e, response):
		if next.client, err = t.newClient(next.address); err != nil {
			return false
		}
	case isWrite(operation) && next.learnChecksum(e):
	case found.isSet():
		next.encryption, next.encrypted = found, true
	case operation == "list" && !next.listV1 && (isUnsupported(e) || isInvalid(e)):
		next.listV1 = true
	default:
		return false
	}
	t.dialect.Store(&next)
	return true
}

// isWrite reports whether an operation writes an object, and so may request encryption.
func isWrite(operation string) bool {
	return slices.Contains([]string{"put", "copy", "swap", "probe"}, operation)
}

// learnChecksum adds a checksum that the server requires, such as for a bucket with Object Lock, or
// drops one that the server does not support. It reports whether it has changed d.
func (d *dialect) learnChecksum(e minio.ErrorResponse) bool {
	switch {
	case d.checksum && !needsChecksum(e) && (isUnsupported(e) || strings.Contains(strings.ToLower(e.Message), "checksum")):
		d.checksum, d.noChecksum = false, true
	case !needsChecksum(e):
		return false
	case !d.md5:
		d.md5 = true
	case !d.checksum && !d.noChecksum:
		d.checksum = true
	default:
		return false
	}
	return true
}

var checksumNeeded = regexp.MustCompile(`(?i)(content-?md5|checksum).*(requir|missing|must)|(requir|missing|must).*(content-?md5|checksum)`)

// needsChecksum reports whether a body was refused because it has no checksum. Amazon S3
// returns InvalidRequest and MinIO MissingContentMD5; their messages are similar.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html (Content-MD5)
func needsChecksum(e minio.ErrorResponse) bool {
	return e.StatusCode >= 400 && e.StatusCode < 500 && !slices.Contains(temporary, e.Code) &&
		(checksumNeeded.MatchString(e.Message) || checksumNeeded.MatchString(e.Code))
}

// moved changes the address if the response names another region, style or endpoint.
func (t *Target) moved(d *dialect, e minio.ErrorResponse, response *http.Response) bool {
	if d.moves == maxMoves {
		return false
	}
	d.moves++
	if region := regionOf(e); region != "" && region != d.region {
		d.region = region
		return true
	}
	if to := t.redirect(d, e, response); to != nil {
		if host, ok := strings.CutPrefix(to.Host, t.bucket+"."); ok {
			d.endpoint, d.style = url.URL{Scheme: to.Scheme, Host: host}, VirtualHost
		} else {
			d.endpoint = *to
		}
		return true
	}
	if needsVirtualHost(e) && d.style == Path && t.autoStyle && net.ParseIP(d.endpoint.Hostname()) == nil {
		d.style = VirtualHost
		return true
	}
	d.moves--
	return false
}

var (
	wrongRegion = []string{"AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException", "IncorrectEndpoint"}
	expected    = regexp.MustCompile(`(?i)region .*expecting:? ['"‘]([a-z0-9-]+)['"’]`)
	scope       = regexp.MustCompile(`expected: \d{8}/([a-z0-9-]+)/s3/`) // Garage
)

// regionOf returns the region that the server expects, according to its response.
func regionOf(e minio.ErrorResponse) string {
	bare := e.StatusCode == http.StatusBadRequest && e.Region != "" && strings.HasPrefix(e.Code, "400") // an error without a body, with X-Amz-Bucket-Region
	if !slices.Contains(wrongRegion, e.Code) && e.StatusCode != http.StatusMovedPermanently && !bare {
		return ""
	}
	if e.Region != "" {
		return e.Region
	}
	for _, pattern := range []*regexp.Regexp{expected, scope} {
		if found := pattern.FindStringSubmatch(e.Message); found != nil {
			return found[1]
		}
	}
	return ""
}

// redirect returns the endpoint of a redirect if it may be followed: not from https to
// http, and not to another organisation's host, which would receive the content and the
// session token.
func (t *Target) redirect(d *dialect, e minio.ErrorResponse, response *http.Response) *url.URL {
	to := redirectOf(e, response)
	switch {
	case to == nil || to.Scheme == d.endpoint.Scheme && to.Host == d.endpoint.Host:
		return nil
	case to.Scheme != "https" && d.endpoint.Scheme == "https", !sameSite(to.Hostname(), d.endpoint.Hostname()):
		return nil
	case d.style == VirtualHost && to.Host == t.bucket+"."+d.endpoint.Host && to.Scheme == d.endpoint.Scheme:
		return nil // the request was already sent there
	}
	return to
}

// redirectOf returns the scheme and host of a redirect, or nil.
func redirectOf(e minio.ErrorResponse, response *http.Response) *url.URL {
	if response == nil || e.StatusCode < 300 || e.StatusCode >= 400 {
		return nil
	}
	to, err := response.Location()
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return nil
	}
	return &url.URL{Scheme: to.Scheme, Host: to.Host}
}

// sameSite reports whether two hosts are equal or below one registered domain.
func sameSite(a, b string) bool {
	if a == b {
		return true
	}
	if net.ParseIP(a) != nil || net.ParseIP(b) != nil {
		return false
	}
	x, errX := publicsuffix.EffectiveTLDPlusOne(a)
	y, errY := publicsuffix.EffectiveTLDPlusOne(b)
	return errX == nil && errY == nil && x == y || isAmazonHost(a) && isAmazonHost(b)
}

var virtualHostNeeded = regexp.MustCompile(`(?i)virtual.?(host|styled?)|path.?style`)

// needsVirtualHost reports whether the path style was refused: by Aliyun OSS
// (SecondLevelDomainForbidden), Tencent COS (PathStyleDomainForbidden), Huawei OBS
// (VirtualHostDomainRequired) or Volcengine TOS (InvalidPathAccess).
func needsVirtualHost(e minio.ErrorResponse) bool {
	codes := []string{"SecondLevelDomainForbidden", "PathStyleDomainForbidden", "VirtualHostDomainRequired", "InvalidPathAccess"}
	return slices.Contains(codes, e.Code) || e.StatusCode >= 400 && e.StatusCode < 500 && virtualHostNeeded.MatchString(e.Message)
}
