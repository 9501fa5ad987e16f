//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/publish/s3/s3test"
)

// A bucket is where a gallery is published to: a real S3 server's, which everyone may
// read and one publisher writes.
type bucket struct {
	server *s3test.Server
	name   string
}

// publicRead lets everyone read the objects of a bucket.
const publicRead = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::%s/*"]}]}`

func newBucket(t *testing.T) bucket {
	t.Helper()
	server := s3test.Start(t)
	b := bucket{server, server.Bucket(t)}
	if err := server.Client.SetBucketPolicy(t.Context(), b.name, fmt.Sprintf(publicRead, b.name)); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b bucket) url() string { return b.server.URL + "/" + b.name + "/gallery" }

// galbuild runs a command on the bucket.
func (b bucket) galbuild(t *testing.T, c commands, args ...string) string {
	t.Helper()
	cmd := exec.Command(c.galbuild, append(args, "--s3", b.name+"/gallery", "--endpoint", b.server.URL)...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+b.server.AccessKey, "AWS_SECRET_ACCESS_KEY="+b.server.SecretKey)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("galbuild %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// bucketConf is an nginx in front of a bucket: what is a file comes from there, the
// rest is galshim's to answer. README has it too.
const bucketConf = `
server {
	listen %[1]s;
	location = /api/extensionquery { proxy_pass %[3]s; proxy_set_header Host $http_host; }
	location / {
		proxy_pass %[2]s/;
		proxy_intercept_errors on;
		error_page 403 404 405 = @galshim;
	}
	location @galshim { proxy_pass %[3]s; proxy_set_header Host $http_host; }
}
`

// bucket publishes to a bucket and reads it through nginx; galshim has the bucket's
// address and nothing else.
func (l lab) bucket(t *testing.T) {
	g := l.gallery(t, "bucket", fmt.Sprintf("http://127.0.0.1:%d", freePort(t)))
	b := newBucket(t)
	b.galbuild(t, l.commands, "publish", g.site)
	shim := start(t, "galshim", g.dir, exec.Command(l.commands.galshim, "--index", b.url(), "--no-files",
		"--listen", "127.0.0.1:0", "--reload", "1s", "--base-url", g.base, "--cache", filepath.Join(g.dir, "cache")))
	g.shim = shim.await(t, `msg=listening .*addr=(\S+)`)[1]
	g.startNginx(t, l.tools, fmt.Sprintf(bucketConf, host(t, g.base), b.url(), g.shim))
	l.installs(t, g)

	t.Run("publish a folder", func(t *testing.T) {
		before, err := g.health()
		if err != nil {
			t.Fatal(err)
		}
		hello := filepath.Join("..", "..", "testdata", "samples", "hello")
		out := b.galbuild(t, l.commands, "publish", hello, "1.2.0", "--no-update-package-json")
		if !strings.Contains(out, "added  acme.hello@1.2.0") {
			t.Errorf("galbuild publish: %s", out)
		}
		for deadline := time.Now().Add(startTime); ; time.Sleep(lookAgain) {
			now, err := g.health()
			if err == nil && now != before {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("galshim serves what it did: %s, %v", now, err)
			}
		}
		e := l.editor(t, g, "added")
		codeServer("--install-extension", "acme.hello").must(t, e)
		e.wantInstalled(t, "acme.hello@1.2.0")
	})
	b.galbuild(t, l.commands, "verify")
}
