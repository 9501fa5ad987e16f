package s3

import (
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
)

// TestErrorMessages parses the error messages of many servers.
// Sources: versity/versitygw#1776, zmanda/amanda#275, s3tools/s3cmd#1436 and the servers' own code.
func TestErrorMessages(t *testing.T) {
	for _, x := range []struct {
		server, code, message string
		status                int
		checksum, virtual     bool
		region                string
	}{
		{"Amazon S3", "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters", 400, true, false, ""},
		{"Amazon S3, a part", "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Part requests with Object Lock parameters", 400, true, false, ""},
		{"Amazon S3 before checksums", "InvalidRequest", "Content-MD5 HTTP header is required for Put Object requests with Object Lock parameters", 400, true, false, ""},
		{"MinIO", "MissingContentMD5", "Missing required header for this request: Content-Md5.", 400, true, false, ""},
		{"bytes that have changed", "BadDigest", "The Content-MD5 you specified did not match what we received; it must.", 400, false, false, ""},
		{"a server in trouble", "InternalError", "the checksum is missing", 500, false, false, ""},
		{"Aliyun OSS", "SecondLevelDomainForbidden", "Please use virtual hosted style to access.", 403, false, true, ""},
		{"Tencent COS", "PathStyleDomainForbidden", "The bucket you are attempting to access must be addressed using COS virtual-styled domain.", 400, false, true, ""},
		{"Huawei OBS", "VirtualHostDomainRequired", "Virtual host domain is required while accessing a specific bucket.", 403, false, true, ""},
		{"a key that is denied", "AccessDenied", "Access Denied.", 403, false, false, ""},
		{"MinIO, its region", "AuthorizationHeaderMalformed", "The authorization header is malformed; the region is wrong; expecting 'eu-central-1'.", 400, false, false, "eu-central-1"},
		{"versitygw, its region", "AuthorizationHeaderMalformed", `The authorization header is malformed; the region "a" is wrong; expecting "us-east-1"`, 400, false, false, "us-east-1"},
		{"Garage, its region", "AuthorizationHeaderMalformed", "Authorization header malformed, unexpected scope: 20260101/us-east-1/s3/aws4_request, expected: 20260101/garage/s3/aws4_request", 400, false, false, "garage"},
	} {
		e := minio.ErrorResponse{Code: x.code, Message: x.message, StatusCode: x.status}
		if got := needsChecksum(e); got != x.checksum {
			t.Errorf("%s needs a checksum: %v", x.server, got)
		}
		if got := needsVirtualHost(e); got != x.virtual {
			t.Errorf("%s needs the virtual-host style: %v", x.server, got)
		}
		if got := regionOf(e); got != x.region {
			t.Errorf("%s: the region is %q, want %q", x.server, got, x.region)
		}
	}
}

// TestDates parses the date formats of servers, and keeps text that is not a date.
func TestDates(t *testing.T) {
	const want = "2026-01-02T03:04:05Z"
	for _, text := range []string{
		want, "2026-01-02T03:04:05.000Z", "2026-01-02T03:04:05", "2026-01-02T03:04:05+0000", "2026-01-02T05:04:05+02:00",
		"2026-01-02 03:04:05", "2026-01-02 03:04:05 +0000 UTC", "Fri, 02 Jan 2026 03:04:05 GMT", "Fri Jan  2 03:04:05 2026",
	} {
		if got := normalizeTime(text, time.RFC3339, time.Time{}); got != want {
			t.Errorf("%s: got %s", text, got)
		}
	}
	if got := normalizeTime("yesterday", time.RFC3339, time.Time{}); got != "yesterday" {
		t.Errorf("got %s", got)
	}
}

// TestSameSite checks to which hosts redirects are followed.
func TestSameSite(t *testing.T) {
	for _, x := range []struct {
		from, to string
		want     bool
	}{
		{"s3.example.com", "node3.s3.example.com", true}, {"s3.example.com", "s3.example.org", false},
		{"s3.example.co.uk", "s3.other.co.uk", false}, {"127.0.0.1", "127.0.0.2", false}, {"127.0.0.1", "127.0.0.1", true},
		{"s3.amazonaws.com", "s3.cn-north-1.amazonaws.com.cn", true}, {"s3.corp", "node.s3.corp", true}, {"minio", "minio", true}, {"minio", "other", false},
	} {
		if got := sameSite(x.to, x.from); got != x.want {
			t.Errorf("from %s to %s: got %v", x.from, x.to, got)
		}
	}
}
