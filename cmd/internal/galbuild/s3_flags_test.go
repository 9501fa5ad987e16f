package galbuild

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestReadmeNamesKeys finds every key of a bucket and every flag for one in the README,
// and can read its example.
func TestReadmeNamesKeys(t *testing.T) {
	b, err := os.ReadFile("../../../publish/README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(b)
	for _, kind := range []string{"s3", "oss", "dropbox", "artifactory", "folder"} {
		for key := range (&backend{Kind: kind}).keys() {
			if !strings.Contains(readme, "`"+key+"`") && !strings.Contains(readme, `"`+key+`"`) && key != "prefix" {
				t.Errorf("the README does not name %s of %s", key, kind)
			}
		}
	}
	flags := reflect.TypeFor[s3Flags]()
	for i := range flags.NumField() {
		if name := "`--" + flags.Field(i).Tag.Get("name"); !strings.Contains(readme, name) {
			t.Errorf("the README does not name %s", name)
		}
	}
	_, example, _ := strings.Cut(readme, "```json\n{\"backends\"")
	example, _, found := strings.Cut(`{"backends"`+example, "```")
	if !found {
		t.Fatal("the README has no example of a config file")
	}
	for _, name := range []string{"s3", "mirror", "oss", "dropbox", "artifactory", "folder"} {
		if _, err := parseBackend([]byte(example), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFlagNames accepts the names of AWS's tools and of rclone.
func TestFlagNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	aws := strings.Fields("ls-remote --s3 b --endpoint-url https://h --profile p --ca-bundle " + file + " --sse aws:kms --sse-kms-key-id k --bucket-key-enabled --storage-class c --acl a --no-sign-request")
	rclone := strings.Fields("ls-remote --s3 b --s3-endpoint https://h --s3-region r --s3-profile p --ca-cert " + file +
		" --s3-server-side-encryption aws:kms --s3-sse-kms-key-id k --s3-storage-class c --s3-acl a --s3-force-path-style=false --s3-requester-pays")
	for _, x := range []struct {
		args []string
		want s3Options
	}{
		{aws, s3Options{Anonymous: true, Profile: "p", Encryption: "aws:kms", KMSKey: "k", BucketKey: true, StorageClass: "c", ACL: "a"}},
		{rclone, s3Options{Profile: "p", Encryption: "aws:kms", KMSKey: "k", StorageClass: "c", ACL: "a", RequesterPays: true, Style: "virtual"}},
		{strings.Fields("ls-remote --s3 b --s3-force-path-style"), s3Options{Style: "path"}},
		{strings.Fields("ls-remote --s3 b"), s3Options{}},
	} {
		var cl commandLine
		parser, err := kong.New(&cl, append(pathMappers(), kong.Vars{"limits": ""})...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(x.args); err != nil {
			t.Fatal(err)
		}
		l := cl.LsRemote
		if got := l.s3Flags.options(); got != x.want {
			t.Errorf("%q: got %+v, want %+v", x.args, got, x.want)
		}
		if len(x.args) > 6 && (l.Endpoint != "https://h" || l.CA != file) {
			t.Errorf("%q: endpoint %q, CA %q", x.args, l.Endpoint, l.CA)
		}
	}
}
