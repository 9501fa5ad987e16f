package s3

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/cors"
)

// corsID names our rule among those of a bucket.
const corsID = "galbuild"

// corsRule lets every page read, which editors in a browser need: their own address is
// another one than the bucket's. It does not let anybody read who could not before.
func corsRule() cors.Rule {
	return cors.Rule{
		ID: corsID, AllowedOrigin: []string{"*"}, AllowedMethod: []string{"GET", "HEAD"}, AllowedHeader: []string{"*"},
		ExposeHeader:  []string{"Accept-Ranges", "Content-Length", "Content-Range", "Content-Type", "ETag", "Last-Modified"},
		MaxAgeSeconds: 3600,
	}
}

// CORSJSON returns the policy as `aws s3api put-bucket-cors --cors-configuration` takes it.
func CORSJSON() string {
	r := corsRule()
	b, err := json.MarshalIndent(map[string]any{"CORSRules": []any{struct {
		ID             string
		AllowedOrigins []string
		AllowedMethods []string
		AllowedHeaders []string
		ExposeHeaders  []string
		MaxAgeSeconds  int
	}{r.ID, r.AllowedOrigin, r.AllowedMethod, r.AllowedHeader, r.ExposeHeader, r.MaxAgeSeconds}}}, "", "  ")
	if err != nil {
		panic(err) // strings and a number
	}
	return string(b) + "\n"
}

// CORSXML returns the policy as the protocol has it, which consoles and other tools take.
func CORSXML() string {
	b, err := cors.NewConfig([]cors.Rule{corsRule()}).ToXML()
	if err != nil {
		panic(err) // strings and a number
	}
	return string(b) + "\n"
}

// CORS adds the policy to those of the bucket, in place of an older one of ours.
func (t *Target) CORS(ctx context.Context) error {
	err := t.try(ctx, "set the CORS policy of", t.bucket, t.addCORS)
	switch {
	case isUnsupported(err) || t.oss && err != nil:
		return fmt.Errorf("%w: set it in the server's console or configuration:\n%s", err, strings.TrimSpace(CORSXML()))
	case code(err) == minio.AccessDenied:
		return fmt.Errorf("%w: this takes s3:GetBucketCORS and s3:PutBucketCORS", err)
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
