package bucket

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"
	"golang.org/x/net/publicsuffix"
)

// An Address is the address of a bucket: at first that of the configuration, then whatever the
// error responses of the server require. Addresses are not changed: a new one replaces the old one,
// and is used for the rest of the run. Each change is made only once, so the retries end.
type Address struct {
	Endpoint url.URL // scheme and host
	Region   string  // empty: Amazon S3 reports it
	Style    Style   // Path or VirtualHost
	moves    int     // how often the address has changed
}

// maxMoves limits how often one run follows a redirect or tries another region.
const maxMoves = 4

const (
	amazon     = "https://s3.amazonaws.com"
	amazonHost = "s3.amazonaws.com"
	someRegion = "us-east-1" // for the signature, if the region is not known
)

func isAmazonHost(host string) bool {
	return strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")
}

// firstAddress returns the first address to try for the bucket.
func (c *Config) firstAddress(endpoint *url.URL, isAmazon bool) *Address {
	a := &Address{Endpoint: url.URL{Scheme: endpoint.Scheme, Host: endpoint.Host}, Region: c.Region, Style: Path}
	if a.Region == "" && !isAmazon {
		a.Region = someRegion
	}
	if c.Style == VirtualHost || c.Style == Auto && isAmazon && !strings.Contains(c.Bucket, ".") {
		a.Style = VirtualHost // a certificate for *.host does not cover names with dots
	}
	return a
}

// Address returns the current address.
func (b *Bucket) Address() *Address { return b.address.Load() }

// signingRegion returns the region of signatures.
func (a *Address) signingRegion() string {
	switch {
	case a.Region != "":
		return a.Region
	case s3utils.GetRegionFromURL(a.Endpoint) != "":
		return s3utils.GetRegionFromURL(a.Endpoint)
	}
	return someRegion
}

// host returns the host of the server. That of Amazon S3 depends on the region, if it is known.
func (a *Address) host() string {
	switch {
	case a.Endpoint.Host != amazonHost || a.Region == "":
		return a.Endpoint.Host
	case strings.HasPrefix(a.Region, "cn-"):
		return "s3." + a.Region + ".amazonaws.com.cn"
	}
	return "s3." + a.Region + ".amazonaws.com"
}

// url returns the URL of an object.
func (b *Bucket) url(a *Address, key string) *url.URL {
	host, path := a.host(), "/"+b.prefix+key
	if a.Style == VirtualHost {
		host = b.config.Bucket + "." + host
	} else {
		path = "/" + b.config.Bucket + path
	}
	path = b.path + path
	return &url.URL{Scheme: a.Endpoint.Scheme, Host: host, Path: path, RawPath: s3utils.EncodePath(path)}
}

// move changes the address as an error response requires. The request was sent to the address
// before. move reports whether the request should be sent again.
func (b *Bucket) move(before *Address, err error, response *http.Response) bool {
	e, ok := errors.AsType[Error](err)
	if !ok {
		return false
	}
	b.moving.Lock()
	defer b.moving.Unlock()
	now := b.address.Load()
	if now != before {
		return true // another request has changed the address meanwhile
	}
	next := *now
	if !b.moved(&next, e, response) {
		return false
	}
	b.address.Store(&next)
	return true
}

// moved changes the address if the response names another region, style or endpoint.
func (b *Bucket) moved(a *Address, e Error, response *http.Response) bool {
	if a.moves == maxMoves {
		return false
	}
	a.moves++
	if region := regionOf(e); region != "" && region != a.Region {
		a.Region = region
		return true
	}
	if to := b.redirect(a, e, response); to != nil {
		if host, ok := strings.CutPrefix(to.Host, b.config.Bucket+"."); ok {
			a.Endpoint, a.Style = url.URL{Scheme: to.Scheme, Host: host}, VirtualHost
		} else {
			a.Endpoint = *to
		}
		return true
	}
	if needsVirtualHost(e) && a.Style == Path && b.config.Style == Auto && net.ParseIP(a.Endpoint.Hostname()) == nil {
		a.Style = VirtualHost
		return true
	}
	a.moves--
	return false
}

var (
	wrongRegion = []string{"AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException", "IncorrectEndpoint"}
	expected    = regexp.MustCompile(`(?i)region .*expecting:? ['"‘]([a-z0-9-]+)['"’]`)
	scope       = regexp.MustCompile(`expected: \d{8}/([a-z0-9-]+)/s3/`) // Garage
)

// regionOf returns the region that the server expects, according to its response.
func regionOf(e Error) string {
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
func (b *Bucket) redirect(a *Address, e Error, response *http.Response) *url.URL {
	to := redirectOf(e, response)
	switch {
	case to == nil || to.Scheme == a.Endpoint.Scheme && to.Host == a.Endpoint.Host:
		return nil
	case to.Scheme != "https" && a.Endpoint.Scheme == "https", !sameSite(to.Hostname(), a.Endpoint.Hostname()):
		return nil
	case a.Style == VirtualHost && to.Host == b.config.Bucket+"."+a.host() && to.Scheme == a.Endpoint.Scheme:
		return nil // the request was already sent there
	}
	return to
}

// redirectOf returns the scheme and host of a redirect, or nil.
func redirectOf(e Error, response *http.Response) *url.URL {
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
func needsVirtualHost(e Error) bool {
	codes := []string{"SecondLevelDomainForbidden", "PathStyleDomainForbidden", "VirtualHostDomainRequired", "InvalidPathAccess"}
	return slices.Contains(codes, e.Code) || e.StatusCode >= 400 && e.StatusCode < 500 && virtualHostNeeded.MatchString(e.Message)
}
