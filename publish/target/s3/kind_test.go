package s3_test

import (
	"strings"
	"testing"

	"galbuild/publish/target"
	"galbuild/publish/target/s3"
)

// TestKind opens buckets from settings, as flags and config files give them.
func TestKind(t *testing.T) {
	clearEnvironment(t)
	for _, x := range []struct {
		kind     target.Kind
		settings target.Settings
		want     string
	}{
		{s3.Kind(), target.Settings{"bucket": "vsix", "path": "/gallery/"}, "s3://vsix/gallery"},
		{s3.Kind(), target.Settings{"bucket": "vsix", "endpoint": "https://h", "addressing_style": "auto", "conditional_writes": "auto"}, "s3://vsix at https://h"},
		{s3.OSSKind(), target.Settings{"bucket": "vsix", "region": "oss-cn-hangzhou", "accessKeyId": "id", "accessKeySecret": "s"}, "oss://vsix"},
		{s3.OSSKind(), target.Settings{"bucket": "vsix"}, "error: oss: the region of bucket vsix is not known"},
		{s3.Kind(), target.Settings{"bucket": "vsix", "secretAccessKey": "s"}, "error: a key's id and its secret go together"},
		{s3.Kind(), target.Settings{"bucket": "vsix", "accessKeyId": "id"}, "error: a key's id and its secret go together"},
		{s3.Kind(), target.Settings{"bucket": "vsix", "addressing_style": "both"}, `error: s3: addressing style "both": want path or virtual`},
		{s3.Kind(), target.Settings{"bucket": "vsix", "conditional_writes": "maybe"}, `error: s3: conditional writes "maybe": want yes or no`},
		{s3.Kind(), target.Settings{"bucket": "vsix", "server_side_encryption": "ROT13"}, "error: s3: "},
		{s3.Kind(), target.Settings{"bucket": "vsix", "storage_class": "GLACIER"}, "error: s3: storage class GLACIER"},
	} {
		at, err := x.kind.Open(x.settings, target.Env{})
		got := ""
		if err != nil {
			got = "error: " + err.Error()
		} else {
			got = at.String()
		}
		if !strings.HasPrefix(got, x.want) {
			t.Errorf("%s %q: got %s, want %s", x.kind.Name, map[string]string(x.settings), got, x.want)
		}
	}
}
