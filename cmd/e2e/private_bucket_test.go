//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"galbuild/publish/target/s3/s3test"
)

// The package of acme.hello, and the address at which scripts find it.
const (
	helloPackage = hello + services + "VSIXPackage"
	helloScripts = "/api/publishers/acme/vsextensions/hello/latest/vspackage"
)

// readOnly serves a private bucket whose policy lets one user read its objects, and not list them.
func (b bucketSetups) readOnly(t *testing.T) {
	user := b.server.CreateUser(t)
	b.server.ReadOnly(t, "vsix", user)
	if resp, err := http.Get(b.server.URL + "/vsix/gallery/index/CURRENT"); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Fatalf("everyone can read the bucket: %v %v", resp, err)
	}
	t.Run("redirect", func(t *testing.T) { b.redirects(t, user) })
	t.Run("rotation", func(t *testing.T) { b.rotates(t, user) })
}

// privateShim starts galshim for the bucket. Its credentials are in a file.
func (b bucketSetups) privateShim(t *testing.T, user s3test.User, flags ...string) (shim *service, g *gallery, credentials string) {
	dir := t.TempDir()
	credentials = filepath.Join(dir, "credentials")
	writeKeys(t, credentials, user)
	command := exec.Command(b.suite.commands.galshim, append([]string{"--index", "s3://vsix/gallery", "--endpoint", b.server.URL,
		"--listen", "127.0.0.1:0", "--reload", "100ms", "--cache", filepath.Join(dir, "cache")}, flags...)...)
	command.Env = append(os.Environ(), "HOME="+dir, "AWS_SHARED_CREDENTIALS_FILE="+credentials, "AWS_EC2_METADATA_DISABLED=true")
	shim = start(t, "galshim", dir, command)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return shim, &gallery{client: client, base: shim.await(t, `msg=listening .*addr=(\S+)`)[1]}, credentials
}

func writeKeys(t *testing.T, file string, user s3test.User) {
	t.Helper()
	text := fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", user.AccessKey, user.SecretKey)
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// redirects downloads packages from the addresses that galshim redirects to. Everything else is
// passed on.
func (b bucketSetups) redirects(t *testing.T, user s3test.User) {
	_, g, _ := b.privateShim(t, user, "--redirect")
	whole := g.request(t, "GET", helloPackage, "", map[string]string{"Authorization": "Bearer of.the.gallery"})
	if whole.status != 200 || len(whole.body) == 0 {
		t.Fatalf("with credentials of the gallery: %d %.300s", whole.status, whole.body)
	}
	for _, path := range []string{helloPackage, helloPackage + "?redirect=true&install=true", helloScripts} {
		got := g.request(t, "GET", path, "", nil)
		to, err := url.Parse(got.header.Get("Location"))
		if err != nil || got.status != 302 || got.header.Get("Cache-Control") != "no-store" || got.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Fatalf("%s: %d %v, %v", path, got.status, got.header, err)
		}
		if query := to.Query(); query.Get("X-Amz-Expires") != "300" || "http://"+to.Host != b.server.URL {
			t.Errorf("%s: redirected to %s", path, to)
		}
		resp, err := http.Get(to.String())
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !bytes.Equal(body, whole.body) || resp.StatusCode != 200 {
			t.Errorf("%s: %d, %d bytes, want %d: %v", to, resp.StatusCode, len(body), len(whole.body), err)
		}
		for name, want := range map[string]string{"Content-Type": "application/vsix", "Content-Disposition": whole.header.Get("Content-Disposition")} {
			if v := resp.Header.Get(name); v != want {
				t.Errorf("%s of the bucket's response: got %q, want %q", name, v, want)
			}
		}
		changed := strings.Replace(to.String(), "X-Amz-Expires=300", "X-Amz-Expires=3000", 1)
		if resp, err := http.Get(changed); err != nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("an address that was changed to be valid for longer: %v, %v", resp, err)
		}
	}
	for method, path := range map[string]string{"HEAD": helloPackage, "GET": hello + services + "Icons.Default"} {
		if got := g.request(t, method, path, "", nil); got.status != 200 {
			t.Errorf("%s %s: %d, want it to be passed on", method, path, got.status)
		}
	}
}

// rotates replaces the user whose keys galshim has. While the keys are refused, galshim serves the
// old generation.
func (b bucketSetups) rotates(t *testing.T, user s3test.User) {
	shim, g, credentials := b.privateShim(t, user)
	next := b.server.CreateUser(t)
	b.server.ReadOnly(t, "vsix", next)
	b.server.DeleteUser(t, user)
	shim.await(t, `keeping the old generation.*does not recognize the access key`)
	if got := g.request(t, "POST", "/api/extensionquery", `{"filters":[{}]}`, nil); got.status != 200 {
		t.Errorf("a query: %d %.300s", got.status, got.body)
	}
	if got := g.request(t, "GET", helloPackage, "", nil); got.status != 502 {
		t.Errorf("a package: %d %.300s, want 502", got.status, got.body)
	}
	writeKeys(t, credentials, next)
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(pollInterval) {
		if got := g.request(t, "GET", helloPackage, "", nil); got.status == 200 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the new keys are not used")
		}
	}
	if health := g.request(t, "GET", "/healthz", "", nil); health.status != 200 {
		t.Errorf("/healthz: %d %.300s", health.status, health.body)
	}
	if err := b.server.Client.RemoveObject(t.Context(), "vsix", "gallery/index/CURRENT", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	shim.await(t, `keeping the old generation.*get index/CURRENT in s3://vsix/gallery at \S+: not found`)
	if got := g.request(t, "GET", helloPackage, "", nil); got.status != 200 {
		t.Errorf("a package after CURRENT was removed: %d %.300s", got.status, got.body)
	}
}
