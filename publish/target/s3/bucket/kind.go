package bucket

import (
	"errors"
	"slices"
	"strings"

	"galbuild/publish/target"
)

// Kind returns the kind of target that is a bucket of Amazon S3 or of a server with the same
// protocol.
func Kind() target.Kind {
	return kind("s3", "secretAccessKey",
		"An S3 bucket. Credentials come from where AWS's tools look for them: the environment, the shared files, the machine's role.")
}

// OSSKind returns the kind of target that is a bucket of Aliyun OSS.
func OSSKind() target.Kind {
	return kind("oss", "accessKeySecret", "An Aliyun OSS bucket, with the keys in OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET.")
}

// kind returns a kind of bucket. The secret key has a name of its own in dbem's config file.
func kind(name, secretKey, help string) target.Kind {
	return target.Kind{
		Name: name, Form: name + "://BUCKET/PREFIX", Schemes: []string{name},
		Flag:  &target.Flag{Name: name, Placeholder: "BUCKET[/PREFIX]", Help: help},
		Parse: parse, Keys: slices.Concat(bucketKeys(secretKey), serverKeys()),
		OpenReader: func(s target.Settings, e target.Env) (target.Reader, error) {
			c, err := FromSettings(s, e, name == "oss")
			if err != nil {
				return nil, err
			}
			c.Once, c.Stall, c.Agent = e.Once, e.Stall, e.Agent
			return target.OpenedReader(New(c))
		},
	}
}

func parse(_, rest string) target.Settings {
	bucket, prefix, _ := strings.Cut(strings.Trim(rest, "/"), "/")
	return target.Settings{"bucket": bucket, "path": prefix}
}

// bucketKeys returns the keys for the address of a bucket and for the credentials. Their names are
// those of dbem's config file; the aliases are those of rclone and AWS's shared files.
func bucketKeys(secretKey string) []target.Key {
	return []target.Key{
		{Name: "bucket", Required: true},
		{Name: "path", Aliases: []string{"prefix"}},
		{Name: "endpoint", Aliases: []string{"endpoint_url"}, Flag: &target.Flag{Name: "endpoint", Aliases: []string{"endpoint-url", "s3-endpoint"},
			Placeholder: "URL", Help: "Address of the S3 or OSS server, if it is not AWS's or Aliyun's for the region."}},
		{Name: "region", Flag: &target.Flag{Name: "region", Aliases: []string{"s3-region"}, Placeholder: "R", Help: "Region of the bucket."}},
		{Name: "accessKeyId", Aliases: []string{"access_key_id", "aws_access_key_id"}},
		{Name: secretKey, Aliases: []string{"secret_access_key", "aws_secret_access_key"}, Type: target.Secret},
		{Name: "session_token", Aliases: []string{"aws_session_token"}, Type: target.Secret},
		target.CA,
	}
}

// serverKeys returns the keys for the differences of servers and buckets. The flags are named as
// in AWS's tools, with the prefix s3-; the names without it and rclone's work too. The keys are
// rclone's.
func serverKeys() []target.Key {
	flag := func(name, placeholder, help string, aliases ...string) *target.Flag {
		return &target.Flag{Name: name, Placeholder: placeholder, Help: help, Aliases: aliases, Group: "S3:"}
	}
	force := flag("s3-force-path-style", "", "Same as --s3-addressing-style=path, as in rclone; with =false, the same as virtual.")
	force.Hidden = true
	return []target.Key{
		{Name: "no_sign_request", Type: target.Switch, Flag: flag("no-sign-request", "",
			"Read a public bucket without credentials (default if there are none).", "s3-no-sign-request", "s3-anonymous")},
		{Name: "profile", Flag: flag("s3-profile", "NAME", "Profile in AWS's shared files to read the credentials from.", "profile")},
		{Name: "server_side_encryption", Writes: true, Flag: flag("s3-sse", "AES256|aws:kms|aws:kms:dsse",
			"Server-side encryption of new objects (default: none, or the bucket's default if its policy requires the header).", "s3-server-side-encryption", "sse")},
		{Name: "sse_kms_key_id", Writes: true, Flag: flag("s3-sse-kms-key-id", "ID", "Key for aws:kms.", "sse-kms-key-id")},
		{Name: "bucket_key_enabled", Type: target.Switch, Writes: true, Flag: flag("s3-bucket-key-enabled", "", "Use a bucket key for aws:kms.", "bucket-key-enabled")},
		{Name: "storage_class", Writes: true, Flag: flag("s3-storage-class", "CLASS", "Storage class of new objects.", "storage-class")},
		{Name: "acl", Writes: true, Flag: flag("s3-acl", "ACL", "Canned ACL of new objects, such as bucket-owner-full-control.", "acl")},
		{Name: "requester_pays", Type: target.Switch, Flag: flag("s3-requester-pays", "", "Pay for requests to a requester-pays bucket.")},
		{Name: "addressing_style", Flag: flag("s3-addressing-style", "path|virtual",
			"Use https://HOST/BUCKET or https://BUCKET.HOST (default: what the server accepts).")},
		{Name: "force_path_style", Type: target.Switch, Choice: &target.Choice{Key: "addressing_style", On: "path", Off: "virtual"}, Flag: force},
		{Name: "conditional_writes", Writes: true, Flag: flag("s3-conditional-writes", "yes|no",
			"Whether the server supports If-Match and If-None-Match in a PUT. With no, publishers use a lock in the bucket (default: galbuild tests it).")},
	}
}

// FromSettings returns the configuration that settings stand for.
func FromSettings(s target.Settings, e target.Env, oss bool) (Config, error) {
	c := config(s)
	c.Transport, c.Warn = e.Transport, e.Warn
	if (c.AccessKey == "") != (c.SecretKey == "") {
		return c, errors.New("a key's id and its secret go together: only one of them is set")
	}
	if oss {
		return OSS(c)
	}
	return c, nil
}

// config returns the configuration without the defaults of a kind.
func config(s target.Settings) Config {
	c := Config{
		Bucket: s["bucket"], Prefix: strings.Trim(s["path"], "/"), Endpoint: s["endpoint"], Region: s["region"], CAFile: s["ca"],
		AccessKey: s["accessKeyId"], SecretKey: s["secretAccessKey"] + s["accessKeySecret"], SessionToken: s["session_token"],
		Anonymous: s["no_sign_request"] == "true", Profile: s["profile"],
		Encryption: s["server_side_encryption"], KMSKey: s["sse_kms_key_id"], BucketKey: s["bucket_key_enabled"] == "true",
		StorageClass: s["storage_class"], ACL: s["acl"], RequesterPays: s["requester_pays"] == "true",
	}
	if style := s["addressing_style"]; style != "auto" {
		c.Style = Style(style)
	}
	if conditional := s["conditional_writes"]; conditional != "auto" {
		c.Conditional = Conditional(conditional)
	}
	return c
}
