package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/encrypt"

	"galbuild/publish/target/s3/bucket"
)

// An encryption is the server-side encryption that writes request. The zero value requests none, so
// that the bucket's default applies.
type encryption struct {
	algorithm string // AES256, aws:kms or aws:kms:dsse
	key       string // KMS key; empty is the account's own key for S3
	bucketKey bool   // whether to use a bucket key of KMS
}

func (e encryption) isSet() bool { return e.algorithm != "" }

// newEncryption returns the encryption of a configuration.
func newEncryption(c *Config) (encryption, error) {
	e := encryption{algorithm: c.Encryption, key: c.KMSKey, bucketKey: c.BucketKey}
	if e.algorithm == "" && (e.key != "" || e.bucketKey) {
		e.algorithm = "aws:kms"
	}
	switch e.algorithm {
	case "", "aws:kms", "aws:kms:dsse":
	case "AES256":
		if e.key != "" || e.bucketKey {
			return e, errors.New("s3: a KMS key requires the server-side encryption aws:kms, not AES256")
		}
	default:
		return e, fmt.Errorf("s3: server-side encryption %q: want AES256, aws:kms or aws:kms:dsse", e.algorithm)
	}
	return e, nil
}

// A header is the set of headers that each object is sent with. It implements
// [encrypt.ServerSide], because minio-go sends those headers with PUTs, copies and
// multipart uploads alike.
type header struct {
	encryption
	class, acl string
	payer      bool
	checksum   string // SHA-256 of the bytes in base64, or empty
	parts      bool   // whether parts will have checksums
}

// Type implements [encrypt.ServerSide].
func (h header) Type() encrypt.Type { return encrypt.S3 }

// Marshal implements [encrypt.ServerSide].
func (h header) Marshal(to http.Header) {
	for name, value := range map[string]string{
		encrypt.SseGenericHeader: h.algorithm, encrypt.SseKmsKeyID: h.key, "X-Amz-Storage-Class": h.class, "X-Amz-Acl": h.acl,
		checksumHeader: h.checksum,
	} {
		if value != "" {
			to.Set(name, value)
		}
	}
	if h.bucketKey {
		to.Set("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled", "true")
	}
	if h.parts {
		to.Set("X-Amz-Checksum-Algorithm", "SHA256")
	}
	if h.payer {
		to.Set(bucket.RequestPayer, "requester")
	}
}

const checksumHeader = "X-Amz-Checksum-Sha256"

// header returns the current headers for writes.
func (t *Target) header() header {
	h := t.headers
	h.encryption = t.dialect.Load().encryption
	return h
}

// mayEncrypt reports whether a denied write may be tried again with encryption, which
// bucket policies may require. It is false if the configuration names an encryption.
func (t *Target) mayEncrypt(d *dialect) bool { return !d.encryption.isSet() && !t.Config().Anonymous }

// bucketEncryption returns the bucket's default encryption, or AES256 if it cannot be read.
// Policies often require a header for an encryption that the bucket applies anyway.
func (t *Target) bucketEncryption(ctx context.Context) encryption {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := t.client().GetBucketEncryption(ctx, t.bucket)
	if err != nil || len(c.Rules) == 0 {
		return encryption{algorithm: "AES256"}
	}
	rule := c.Rules[0].Apply
	e := encryption{algorithm: cmp.Or(rule.SSEAlgorithm, "AES256")}
	if strings.HasPrefix(e.algorithm, "aws:kms") {
		e.key = rule.KmsMasterKeyID
	}
	return e
}
