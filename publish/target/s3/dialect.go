package s3

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"galbuild/publish/target/s3/bucket"
)

// A dialect is the form of the requests to a server: at first that of the configuration, then
// whatever the error responses of the server require. A change makes a new dialect, which is used
// for the rest of the run, and the refused request is sent again. Each change is made only once, so
// the retries end. The address of the server changes in the same way, see package bucket.
type dialect struct {
	md5         bool       // send Content-MD5 with bodies
	checksum    bool       // send x-amz-checksum-sha256 with bodies
	noChecksum  bool       // the server has refused that header
	encryption  encryption // encryption of new objects
	encrypted   bool       // encryption was tried because writes were denied without it
	listV1      bool       // use ListObjects
	noBatch     bool       // the server has no DeleteObjects
	noCopy      bool       // the server has no CopyObject
	noMultipart bool       // the server has no multipart uploads
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
func (t *Target) adapt(ctx context.Context, before *dialect, operation string, err error) bool {
	e, ok := errors.AsType[bucket.Error](err)
	if !ok {
		return false
	}
	found := encryption{}
	if isWrite(operation) && e.Code == accessDenied && !before.encrypted && t.mayEncrypt(before) {
		found = t.bucketEncryption(ctx)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.dialect.Load()
	if now != before {
		return true // another request has changed the dialect meanwhile
	}
	next := *now
	switch {
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
func (d *dialect) learnChecksum(e bucket.Error) bool {
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
func needsChecksum(e bucket.Error) bool {
	return e.StatusCode >= 400 && e.StatusCode < 500 && !e.IsTemporary() &&
		(checksumNeeded.MatchString(e.Message) || checksumNeeded.MatchString(e.Code))
}
