//go:build e2e

package galbuild

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minio/minio-go/v7"

	"galbuild/build/pack"
	"galbuild/publish/target/artifactory/artifactorytest"
	"galbuild/publish/target/dropbox/dropboxtest"
	"galbuild/publish/target/s3/s3test"
)

// TestReadmeTargets runs the commands of the README's table of targets as they stand
// there. Their hosts are taken to a real S3 server, which is also OSS, and to the
// stand-ins for Artifactory and Dropbox.
func TestReadmeTargets(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "publish", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| [^|]+ \\| `galbuild (publish site [^`]+)`").FindAllStringSubmatch(string(text), -1)
	if len(rows) != 6 {
		t.Fatalf("%d places in the README, want 6", len(rows))
	}
	p := program{places(t)}
	t.Chdir(t.TempDir())
	for i := range 3 {
		packExtension(t, "vsixs", fmt.Sprintf("bench-%d", i))
	}
	if err := os.WriteFile("config.json", []byte(`{"backends": {"s3": {"bucket": "none"}, "mirror": {"type": "s3", "bucket": "mirror", "endpoint": "https://minio.example"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p.must(t, "build vsixs -o site -q")
	for _, row := range rows {
		place := strings.TrimPrefix(row[1], "publish site ")
		if out := p.must(t, row[1]); !strings.Contains(out, "sent or copied") {
			t.Errorf("galbuild %s: %s", row[1], out)
		}
		if out := p.must(t, row[1]); !strings.Contains(out, "as before") {
			t.Errorf("galbuild %s, again: %s", row[1], out)
		}
		p.must(t, "verify "+place)
		p.must(t, "remove acme.bench-1 --all "+place)
		p.must(t, "add vsixs "+place)
		p.must(t, "remove acme.bench-2 --all "+place)
		if out := p.must(t, "ls-remote --ids "+place); out != "acme.bench-0\nacme.bench-1\n" {
			t.Errorf("galbuild ls-remote %s: %s", place, out)
		}
		p.must(t, "rollback "+place)
		if out := p.must(t, "show acme.bench-2 "+place); !strings.Contains(out, "acme.bench-2") {
			t.Errorf("galbuild show %s: %s", place, out)
		}
		p.must(t, "verify "+place)
	}
}

// packExtension packs acme.NAME into a folder.
func packExtension(t *testing.T, folder, name string) {
	t.Helper()
	var archive bytes.Buffer
	err := pack.Write(&archive, fstest.MapFS{
		"package.json": {Data: fmt.Appendf(nil, `{"name":%q,"publisher":"acme","version":"1.0.0","engines":{"vscode":"^1.80.0"},"main":"./main.js","activationEvents":[]}`, name)},
		"main.js":      {Data: []byte("// " + name)},
	}, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".vsix"), archive.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// must runs a command and returns what it prints.
func (p program) must(t *testing.T, command string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := p.run(t.Context(), strings.Fields(command), nil, &stdout, &stderr); status != 0 {
		t.Fatalf("galbuild %s: %s", command, &stderr)
	}
	return stdout.String()
}

// places returns how to reach what stands for the README's hosts.
func places(t *testing.T) http.RoundTripper {
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

// hosts takes requests for a domain, or one below it, to an address.
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
	return nil, fmt.Errorf("%s is none of the README's hosts", r.URL.Host)
}
