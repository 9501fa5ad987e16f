//go:build e2e

package galbuild

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"galbuild/publish/target"
	"galbuild/publish/target/all"
	"galbuild/publish/target/artifactory/artifactorytest"
	"galbuild/publish/target/dropbox/dropboxtest"
	"galbuild/publish/target/s3/s3test"
)

// TestReadmeTargets runs the commands in the table of targets in publish/README.md. Requests to
// their hosts go to a real S3 server, which is also OSS, and to fake servers of Artifactory and
// Dropbox.
func TestReadmeTargets(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "publish", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| [^|]+ \\| `galbuild (publish site [^`]+)`").FindAllStringSubmatch(string(text), -1)
	kinds := slices.DeleteFunc(all.Kinds(), func(k target.Kind) bool { return k.ReadOnly })
	if want := len(kinds) + 1; len(rows) != want { // one for each kind, and one for a config file
		t.Fatalf("%d targets in the README, want %d", len(rows), want)
	}
	p := program{transport: readmeServers(t)}
	t.Chdir(t.TempDir())
	for i := range 3 {
		packExtension(t, "vsixs", fmt.Sprintf("bench-%d", i))
	}
	if err := os.WriteFile("config.json", []byte(`{"backends": {"s3": {"bucket": "none"}, "mirror": {"type": "s3", "bucket": "mirror", "endpoint": "https://minio.example"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p.must(t, "build vsixs -o site -q")
	for _, row := range rows {
		flags := strings.TrimPrefix(row[1], "publish site ")
		if out := p.must(t, row[1]); !strings.Contains(out, "sent or copied") {
			t.Errorf("galbuild %s: %s", row[1], out)
		}
		if out := p.must(t, row[1]); !strings.Contains(out, "as before") {
			t.Errorf("galbuild %s, again: %s", row[1], out)
		}
		p.must(t, "verify "+flags)
		p.must(t, "remove acme.bench-1 --all "+flags)
		p.must(t, "restore acme.bench-1@1.0.0 "+flags)
		p.must(t, "add vsixs "+flags)
		p.must(t, "remove acme.bench-2 --all "+flags)
		if out := p.must(t, "ls-remote --ids "+flags); out != "acme.bench-0\nacme.bench-1\n" {
			t.Errorf("galbuild ls-remote %s: %s", flags, out)
		}
		p.must(t, "rollback "+flags)
		if out := p.must(t, "show acme.bench-2 "+flags); !strings.Contains(out, "acme.bench-2") {
			t.Errorf("galbuild show %s: %s", flags, out)
		}
		p.must(t, "verify "+flags)
		submitAndAccept(t, p, flags)
	}
}

// submitAndAccept submits a package to the inbox of a target, and accepts it.
func submitAndAccept(t *testing.T, p program, flags string) {
	t.Helper()
	if err := os.WriteFile("policy.json", []byte(newAuthor(t, "alice.key")), 0o600); err != nil {
		t.Fatal(err)
	}
	packExtension(t, ".", "submitted")
	p.must(t, "publish submitted.vsix --inbox --sign-key alice.key "+flags)
	if out := p.must(t, "accept --policy policy.json "+flags); !strings.Contains(out, "accepted  acme.submitted@1.0.0") {
		t.Errorf("galbuild accept %s: %s", flags, out)
	}
	if out := p.must(t, "inbox submitted.vsix "+flags); !strings.Contains(out, "accepted  acme.submitted@1.0.0") {
		t.Errorf("galbuild inbox %s: %s", flags, out)
	}
	p.must(t, "verify "+flags)
}

// readmeServers starts servers for the hosts in the README, and returns a transport to them.
func readmeServers(t *testing.T) http.RoundTripper {
	t.Helper()
	const oss = "s3.oss-cn-hangzhou.aliyuncs.com"
	buckets, virtual := s3test.Start(t), s3test.Start(t, "--virtual-domain", oss, "--region", "cn-hangzhou")
	for _, server := range []*s3test.Server{buckets, virtual} {
		for _, name := range []string{"vsix", "mirror"} {
			if err := server.Client.MakeBucket(t.Context(), name, minio.MakeBucketOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	repository := httptest.NewServer(artifactorytest.New(t.TempDir()))
	t.Cleanup(repository.Close)
	box := httptest.NewServer(dropboxtest.New(t.TempDir()))
	t.Cleanup(box.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": buckets.AccessKey, "AWS_SECRET_ACCESS_KEY": buckets.SecretKey,
		"OSS_ACCESS_KEY_ID": virtual.AccessKey, "OSS_ACCESS_KEY_SECRET": virtual.SecretKey,
		"ARTIFACTORY_TOKEN": artifactorytest.Token, "DROPBOX_TOKEN": dropboxtest.Token,
	} {
		t.Setenv(name, value)
	}
	return hosts{
		"minio.example": buckets.Host, oss: virtual.Host,
		"repo.example":   strings.TrimPrefix(repository.URL, "http://"),
		"dropboxapi.com": strings.TrimPrefix(box.URL, "http://"),
	}
}

// hosts is a transport that sends the requests for a domain, or one below it, to an address.
type hosts map[string]string

func (h hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	for domain, address := range h {
		if r.URL.Host == domain || strings.HasSuffix(r.URL.Host, "."+domain) {
			r = r.Clone(r.Context())
			r.Host = r.URL.Host
			r.URL.Scheme, r.URL.Host = "http", address
			return http.DefaultTransport.RoundTrip(r)
		}
	}
	return nil, fmt.Errorf("%s is not a host of the README", r.URL.Host)
}
