package s3

import (
	"net/http"
	"net/url"
	"regexp"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/signer"
)

// A prefixing transport sends requests to an S3 API that is below a path of its server. The
// signature covers the path, so requests are signed again.
type prefixing struct {
	base   http.RoundTripper
	prefix string // such as /storage/v1/s3
	keys   *credentials.Credentials
}

// RoundTrip implements [http.RoundTripper].
func (p *prefixing) RoundTrip(r *http.Request) (*http.Response, error) {
	to := r.Clone(r.Context())
	if to.URL.RawPath != "" {
		to.URL.RawPath = (&url.URL{Path: p.prefix}).EscapedPath() + to.URL.RawPath
	}
	to.URL.Path = p.prefix + to.URL.Path
	if scope := credentialScope.FindStringSubmatch(to.Header.Get("Authorization")); scope != nil {
		value, err := p.keys.GetWithContext(&credentials.CredContext{Client: http.DefaultClient, Context: r.Context()})
		if err != nil {
			return nil, err
		}
		to.Header.Del("Authorization")
		to = signer.SignV4(*to, value.AccessKeyID, value.SecretAccessKey, value.SessionToken, scope[1])
	}
	return p.base.RoundTrip(to)
}

// credentialScope finds the region in the Authorization header of a signed request.
var credentialScope = regexp.MustCompile(`Credential=[^,]*/\d{8}/([^/,]*)/s3/aws4_request`)
