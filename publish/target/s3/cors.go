package s3

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7/pkg/cors"

	"galbuild/build/jsondoc"
)

// corsID is the ID of galbuild's rule in a bucket's CORS configuration.
const corsID = "galbuild"

// corsRule allows pages of every origin to read, because the origin of an editor in a browser is
// not that of the bucket. It gives no access to users who have none otherwise.
func corsRule() cors.Rule {
	return cors.Rule{
		ID: corsID, AllowedOrigin: []string{"*"}, AllowedMethod: []string{"GET", "HEAD"}, AllowedHeader: []string{"*"},
		ExposeHeader:  []string{"Accept-Ranges", "Content-Length", "Content-Range", "Content-Type", "ETag", "Last-Modified"},
		MaxAgeSeconds: 3600,
	}
}

// CORSJSON returns the policy for `aws s3api put-bucket-cors --cors-configuration`.
func CORSJSON() string {
	r := corsRule()
	b, err := jsondoc.Indented(map[string]any{"CORSRules": []any{struct {
		ID             string
		AllowedOrigins []string
		AllowedMethods []string
		AllowedHeaders []string
		ExposeHeaders  []string
		MaxAgeSeconds  int
	}{r.ID, r.AllowedOrigin, r.AllowedMethod, r.AllowedHeader, r.ExposeHeader, r.MaxAgeSeconds}}})
	if err != nil {
		panic(err) // strings and a number
	}
	return string(b)
}

// CORSXML returns the policy in the XML of the S3 protocol, which consoles and other tools accept.
func CORSXML() string {
	b, err := cors.NewConfig([]cors.Rule{corsRule()}).ToXML()
	if err != nil {
		panic(err) // strings and a number
	}
	return string(b) + "\n"
}

// CORS adds the policy to the bucket's rules. It replaces a rule that galbuild has added before.
func (t *Target) CORS(ctx context.Context) error {
	err := t.try(ctx, "set the CORS policy of", t.bucket, t.addCORS)
	switch {
	case isUnsupported(err) || t.IsOSS() && err != nil:
		return fmt.Errorf("%w: set it in the server's console or configuration:\n%s", err, strings.TrimSpace(CORSXML()))
	case code(err) == accessDenied:
		return fmt.Errorf("%w: this needs s3:GetBucketCORS and s3:PutBucketCORS", err)
	}
	return err
}

func (t *Target) addCORS(ctx context.Context, _ int) error {
	config, err := t.client().GetBucketCors(ctx, t.bucket)
	if err != nil && code(err) != "NoSuchCORSConfiguration" {
		return err
	}
	if config == nil {
		config = cors.NewConfig(nil)
	}
	config.CORSRules = slices.DeleteFunc(config.CORSRules, func(r cors.Rule) bool { return r.ID == corsID })
	config.CORSRules = append(config.CORSRules, corsRule())
	return t.client().SetBucketCors(ctx, t.bucket, config)
}
