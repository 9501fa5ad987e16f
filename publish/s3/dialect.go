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

// A dialect is how a server is spoken to: first as the configuration says, then as the
// server's own responses ask for. A new one replaces it, for the rest of the run, and a
// request that was refused is sent again. Each change is made once, so that it ends.
type dialect struct {
	address
	client *minio.Core

	md5         bool       // bodies carry Content-MD5
	checksum    bool       // bodies carry x-amz-checksum-sha256
	noChecksum  bool       // the server has refused that header
	encryption  encryption // what writes ask for
	encrypted   bool       // encryption was tried because writes were denied without it
	listV1      bool       // lists are of the first version
	noBatch     bool       // there is no DeleteObjects
	noCopy      bool       // there is no CopyObject
	noMultipart bool       // there are no multipart uploads
	moves       int        // how often the address has changed
}

// An address is where a bucket is.
type address struct {
	endpoint url.URL // scheme and host
	region   string  // empty if Amazon S3 is to tell
	style    Style   // Path or VirtualHost
}

// maxMoves is how many redirects are followed, and other regions tried, in one run.
const maxMoves = 4

// newClient returns the client for an address.
func (t *Target) newClient(a address) (*minio.Core, error) {
	lookup := minio.BucketLookupPath
	if a.style == VirtualHost {
		lookup = minio.BucketLookupDNS
	}
	client, err := minio.NewCore(a.endpoint.Host, &minio.Options{
		Creds: t.keys, Secure: a.endpoint.Scheme == "https", Region: a.region, BucketLookup: lookup,
		Transport: t.transport, MaxRetries: 1, // Target.try does it
	})
	if err != nil {
		return nil, fmt.Errorf("s3: %s: %w", a.endpoint.Host, err)
	}
	client.SetS3EnableDualstack(false) // the names that firewalls know
	return client, nil
}

// change replaces the dialect by what do makes of it.
func (t *Target) change(do func(d *dialect)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.dialect.Load()
	next := *now
	if do(&next); next != *now {
		t.dialect.Store(&next)
	}
}

// adapt learns from a refusal of a request that was made in the dialect before. It tells
// whether the request is worth sending again.
func (t *Target) adapt(ctx context.Context, before *dialect, doing string, err error, response *http.Response) bool {
	e, ok := errors.AsType[minio.ErrorResponse](err)
	if !ok {
		return false
	}
	found := encryption{}
	if isWrite(doing) && e.Code == minio.AccessDenied && !before.encrypted && t.mayEncrypt(before) {
		found = t.bucketEncryption(ctx, before)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.dialect.Load()
	if now != before {
		return true // another request has learnt something meanwhile
	}
	next := *now
	switch {
	case t.moved(&next, e, response):
		if next.client, err = t.newClient(next.address); err != nil {
			return false
		}
	case isWrite(doing) && next.learnChecksum(e):
	case found.isSet():
		next.encryption, next.encrypted = found, true
	case doing == "list" && !next.listV1 && isUnsupported(e):
		next.listV1 = true
	default:
		return false
	}
	t.dialect.Store(&next)
	return true
}

// isWrite tells which requests carry bodies and encryption.
func isWrite(doing string) bool {
	return slices.Contains([]string{"put", "copy", "swap", "probe"}, doing)
}

// learnChecksum adds the checksum that the server asks for, as buckets with Object Lock
// do, or leaves out one that it does not know.
func (d *dialect) learnChecksum(e minio.ErrorResponse) bool {
	switch {
	case d.checksum && !wantsChecksum(e) && (isUnsupported(e) || strings.Contains(strings.ToLower(e.Message), "checksum")):
		d.checksum, d.noChecksum = false, true
	case !wantsChecksum(e):
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

// wantsChecksum tells whether a body was refused for having no checksum. Amazon S3 says
// InvalidRequest, MinIO MissingContentMD5; the message is what they have in common.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html (Content-MD5)
func wantsChecksum(e minio.ErrorResponse) bool {
	return e.StatusCode >= 400 && e.StatusCode < 500 && !slices.Contains(passing, e.Code) &&
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
	if wantsVirtualHost(e) && d.style == Path && t.autoStyle && net.ParseIP(d.endpoint.Hostname()) == nil {
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

// regionOf returns the region that the server says it expects.
func regionOf(e minio.ErrorResponse) string {
	if !slices.Contains(wrongRegion, e.Code) && e.StatusCode != http.StatusMovedPermanently {
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

// redirect returns the endpoint that a redirect leads to, provided that it may be
// followed: not from https to http, and not to another organisation's host, which would
// be sent the content and the session's token.
func (t *Target) redirect(d *dialect, e minio.ErrorResponse, response *http.Response) *url.URL {
	to := redirectOf(e, response)
	switch {
	case to == nil || to.Scheme == d.endpoint.Scheme && to.Host == d.endpoint.Host:
		return nil
	case to.Scheme != "https" && d.endpoint.Scheme == "https", !sameSite(to.Hostname(), d.endpoint.Hostname()):
		return nil
	case d.style == VirtualHost && to.Host == t.bucket+"."+d.endpoint.Host && to.Scheme == d.endpoint.Scheme:
		return nil // which is where the request was
	}
	return to
}

// redirectOf returns scheme and host of a redirect, or nil.
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

// sameSite tells whether two hosts are one, or are below one registered domain.
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

// wantsVirtualHost tells whether the path style was refused: by Aliyun OSS
// (SecondLevelDomainForbidden), Tencent COS (PathStyleDomainForbidden), Huawei OBS
// (VirtualHostDomainRequired) and Volcengine TOS (InvalidPathAccess).
func wantsVirtualHost(e minio.ErrorResponse) bool {
	known := []string{"SecondLevelDomainForbidden", "PathStyleDomainForbidden", "VirtualHostDomainRequired", "InvalidPathAccess"}
	return slices.Contains(known, e.Code) || e.StatusCode >= 400 && e.StatusCode < 500 && virtualHostNeeded.MatchString(e.Message)
}
