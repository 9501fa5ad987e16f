package bucket

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7/pkg/signer"

	"galbuild/publish/target"
)

// Presign implements [target.Presigner]. Without credentials, the address is that of the object,
// which must be public, and the server chooses the headers. With temporary credentials, the address
// expires with them.
func (b *Bucket) Presign(ctx context.Context, key string, p target.Presign) (string, error) {
	at := b.Address()
	value, err := b.value(ctx)
	if err != nil {
		return "", b.Failed("presign", key, err, nil, nil)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "", nil)
	if err != nil {
		return "", err
	}
	request.URL = b.url(at, key)
	request.Host = request.URL.Host
	if value.AccessKeyID == "" {
		return request.URL.String(), nil
	}
	query := url.Values{}
	for name, header := range map[string]string{
		"response-content-type": p.MediaType, "response-content-disposition": p.Disposition, "response-cache-control": p.CacheControl,
	} {
		if header != "" {
			query.Set(name, header)
		}
	}
	request.URL.RawQuery = query.Encode()
	if p.Expires < time.Second {
		return "", fmt.Errorf("presign %s in %s: an address must be valid for at least a second", key, b)
	}
	request = signer.PreSignV4(*request, value.AccessKeyID, value.SecretAccessKey, value.SessionToken, at.signingRegion(), int64(p.Expires/time.Second))
	return request.URL.String(), nil
}
