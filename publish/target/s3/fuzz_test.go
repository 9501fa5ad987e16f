package s3_test

import (
	"net/http"
	"testing"

	"galbuild/publish/target"
	"galbuild/publish/target/internal/resttest"
	"galbuild/publish/target/s3"
)

// FuzzResponse tests the client with arbitrary responses.
func FuzzResponse(f *testing.F) {
	open := func(transport http.RoundTripper) (target.Target, error) {
		return s3.New(s3.Config{
			Bucket: "site", Endpoint: "http://host", Region: "r", AccessKey: "key", SecretKey: "secret", Transport: transport,
		})
	}
	resttest.Fuzz(f, open,
		`<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>site</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>index/CURRENT</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>120</Size></Contents></ListBucketResult>`,
		`<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><Contents><Key>../../x</Key><Size>-1</Size></Contents></ListBucketResult>`,
		`<Error><Code>NoSuchKey</Code><Message>no</Message></Error>`, `<`, ``, `null`,
	)
}
