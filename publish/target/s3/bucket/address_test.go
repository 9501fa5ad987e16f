package bucket

import (
	"testing"
	"time"
)

// TestErrorMessages parses the messages of servers that need another style or region, and others.
// Sources: versity/versitygw#1776, zmanda/amanda#275, s3tools/s3cmd#1436 and the servers' own code.
func TestErrorMessages(t *testing.T) {
	for _, x := range []struct {
		server, code, message string
		status                int
		virtual               bool
		region                string
	}{
		{"bytes that have changed", "BadDigest", "The Content-MD5 you specified did not match what we received; it must.", 400, false, ""},
		{"a server in trouble", "InternalError", "the checksum is missing", 500, false, ""},
		{"Aliyun OSS", "SecondLevelDomainForbidden", "Please use virtual hosted style to access.", 403, true, ""},
		{"Tencent COS", "PathStyleDomainForbidden", "The bucket you are attempting to access must be addressed using COS virtual-styled domain.", 400, true, ""},
		{"Huawei OBS", "VirtualHostDomainRequired", "Virtual host domain is required while accessing a specific bucket.", 403, true, ""},
		{"a key that is denied", "AccessDenied", "Access Denied.", 403, false, ""},
		{"MinIO, its region", "AuthorizationHeaderMalformed", "The authorization header is malformed; the region is wrong; expecting 'eu-central-1'.", 400, false, "eu-central-1"},
		{"versitygw, its region", "AuthorizationHeaderMalformed", `The authorization header is malformed; the region "a" is wrong; expecting "us-east-1"`, 400, false, "us-east-1"},
		{"Garage, its region", "AuthorizationHeaderMalformed", "Authorization header malformed, unexpected scope: 20260101/us-east-1/s3/aws4_request, expected: 20260101/garage/s3/aws4_request", 400, false, "garage"},
	} {
		e := Error{Code: x.code, Message: x.message, StatusCode: x.status}
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
