//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/minio/minio-go/v7"

	"galbuild/build/site"
)

// TestDrill is what an operator practises before she needs it: two machines publish to one bucket,
// an extension is blocked, both publish again, the gallery is rolled back, an old and a new tarball
// cross the gap, somebody replays an old state of the bucket, and the gallery is restored from a
// backup. After each step all addresses are asked, and in the end every version that was ever
// served is accounted for.
func TestDrill(t *testing.T) {
	d := newDrill(t)
	d.pack("here", "hello", "1.0.0")
	d.pack("here", "notes", "1.0.0")
	d.pack("there", "hello", "1.0.0")
	d.pack("there", "midnight", "1.0.0")

	d.step("two machines publish")
	d.build("here")
	d.publish("here")
	d.want("acme.hello@1.0.0", "acme.notes@1.0.0")
	d.build("there")
	d.publish("there")
	d.want("acme.hello@1.0.0", "acme.midnight@1.0.0", "acme.notes@1.0.0")
	d.run("export", d.path("here"), "-o", d.path("old.tar"), "--sign-key", d.key)
	oldCurrent := d.object("index/CURRENT")

	d.step("an extension is blocked and purged")
	d.run(d.bucketFlags("block", "acme.notes", "--purge", "--by", "alice", "--reason", "calls home", "--sign-key", d.key)...)
	d.want("acme.hello@1.0.0", "acme.midnight@1.0.0")

	d.step("both publish again")
	d.pack("here", "hello", "1.1.0")
	d.build("here")
	d.publish("here")
	d.publish("there")
	d.want("acme.hello@1.0.0", "acme.hello@1.1.0", "acme.midnight@1.0.0")

	d.step("the gallery is rolled back")
	d.run(d.bucketFlags("rollback", "--to", "2", "--sign-key", d.key)...)
	d.want("acme.hello@1.0.0", "acme.midnight@1.0.0")
	d.publish("here")
	d.want("acme.hello@1.0.0", "acme.hello@1.1.0", "acme.midnight@1.0.0")

	d.step("tarballs cross the gap")
	d.run("export", d.path("here"), "-o", d.path("new.tar"), "--sign-key", d.key)
	for _, archive := range []string{"old.tar", "new.tar"} {
		d.run("import", d.path(archive), "-o", d.path("far"), "--trust", d.public, "--sign-key", d.key)
	}
	far := d.read("far/index/CURRENT")
	if out := d.fail("import", d.path("old.tar"), "-o", d.path("far"), "--trust", d.public, "--sign-key", d.key); !strings.Contains(out, "--allow-older") {
		t.Errorf("the old tarball: %s", out)
	}
	if !bytes.Equal(d.read("far/index/CURRENT"), far) {
		t.Error("a refused tarball has changed the site")
	}
	d.run("verify", d.path("far"))

	d.step("an old state is replayed")
	newCurrent := d.object("index/CURRENT")
	d.putObject("index/CURRENT", oldCurrent)
	d.shim.await(t, `level=(WARN|ERROR) .*older`)
	d.wantServed("acme.hello@1.0.0", "acme.hello@1.1.0", "acme.midnight@1.0.0")
	d.putObject("index/CURRENT", newCurrent)

	d.step("the gallery is restored from a backup")
	backup := d.objects()
	d.removeObjects()
	d.wantStatus(http.StatusNotFound, "index/CURRENT")
	d.restoreObjects(backup)
	d.want("acme.hello@1.0.0", "acme.hello@1.1.0", "acme.midnight@1.0.0")
	d.run(d.bucketFlags("verify")...)

	d.step("every version is accounted for")
	d.wantAudit()
}

// A drill is a bucket, what two machines publish to it, and a galshim that trusts one key.
type drill struct {
	*testing.T
	commands    commands
	dir         string
	bucket      bucket
	key, public string   // files of the key pair
	known       []string // ids of the versions that were packed
	shim        *service // nil until the first generation is published
	address     string   // of galshim
}

func newDrill(t *testing.T) *drill {
	t.Helper()
	dir := t.TempDir()
	d := &drill{T: t, dir: dir, commands: compile(t, filepath.Join(dir, "bin")), bucket: newBucket(t)}
	d.key, d.public = d.path("key.minisign"), d.path("key.pub")
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for file, key := range map[string]encoding.TextMarshaler{d.key: private, d.public: public} {
		text, err := key.MarshalText()
		if err == nil {
			err = os.WriteFile(file, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	policy := d.run("config", "s3-policy", d.bucket.name+"/gallery")
	if err := d.bucket.server.Client.SetBucketPolicy(t.Context(), d.bucket.name, policy); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *drill) path(name string) string { return filepath.Join(d.dir, name) }

// step logs what is practised next.
func (d *drill) step(name string) {
	d.Helper()
	d.Log(name)
}

func (d *drill) read(name string) []byte {
	d.Helper()
	text, err := os.ReadFile(d.path(name))
	if err != nil {
		d.Fatal(err)
	}
	return text
}

// pack adds a version of a sample to the packages of a machine.
func (d *drill) pack(machine, sample, version string) {
	d.Helper()
	folder := d.path(machine + "-vsix")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		d.Fatal(err)
	}
	id := "acme." + sample + "@" + version
	if err := (variant{sample: sample, version: version}).pack(packers{galbuild: []string{d.commands.galbuild}}, filepath.Join("..", "..", "testdata", "samples"), folder); err != nil {
		d.Fatal(err)
	}
	if !slices.Contains(d.known, id) {
		d.known = append(d.known, id)
	}
}

func (d *drill) build(machine string) {
	d.Helper()
	d.run("build", d.path(machine+"-vsix"), "-o", d.path(machine), "--strict", "--sign-key", d.key)
}

func (d *drill) publish(machine string) {
	d.Helper()
	d.run(d.bucketFlags("publish", d.path(machine), "--sign-key", d.key)...)
}

func (d *drill) bucketFlags(args ...string) []string {
	return append(args, "--s3", d.bucket.name+"/gallery", "--endpoint", d.bucket.server.URL)
}

// run runs galbuild, and returns what it prints.
func (d *drill) run(args ...string) string {
	d.Helper()
	out, err := d.command(args)
	if err != nil {
		d.Fatalf("galbuild %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// fail runs galbuild, which must fail with status 1.
func (d *drill) fail(args ...string) string {
	d.Helper()
	out, err := d.command(args)
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 {
		d.Fatalf("galbuild %s: %v, want exit status 1\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (d *drill) command(args []string) (string, error) {
	cmd := exec.Command(d.commands.galbuild, args...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+d.bucket.server.AccessKey, "AWS_SECRET_ACCESS_KEY="+d.bucket.server.SecretKey)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		return stdout.String() + stderr.String(), err
	}
	return stdout.String(), nil
}

// want checks what the bucket and galshim serve, after galshim has found the new generation.
func (d *drill) want(ids ...string) {
	d.Helper()
	if d.shim == nil {
		d.serve()
	}
	generation := d.generation()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(pollInterval) {
		health := d.get(d.address + "/healthz")
		if strings.Contains(health.text, generation) {
			break
		}
		if time.Now().After(deadline) {
			d.Fatalf("galshim does not serve generation %s: %d %s", generation, health.status, health.text)
		}
	}
	d.wantServed(ids...)
}

// wantServed asks all addresses of every version that the drill knows.
func (d *drill) wantServed(ids ...string) {
	d.Helper()
	for _, id := range d.known {
		extension, version, _ := strings.Cut(id, "@")
		_, name, _ := strings.Cut(extension, ".")
		served := slices.Contains(ids, id)
		if got := slices.Contains(d.query(extension), version); got != served {
			d.Errorf("%s: galshim lists it: %v, want %v", id, got, served)
		}
		if !served && name != "notes" {
			continue // the files of an earlier generation stay for some time
		}
		want := http.StatusOK
		if !served {
			want = http.StatusNotFound
		}
		for _, asset := range []string{"Microsoft.VisualStudio.Services.VSIXPackage", "Microsoft.VisualStudio.Code.Manifest"} {
			d.wantStatus(want, "assets/acme/"+name+"/"+version+"/"+asset)
		}
	}
	for _, object := range d.objects() {
		if strings.HasPrefix(object.key, "private/") {
			d.wantStatus(http.StatusForbidden, object.key)
		}
	}
}

// wantStatus asks the bucket for a path, without credentials.
func (d *drill) wantStatus(status int, path string) {
	d.Helper()
	if got := d.get(d.bucket.url() + "/" + path); got.status != status {
		d.Errorf("%s: status %d, want %d", path, got.status, status)
	}
}

// serve starts galshim.
func (d *drill) serve() {
	d.Helper()
	d.shim = start(d.T, "galshim", d.dir, exec.Command(d.commands.galshim, "--index", d.bucket.url(), "--no-files", "--listen", "127.0.0.1:0",
		"--reload", "200ms", "--cache", d.path("cache"), "--trust", d.public, "--state", d.path("state")))
	d.address = d.shim.await(d.T, `msg=listening .*addr=(\S+)`)[1]
}

// query returns the versions of an extension that galshim lists.
func (d *drill) query(extension string) (versions []string) {
	d.Helper()
	question := fmt.Sprintf(`{"filters":[{"criteria":[{"filterType":7,"value":%q}]}],"flags":1}`, extension)
	response, err := http.Post(d.address+"/api/extensionquery", "application/json", strings.NewReader(question))
	if err != nil {
		d.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Results []struct {
			Extensions []struct {
				Versions []struct{ Version string }
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		d.Fatalf("%s: %v", response.Status, err)
	}
	for _, r := range answer.Results {
		for _, e := range r.Extensions {
			for _, v := range e.Versions {
				versions = append(versions, v.Version)
			}
		}
	}
	return versions
}

type answer struct {
	status int
	text   string
}

func (d *drill) get(url string) answer {
	d.Helper()
	response, err := http.Get(url)
	if err != nil {
		d.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		d.Fatal(err)
	}
	return answer{response.StatusCode, string(text)}
}

// generation returns the name of the current generation of the bucket.
func (d *drill) generation() string {
	d.Helper()
	current, _, err := site.ParseCurrent(d.object(site.CurrentPath))
	if err != nil {
		d.Fatal(err)
	}
	return current.Generation
}

// An object is an object of the gallery in the bucket.
type object struct {
	key     string // without the prefix of the gallery
	text    []byte
	headers minio.PutObjectOptions
}

const galleryPrefix = "gallery/"

func (d *drill) object(key string) []byte {
	d.Helper()
	o, err := d.bucket.server.Client.GetObject(d.Context(), d.bucket.name, galleryPrefix+key, minio.GetObjectOptions{})
	if err != nil {
		d.Fatal(err)
	}
	defer o.Close()
	text, err := io.ReadAll(o)
	if err != nil {
		d.Fatalf("%s: %v", key, err)
	}
	return text
}

// objects returns all objects of the gallery, with index/CURRENT at the end.
func (d *drill) objects() (all []object) {
	d.Helper()
	client := d.bucket.server.Client
	for info := range client.ListObjects(d.Context(), d.bucket.name, minio.ListObjectsOptions{Prefix: galleryPrefix, Recursive: true}) {
		if info.Err != nil {
			d.Fatal(info.Err)
		}
		key := strings.TrimPrefix(info.Key, galleryPrefix)
		stat, err := client.StatObject(d.Context(), d.bucket.name, info.Key, minio.StatObjectOptions{})
		if err != nil {
			d.Fatal(err)
		}
		all = append(all, object{key, d.object(key), minio.PutObjectOptions{
			ContentType: stat.ContentType, CacheControl: stat.Metadata.Get("Cache-Control"),
			ContentDisposition: stat.Metadata.Get("Content-Disposition"), UserMetadata: stat.UserMetadata,
		}})
	}
	last := slices.IndexFunc(all, func(o object) bool { return o.key == site.CurrentPath })
	if last >= 0 {
		all = append(slices.Delete(slices.Clone(all), last, last+1), all[last])
	}
	return all
}

func (d *drill) removeObjects() {
	d.Helper()
	for _, o := range d.objects() {
		if err := d.bucket.server.Client.RemoveObject(d.Context(), d.bucket.name, galleryPrefix+o.key, minio.RemoveObjectOptions{}); err != nil {
			d.Fatal(err)
		}
	}
}

func (d *drill) restoreObjects(all []object) {
	d.Helper()
	for _, o := range all {
		d.put(o)
	}
}

func (d *drill) put(o object) {
	d.Helper()
	if _, err := d.bucket.server.Client.PutObject(d.Context(), d.bucket.name, galleryPrefix+o.key, bytes.NewReader(o.text), int64(len(o.text)), o.headers); err != nil {
		d.Fatal(err)
	}
}

func (d *drill) putObject(key string, text []byte) { d.put(object{key: key, text: text}) }

// decided is a decision as audit prints it.
type decided struct {
	Kind, Subject, By, Reason string
	InForce                   bool
}

// wantAudit checks that the audit accounts for every version that was ever packed for the gallery,
// and for the block, by whom and why.
func (d *drill) wantAudit() {
	d.Helper()
	var audit struct {
		Complete bool
		Versions []struct {
			ID          string
			Served      bool
			First, Last struct{ Number int64 }
			Sources     []struct{ Path string }
		}
		Decisions []decided
	}
	text := d.run(d.bucketFlags("audit", "--format", "json")...)
	if err := json.Unmarshal([]byte(text), &audit); err != nil {
		d.Fatal(err)
	}
	type row struct {
		id     string
		served bool
		first  int64
		source bool
	}
	var rows []row
	for _, v := range audit.Versions {
		rows = append(rows, row{v.ID, v.Served, v.First.Number, len(v.Sources) > 0})
	}
	want := []row{
		{"acme.hello@1.0.0", true, 1, true},
		{"acme.hello@1.1.0", true, 4, true},
		{"acme.midnight@1.0.0", true, 2, true},
		{"acme.notes@1.0.0", false, 1, true},
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.id, b.id) })
	if !slices.Equal(rows, want) || !audit.Complete {
		d.Errorf("the audit has %+v, want %+v; complete: %v", rows, want, audit.Complete)
	}
	if !slices.Contains(audit.Decisions, decided{"blocked", "acme.notes", "alice", "calls home", true}) {
		d.Errorf("the audit does not have the block: %s", text)
	}
}
