package deploy

import (
	"path"
	"strings"

	"galbuild/build/jsondoc"
	"galbuild/build/site"
)

// An Author may submit packages of a publisher to the inbox of a site in a bucket.
type Author struct {
	Publisher string
	// User is how the server names the user in a bucket policy: by an ARN, or the access key.
	// It is "" in the policy of a user.
	User string
}

// authorStatement is a statement about what an author may do.
type authorStatement struct {
	Sid       string
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    []string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// statements returns what the author may do: write below the folder of the publisher, list it, and
// read what became of submissions.
func (a Author) statements(bucket, prefix string) []any {
	folder := path.Join(prefix, site.InboxDir, strings.ToLower(a.Publisher)) + "/"
	name := strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(a.Publisher)) // a Sid has only letters and digits
	var principal map[string]string
	if a.User != "" {
		principal = map[string]string{"AWS": a.User}
	}
	return []any{
		authorStatement{"submit" + name, "Allow", principal, []string{"s3:PutObject", "s3:AbortMultipartUpload"}, arn(bucket, folder+"*"), nil},
		authorStatement{"read" + name, "Allow", principal, []string{"s3:GetObject"}, arn(bucket, folder+"*.json"), nil},
		authorStatement{"list" + name, "Allow", principal, []string{"s3:ListBucket"}, arn(bucket, ""), map[string]map[string]string{
			"StringLike": {"s3:prefix": folder + "*"},
		}},
	}
}

func arn(bucket, key string) string {
	if key != "" {
		key = "/" + key
	}
	return "arn:aws:s3:::" + bucket + key
}

// AuthorPolicy returns the policy of a user who is the author of a publisher. It allows nothing
// else: neither to read packages of the inbox, nor to change the gallery.
func AuthorPolicy(bucket, prefix, publisher string) string {
	return policyText(Author{Publisher: publisher}.statements(bucket, prefix))
}

func policyText(statements []any) string {
	text, err := jsondoc.Indented(struct {
		Version   string
		Statement []any
	}{"2012-10-17", statements})
	if err != nil {
		panic(err) // strings
	}
	return string(text)
}
