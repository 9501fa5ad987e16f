package galbuild

import (
	"cmp"

	"galbuild/publish/target/s3"
)

// s3Flags are flags for the differences of S3 servers and buckets. They are named as in
// AWS's tools, with the prefix --s3-; the names without it and rclone's work too. The keys of
// a config file are rclone's.
type s3Flags struct {
	NoSignRequest     bool   `name:"no-sign-request" aliases:"s3-no-sign-request,s3-anonymous" group:"S3:" help:"Read a public bucket without credentials (default if there are none)."`
	Profile           string `name:"s3-profile" aliases:"profile" env:"GALBUILD_S3_PROFILE" placeholder:"NAME" group:"S3:" help:"Profile in AWS's shared files to read the credentials from."`
	SSE               string `name:"s3-sse" env:"GALBUILD_S3_SSE" aliases:"s3-server-side-encryption,sse" placeholder:"AES256|aws:kms|aws:kms:dsse" group:"S3:" help:"Server-side encryption of new objects (default: none, or the bucket's default if its policy requires the header)."`
	SSEKMSKeyID       string `name:"s3-sse-kms-key-id" aliases:"sse-kms-key-id" env:"GALBUILD_S3_SSE_KMS_KEY_ID" placeholder:"ID" group:"S3:" help:"Key for aws:kms."`
	BucketKeyEnabled  bool   `name:"s3-bucket-key-enabled" aliases:"bucket-key-enabled" env:"GALBUILD_S3_BUCKET_KEY_ENABLED" group:"S3:" help:"Use a bucket key for aws:kms."`
	StorageClass      string `name:"s3-storage-class" aliases:"storage-class" env:"GALBUILD_S3_STORAGE_CLASS" placeholder:"CLASS" group:"S3:" help:"Storage class of new objects."`
	ACL               string `name:"s3-acl" aliases:"acl" env:"GALBUILD_S3_ACL" placeholder:"ACL" group:"S3:" help:"Canned ACL of new objects, such as bucket-owner-full-control."`
	RequesterPays     bool   `name:"s3-requester-pays" env:"GALBUILD_S3_REQUESTER_PAYS" group:"S3:" help:"Pay for requests to a requester-pays bucket."`
	AddressingStyle   string `name:"s3-addressing-style" env:"GALBUILD_S3_ADDRESSING_STYLE" placeholder:"path|virtual" group:"S3:" help:"Use https://HOST/BUCKET or https://BUCKET.HOST (default: what the server accepts)."`
	ForcePathStyle    *bool  `name:"s3-force-path-style" negatable:"" hidden:"" group:"S3:" help:"Same as --s3-addressing-style=path, as in rclone; with =false, the same as virtual."`
	ConditionalWrites string `name:"s3-conditional-writes" env:"GALBUILD_S3_CONDITIONAL_WRITES" placeholder:"yes|no" group:"S3:" help:"Whether the server supports If-Match and If-None-Match in a PUT. With no, publishers use a lock in the bucket (default: galbuild tests it)."`
}

// options returns the options that the flags set.
func (f s3Flags) options() s3Options {
	if f.ForcePathStyle != nil && f.AddressingStyle == "" {
		f.AddressingStyle = map[bool]string{true: "path", false: "virtual"}[*f.ForcePathStyle]
	}
	return s3Options{
		Anonymous: f.NoSignRequest, Profile: f.Profile, Encryption: f.SSE, KMSKey: f.SSEKMSKeyID, BucketKey: f.BucketKeyEnabled,
		StorageClass: f.StorageClass, ACL: f.ACL, RequesterPays: f.RequesterPays, Style: f.AddressingStyle, Conditional: f.ConditionalWrites,
	}
}

// s3Options are the fields of [s3.Config] other than the address and the credentials.
type s3Options struct {
	Anonymous     bool
	Profile       string
	Encryption    string
	KMSKey        string
	BucketKey     bool
	StorageClass  string
	ACL           string
	RequesterPays bool
	Style         string
	Conditional   string
}

// or returns o, with unset fields taken from other.
func (o s3Options) or(other s3Options) s3Options {
	return s3Options{
		Anonymous: o.Anonymous || other.Anonymous, Profile: cmp.Or(o.Profile, other.Profile),
		Encryption: cmp.Or(o.Encryption, other.Encryption), KMSKey: cmp.Or(o.KMSKey, other.KMSKey), BucketKey: o.BucketKey || other.BucketKey,
		StorageClass: cmp.Or(o.StorageClass, other.StorageClass), ACL: cmp.Or(o.ACL, other.ACL), RequesterPays: o.RequesterPays || other.RequesterPays,
		Style: cmp.Or(o.Style, other.Style), Conditional: cmp.Or(o.Conditional, other.Conditional),
	}
}

// keys returns pointers to the values of a config file.
func (o *s3Options) keys() map[string]any {
	return map[string]any{
		"no_sign_request": &o.Anonymous, "profile": &o.Profile,
		"server_side_encryption": &o.Encryption, "sse_kms_key_id": &o.KMSKey, "bucket_key_enabled": &o.BucketKey,
		"storage_class": &o.StorageClass, "acl": &o.ACL, "requester_pays": &o.RequesterPays,
		"addressing_style": &o.Style, "force_path_style": (*pathStyle)(&o.Style), "conditional_writes": &o.Conditional,
	}
}

// A pathStyle is an addressing style that is set by a boolean: true is the path style.
type pathStyle string

// apply sets the options in c.
func (o s3Options) apply(c *s3.Config) {
	c.Anonymous, c.Profile = o.Anonymous, o.Profile
	c.Encryption, c.KMSKey, c.BucketKey = o.Encryption, o.KMSKey, o.BucketKey
	c.StorageClass, c.ACL, c.RequesterPays = o.StorageClass, o.ACL, o.RequesterPays
	if o.Style != "auto" {
		c.Style = s3.Style(o.Style)
	}
	if o.Conditional != "auto" {
		c.Conditional = s3.Conditional(o.Conditional)
	}
}
