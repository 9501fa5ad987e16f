package s3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"galbuild/publish/s3"
)

type roundTrip func(r *http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	return f(r)
}

// FuzzResponse sends responses that no server should send. The result is an error, or
// entries below the requested prefix.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{
		`<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>site</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated><Contents><Key>index/CURRENT</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>120</Size></Contents></ListBucketResult>`,
		`<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><Contents><Key>../../x</Key><Size>-1</Size></Contents></ListBucketResult>`,
		`<Error><Code>NoSuchKey</Code><Message>no</Message></Error>`, `<`, ``, `null`,
	} {
		f.Add(200, []byte(seed))
		f.Add(409, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return
		}
		requests := 0
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		target, err := s3.New(s3.Config{
			Bucket: "site", Endpoint: "http://host", Region: "r", AccessKey: "key", SecretKey: "secret",
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				if requests++; requests > 1 || status >= 400 { // which it would try again, ever more slowly
					cancel()
					if requests > 8 {
						return nil, errors.New("enough")
					}
				}
				return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		const prefix = "index/"
		for e, err := range target.List(ctx, prefix) {
			if err == nil && !strings.HasPrefix(e.Key, prefix) {
				t.Errorf("%q is listed below %q", e.Key, prefix)
			}
		}
		if r, err := target.Get(ctx, "index/CURRENT", 0, -1); err == nil {
			io.Copy(io.Discard, r)
			r.Close()
		}
		_ = target.Delete(ctx, []string{"index/x"})
	})
}
