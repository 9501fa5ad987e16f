//go:build e2e

package galbuild

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aead.dev/minisign"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"galbuild/publish/target/s3/s3test"
)

// A drop is a bucket on a real server with the policy that `galbuild config s3-policy` prints, and
// the two authors in it.
type drop struct {
	server *s3test.Server
	users  map[string]string // secret keys
}

func newDrop(t *testing.T) drop {
	t.Helper()
	d := drop{s3test.StartWithUsers(t), make(map[string]string)}
	for _, name := range []string{"alice", "bob"} {
		d.users[name] = d.server.User(t, name)
	}
	if err := d.server.Client.MakeBucket(t.Context(), "vsix", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	policy := program{}.must(t, "config s3-policy vsix/gallery --inbox acme=alice --inbox globex=bob")
	if err := d.server.Client.SetBucketPolicy(t.Context(), "vsix", policy); err != nil {
		t.Fatalf("%v\n%s", err, policy)
	}
	return d
}

// as sets the credentials of a user, or those of the owner of the bucket.
func (d drop) as(t *testing.T, user string) {
	access, secret := d.server.AccessKey, d.server.SecretKey
	if user != "" {
		access, secret = user, d.users[user]
	}
	t.Setenv("AWS_ACCESS_KEY_ID", access)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_ENDPOINT_URL", d.server.URL)
}

// client returns a client that sends what a user likes.
func (d drop) client(t *testing.T, user string) *minio.Client {
	c, err := minio.New(d.server.Host, &minio.Options{Creds: credentials.NewStaticV4(user, d.users[user], ""), Region: "us-east-1", MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fails runs a command that must fail, and returns its messages.
func (p program) fails(t *testing.T, command string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if p.run(t.Context(), strings.Fields(command), nil, &stdout, &stderr) == 0 {
		t.Fatalf("galbuild %s does not fail: %s", command, &stdout)
	}
	return stderr.String()
}

// TestInboxBucket submits as a user who may write only below inbox/acme/, tries to write and read
// elsewhere as that user, and accepts as the owner of the bucket.
func TestInboxBucket(t *testing.T) {
	d := newDrop(t)
	t.Chdir(t.TempDir())
	packExtension(t, ".", "notes")
	packExtension(t, ".", "other")
	policy := newAuthor(t, "alice.key")
	if err := os.WriteFile("policy.json", []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	var p program

	d.as(t, "alice")
	p.must(t, "publish notes.vsix s3://vsix/gallery --inbox --sign-key alice.key --by alice")
	if out := p.must(t, "inbox notes.vsix s3://vsix/gallery"); !strings.Contains(out, "new    acme.notes@1.0.0  alice") {
		t.Errorf("the author reads %s", out)
	}
	if out := p.must(t, "inbox acme s3://vsix/gallery"); !strings.Contains(out, "acme.notes@1.0.0") {
		t.Errorf("the author lists %s", out)
	}
	for _, command := range []string{
		"inbox s3://vsix/gallery", "inbox globex s3://vsix/gallery", "accept s3://vsix/gallery --policy policy.json",
		"add notes.vsix s3://vsix/gallery", "publish notes.vsix s3://vsix --inbox --sign-key alice.key",
	} {
		if out := p.fails(t, command); !strings.Contains(strings.ToLower(out), "denied") {
			t.Errorf("galbuild %s, as the author: %s", command, out)
		}
	}
	d.tryOthers(t)

	d.as(t, "")
	if out := p.must(t, "accept s3://vsix/gallery --policy policy.json"); !strings.Contains(out, "accepted  acme.notes@1.0.0, submitted by alice with the key alice") || strings.Count(out, "refused") != 1 {
		t.Errorf("got %s", out)
	}
	p.must(t, "verify s3://vsix/gallery")
	p.must(t, "prune s3://vsix/gallery --grace 0s")

	d.as(t, "alice")
	if out := p.must(t, "inbox notes.vsix s3://vsix/gallery"); !strings.Contains(out, "accepted  acme.notes@1.0.0") || !strings.Contains(out, "generation 1, ") {
		t.Errorf("the author reads %s", out)
	}
	newAuthor(t, "eve.key")
	p.must(t, "publish other.vsix s3://vsix/gallery --inbox --sign-key eve.key")
	d.as(t, "")
	p.must(t, "accept s3://vsix/gallery -q")
	d.as(t, "alice")
	if out := p.fails(t, "inbox other.vsix s3://vsix/gallery"); !strings.Contains(out, "a package was refused") {
		t.Errorf("the author reads %s", out)
	}
	for object := range d.server.Client.ListObjects(t.Context(), "vsix", minio.ListObjectsOptions{Prefix: "gallery/inbox/", Recursive: true}) {
		if !strings.HasSuffix(object.Key, ".json") {
			t.Errorf("%s is still in the bucket", object.Key)
		}
	}
}

// newAuthor writes a secret key to a file, and returns a policy in which it is a key of acme.
func newAuthor(t *testing.T, file string) string {
	t.Helper()
	public, secret, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := secret.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"publishers": {"acme": {"keys": {"alice": %q}}}}`, public.String())
}

// tryOthers sends, as alice, every request by which an author could harm others.
func (d drop) tryOthers(t *testing.T) {
	t.Helper()
	name := strings.Repeat("ab", 32)
	put := func(key string) error {
		_, err := d.client(t, "alice").PutObject(t.Context(), "vsix", key, strings.NewReader("x"), 1, minio.PutObjectOptions{})
		return err
	}
	if err := put("gallery/inbox/acme/" + name + ".vsix"); err != nil {
		t.Errorf("alice cannot write to the own folder: %v", err)
	}
	for _, key := range []string{
		"gallery/inbox/globex/" + name + ".vsix", "gallery/inbox/acme2/x", "gallery/inbox/acme", "gallery/index/CURRENT", "gallery/blobs/x",
		"inbox/acme/x", "gallery/inbox/acme/../globex/x",
	} {
		if put(key) == nil {
			t.Errorf("alice can write %s", key)
		}
	}
	get := func(user, key string) bool {
		_, err := d.client(t, user).StatObject(t.Context(), "vsix", key, minio.StatObjectOptions{})
		return err == nil
	}
	var documents []string
	for object := range d.server.Client.ListObjects(t.Context(), "vsix", minio.ListObjectsOptions{Prefix: "gallery/inbox/acme/", Recursive: true}) {
		if filepath.Ext(object.Key) == ".json" {
			documents = append(documents, object.Key)
		}
	}
	if len(documents) != 1 || !get("alice", documents[0]) || get("bob", documents[0]) || get("alice", "gallery/inbox/acme/"+name+".vsix") {
		t.Errorf("documents %q: alice %t", documents, len(documents) == 1 && get("alice", documents[0]))
	}
	if err := d.client(t, "alice").RemoveObject(t.Context(), "vsix", documents[0], minio.RemoveObjectOptions{}); err == nil {
		t.Error("alice can delete a submission")
	}
	// A document of no bytes is refused as any other that is wrong.
	if _, err := d.client(t, "alice").PutObject(t.Context(), "vsix", "gallery/inbox/acme/"+name+".json", strings.NewReader(""), 0, minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
}
