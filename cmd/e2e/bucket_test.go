//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"galbuild/build/porttest"
	"galbuild/publish/target/s3/s3test"
)

// A bucket is a bucket of a real S3 server. Everyone may read it, and one publisher writes to it.
type bucket struct {
	server *s3test.Server
	name   string
}

// publicRead is a policy that lets everyone read the objects of a bucket.
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

// galbuild runs a command with the bucket as its target.
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

// bucketConf returns the nginx configuration for a bucket in render/deploy/README.md, with other
// addresses.
func bucketConf(t *testing.T, listen, bucket, shim string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "render", "deploy", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```nginx\n")
	conf, _, found := strings.Cut(rest, "```")
	for old, now := range map[string]string{"listen 80;": "listen " + listen + ";", "https://s3.example/vsix/gallery/": bucket + "/", "http://127.0.0.1:8080": shim} {
		if found = found && strings.Count(conf, old) == 1; !found {
			t.Fatalf("the README has no nginx configuration with one %q", old)
		}
		conf = strings.Replace(conf, old, now, 1)
	}
	return conf
}

// bucket publishes a site to a bucket, which nginx and galshim read. galshim has only its address.
func (s suite) bucket(t *testing.T) {
	g := s.gallery(t, "bucket", "http://"+porttest.Address(t))
	b := newBucket(t)
	b.galbuild(t, s.commands, "publish", g.site)
	shim := start(t, "galshim", g.dir, exec.Command(s.commands.galshim, "--index", b.url(), "--no-files",
		"--listen", "127.0.0.1:0", "--reload", "1s", "--cache", filepath.Join(g.dir, "cache")))
	g.shim = shim.await(t, `msg=listening .*addr=(\S+)`)[1]
	g.startNginx(t, s.tools, bucketConf(t, host(t, g.base), b.url(), g.shim))
	s.examine(t, g)
	t.Run("forwarded headers of clients", g.checkForwardedHeaders)
	s.installs(t, g)

	t.Run("publish a folder", func(t *testing.T) {
		before, err := g.health()
		if err != nil {
			t.Fatal(err)
		}
		hello := filepath.Join("..", "..", "testdata", "samples", "hello")
		out := b.galbuild(t, s.commands, "publish", hello, "1.2.0", "--no-update-package-json")
		if !strings.Contains(out, "added  acme.hello@1.2.0") {
			t.Errorf("galbuild publish: %s", out)
		}
		for deadline := time.Now().Add(startTimeout); ; time.Sleep(pollInterval) {
			now, err := g.health()
			if err == nil && now != before {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("galshim still serves the old generation: %s, %v", now, err)
			}
		}
		e := s.editor(t, g, "added")
		codeServer("--install-extension", "acme.hello").must(t, e)
		e.wantInstalled(t, "acme.hello@1.2.0")
	})
	b.galbuild(t, s.commands, "verify")
}

// checkForwardedHeaders sends the headers of an attacker who wants others to download from another
// address, and checks that the response ignores them or is not shared.
func (g *gallery) checkForwardedHeaders(t *testing.T) {
	for _, header := range []map[string]string{
		{"Forwarded": "host=evil.example;proto=https"},
		{"X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/x", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "666"},
	} {
		for method, path := range map[string]string{"GET": "/api/vscode/ACME/Hello/latest", "POST": "/api/extensionquery"} { // neither is a file
			got := g.request(t, method, path, "{}", header)
			if !bytes.Contains(got.body, []byte(`"`+g.base+`/assets/acme/hello/1.1.0"`)) || bytes.Contains(got.body, []byte("evil.example")) {
				t.Errorf("%s %s with %v: %d %.300s", method, path, header, got.status, got.body)
			}
			if cache := got.header.Get("Cache-Control"); cache != "no-store" && !strings.HasPrefix(cache, "private") {
				t.Errorf("%s %s: shared caches may store it: Cache-Control %q", method, path, cache)
			}
		}
	}
	page := g.request(t, "GET", "/files/acme/workshop/1.0.0/extension/media/acting.html", "", nil)
	if page.status != 200 || page.header.Get("Content-Disposition") != "attachment" || page.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("a page of a package: %d %v, want a download", page.status, page.header)
	}
	script := g.request(t, "GET", "/files/acme/workshop/1.0.0/extension/media/script.js", "", nil)
	if script.status != 200 || script.header.Get("Content-Disposition") != "" || script.header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("a script of a package: %d %v", script.status, script.header)
	}
}
