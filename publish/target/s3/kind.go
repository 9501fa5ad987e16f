package s3

import (
	"galbuild/publish/target"
	"galbuild/publish/target/s3/bucket"
)

// Kind returns the kind of target that is a bucket of Amazon S3 or of a server with the same
// protocol.
func Kind() target.Kind { return withOpen(bucket.Kind(), false) }

// OSSKind returns the kind of target that is a bucket of Aliyun OSS.
func OSSKind() target.Kind { return withOpen(bucket.OSSKind(), true) }

// withOpen returns a kind of bucket whose targets can be written to.
func withOpen(k target.Kind, oss bool) target.Kind {
	k.Open = func(s target.Settings, e target.Env) (target.Target, error) {
		c, err := bucket.FromSettings(s, e, oss)
		if err != nil {
			return nil, err
		}
		return target.Opened(New(c))
	}
	return k
}
