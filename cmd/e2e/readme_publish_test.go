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

	"galbuild/publish/target/artifactory/artifactorytest"
	"galbuild/publish/target/s3/s3test"
)

// bucketCommand matches a command in an indented block that publishes to the bucket of the
// documents, or reads it.
var bucketCommand = regexp.MustCompile(`(?m)^    (galbuild .*(?:vsix/gallery|https://gallery\.example).*)$`)

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
	shell := func(script string) {
		t.Helper()
		command := exec.Command("sh", "-ec", script)
		command.Dir = dir
		command.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "HOME="+dir, "XDG_CACHE_HOME="+dir,
			"AWS_ENDPOINT_URL_S3="+server.URL, "AWS_ACCESS_KEY_ID="+server.AccessKey, "AWS_SECRET_ACCESS_KEY="+server.SecretKey,
			"ARTIFACTORY_TOKEN="+artifactorytest.Token)
		if out, err := command.CombinedOutput(); err != nil {
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
galbuild publish site --s3 vsix/gallery -q`)
	addresses := strings.NewReplacer("https://minio.example", server.URL, "https://repo.example", repository.URL,
		"https://gallery.example", server.URL+"/vsix/gallery")
	for _, document := range []string{"publish/README.md", "README.md", "build/pack/README.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", document))
		if err != nil {
			t.Fatal(err)
		}
		commands := bucketCommand.FindAllStringSubmatch(string(text), -1)
		if len(commands) == 0 {
			t.Errorf("%s has no commands for a bucket", document)
		}
		for _, command := range commands {
			if !strings.HasSuffix(command[1], " --follow 30s") { // which does not end
				shell(addresses.Replace(command[1]))
			}
		}
	}
	shell("galbuild verify s3://vsix/gallery")
}
