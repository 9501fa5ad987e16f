package s3

import (
	"testing"

	"galbuild/publish/target/s3/bucket"
)

// TestErrorMessages parses the messages of servers that need a checksum, and others.
// Sources: versity/versitygw#1776, zmanda/amanda#275, s3tools/s3cmd#1436 and the servers' own code.
func TestErrorMessages(t *testing.T) {
	for _, x := range []struct {
		server, code, message string
		status                int
		checksum              bool
	}{
		{"Amazon S3", "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters", 400, true},
		{"Amazon S3, a part", "InvalidRequest", "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Part requests with Object Lock parameters", 400, true},
		{"Amazon S3 before checksums", "InvalidRequest", "Content-MD5 HTTP header is required for Put Object requests with Object Lock parameters", 400, true},
		{"MinIO", "MissingContentMD5", "Missing required header for this request: Content-Md5.", 400, true},
		{"bytes that have changed", "BadDigest", "The Content-MD5 you specified did not match what we received; it must.", 400, false},
		{"a server in trouble", "InternalError", "the checksum is missing", 500, false},
		{"a key that is denied", "AccessDenied", "Access Denied.", 403, false},
	} {
		if got := needsChecksum(bucket.Error{Code: x.code, Message: x.message, StatusCode: x.status}); got != x.checksum {
			t.Errorf("%s needs a checksum: %v", x.server, got)
		}
	}
}
