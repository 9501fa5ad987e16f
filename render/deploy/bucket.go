package deploy

import (
	"path"
	"slices"
	"strings"

	"galbuild/build/catalog"
	"galbuild/render/gallery"
)

// A statement is a statement of a bucket policy.
type statement struct {
	Sid       string
	Effect    string
	Principal string
	Action    string
	Resource  []string
}

// BucketPolicy returns the policy with which everyone can read what editors need of a site in a
// bucket, below a prefix that may be "", and with which authors can submit packages. It does not
// allow everyone to read the private parts of records or the inbox, and not to list the bucket.
func BucketPolicy(bucket, prefix string, authors ...Author) string {
	public := slices.Concat(
		[]string{catalog.AssetsDir, catalog.FilesDir, "blobs/", "api/", "index/"}, catalog.DerivedFolders(),
		[]string{gallery.ManifestPath}, catalog.DerivedNames(),
	)
	read := statement{Sid: "galbuild", Effect: "Allow", Principal: "*", Action: "s3:GetObject"}
	for _, p := range public {
		resource := "arn:aws:s3:::" + path.Join(bucket, prefix, p)
		if strings.HasSuffix(p, "/") {
			resource += "/*"
		}
		read.Resource = append(read.Resource, resource)
	}
	statements := []any{read}
	for _, a := range authors {
		statements = append(statements, a.statements(bucket, prefix)...)
	}
	return policyText(statements)
}
