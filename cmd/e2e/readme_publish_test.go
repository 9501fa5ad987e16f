//go:build e2e

package e2e

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"galbuild/cmd/e2e/toolchain"
	"galbuild/publish/target/artifactory/artifactorytest"
	"galbuild/publish/target/s3/s3test"
)

// bucketCommand matches a command in an indented block that publishes to the bucket of the
// documents, reads it, or makes the key that it is signed with.
var bucketCommand = regexp.MustCompile(
	`(?m)^    ((?:galbuild .*(?:vsix/gallery|https://gallery\.example)|minisign -G|galshim .*--trust).*)$`)

// TestReadmePublish runs the commands of the documents on publishing, one after the other, with a
// real S3 server and a stand-in for Artifactory.
func TestReadmePublish(t *testing.T) {
	dir := t.TempDir()
	server := s3test.Start(t)
	repository := httptest.NewServer(artifactorytest.New(t.TempDir()))
	t.Cleanup(repository.Close)
	if err := server.Client.MakeBucket(t.Context(), "vsix", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := server.Client.SetBucketPolicy(t.Context(), "vsix", fmt.Sprintf(publicRead, "vsix")); err != nil {
		t.Fatal(err)
	}
	compile(t, filepath.Join(dir, "bin"))
	path := strings.Join([]string{filepath.Join(dir, "bin"), filepath.Dir(toolchain.Tools(t).Minisign), os.Getenv("PATH")}, ":")
	command := func(script string) *exec.Cmd {
		c := exec.Command("sh", "-ec", script)
		c.Dir = dir
		c.Env = append(os.Environ(), "PATH="+path, "HOME="+dir, "XDG_CACHE_HOME="+dir,
			"AWS_ENDPOINT_URL_S3="+server.URL, "AWS_ACCESS_KEY_ID="+server.AccessKey, "AWS_SECRET_ACCESS_KEY="+server.SecretKey,
			"ARTIFACTORY_TOKEN="+artifactorytest.Token)
		if _, err := os.Stat(filepath.Join(dir, "key.minisign")); err == nil {
			c.Env = append(c.Env, "GALBUILD_SIGN_KEY=key.minisign") // a signed history stays signed
		}
		return c
	}
	shell := func(script string) {
		t.Helper()
		if out, err := command(script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
	}
	samples := os.DirFS(filepath.Join("..", "..", "testdata", "samples"))
	if err := os.CopyFS(filepath.Join(dir, "samples"), samples); err != nil {
		t.Fatal(err)
	}
	shell(`mv samples/word-count ext
mkdir vsixs
galbuild package -q samples/hello -o vsixs
galbuild package -q samples/hello 1.0.0 --no-update-package-json -o hello.vsix
galbuild vsixs -o site -q
galbuild publish site --s3 vsix/gallery -q
echo '192.0.2.1 - - [01/Jan/2026:00:00:00 +0000] "GET /assets/acme/hello/1.1.0/Microsoft.VisualStudio.Services.VSIXPackage HTTP/1.1" 200 1 "-" "-"' > access.log
galbuild stats add access.log -o counts`)
	addresses := strings.NewReplacer("https://minio.example", server.URL, "https://repo.example", repository.URL,
		"https://gallery.example", server.URL+"/vsix/gallery", "https://files.example", server.URL+"/vsix/gallery",
		"/var/lib/galshim/head", filepath.Join(dir, "head"))
	for _, document := range []string{"publish/README.md", "README.md", "build/pack/README.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", document))
		if err != nil {
			t.Fatal(err)
		}
		commands := bucketCommand.FindAllStringSubmatch(string(text), -1)
		if len(commands) == 0 {
			t.Errorf("%s has no commands for a bucket", document)
		}
		for _, match := range commands {
			switch line := addresses.Replace(match[1]); {
			case strings.HasSuffix(line, " --follow 30s"): // which does not end
			case strings.HasPrefix(line, "galshim "):
				start(t, "galshim", dir, command("exec "+line+" --listen 127.0.0.1:0")).await(t, `listening`)
			default:
				shell(line)
			}
		}
	}
	shell("galbuild verify s3://vsix/gallery")
}
