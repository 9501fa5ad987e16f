package inbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"aead.dev/minisign"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/pack"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/target"
	"galbuild/publish/target/dir"
)

// A box is a gallery with an inbox in a folder, and the keys of an author.
type box struct {
	target.Target
	root   string
	secret minisign.PrivateKey
	policy string // with the author's key for acme
}

func newBox(t *testing.T) *box {
	t.Helper()
	root := t.TempDir()
	at, err := dir.New(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { at.Close() })
	public, secret := newKey(t)
	return &box{at, root, secret, fmt.Sprintf(`{"publishers": {"acme": {"keys": {"alice": %q}}}}`, public)}
}

// newPackage returns PUBLISHER.NAME at a version as a submission.
func newPackage(t *testing.T, publisher, name, version string) Submission {
	t.Helper()
	var archive bytes.Buffer
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s), ModTime: clock} }
	err := pack.Write(&archive, fstest.MapFS{
		"package.json": text(fmt.Sprintf(`{"name":%q,"publisher":%q,"version":%q,"engines":{"vscode":"^1.80.0"}}`, name, publisher, version)),
		"README.md":    text("# " + name), "LICENSE.txt": text("none"),
	}, pack.Options{Time: clock})
	if err != nil {
		t.Fatal(err)
	}
	s := Submission{File: filepath.Join(t.TempDir(), "x.vsix"), Package: catalog.Key(publisher, name, version, "")}
	if err := os.WriteFile(s.File, archive.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Publisher, s.SHA256, s.Size = strings.ToLower(publisher), blob.Sum(archive.Bytes()), int64(archive.Len())
	return s
}

// submit submits packages as the author.
func (b *box) submit(t *testing.T, all ...Submission) {
	t.Helper()
	if _, err := Submit(t.Context(), b, all, decision.Author{By: "alice", When: clock}, &b.secret, nil); err != nil {
		t.Fatal(err)
	}
}

func (b *box) options() Options {
	return Options{
		Options: publish.Options{Commit: site.Commit{When: clock}},
		Build:   build.Config{Now: clock, Settings: catalog.Settings{NoPages: true, Policy: b.policy}},
	}
}

// accept runs Accept through a target that may fail.
func (b *box) accept(t *testing.T, through target.Target, o Options) (Report, error) {
	t.Helper()
	scratch, err := publish.Scratch()
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Discard()
	r, _, err := Accept(t.Context(), through, through, scratch.Dir, o)
	return r, err
}

// states returns what became of submissions, as package=state.
func states(r Report) (all []string) {
	for _, s := range r.Submissions {
		all = append(all, s.Package+"="+string(s.State))
	}
	slices.Sort(all)
	return all
}

// put writes an object as somebody does who does not use our client.
func (b *box) put(t *testing.T, key, text string) {
	t.Helper()
	file := filepath.Join(b.root, filepath.FromSlash(key))
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func (b *box) exists(key string) bool {
	_, err := os.Stat(filepath.Join(b.root, filepath.FromSlash(key)))
	return err == nil
}

// TestAttacks submits packages in ways that must be refused, together with one that is accepted.
func TestAttacks(t *testing.T) {
	b := newBox(t)
	good := newPackage(t, "Acme", "good", "1.0.0")
	b.submit(t, good)
	refused := make(map[Name]string)

	theirs := newPackage(t, "globex", "theirs", "1.0.0") // its folder has no keys in the policy
	b.submit(t, theirs)
	refused[theirs.Name] = "the policy of the gallery has no keys of the publisher globex"

	moved := newPackage(t, "globex", "moved", "1.0.0") // in a folder with another publisher's keys
	moved.Publisher, moved.Package = "acme", "acme.moved@1.0.0"
	b.submit(t, moved)
	refused[moved.Name] = "the package is globex.moved@1.0.0, and the submission says acme.moved@1.0.0"

	forged := newPackage(t, "acme", "forged", "1.0.0") // signed with a key of nobody
	valid := b.secret
	_, b.secret = newKey(t)
	b.submit(t, forged)
	b.secret = valid
	refused[forged.Name] = "it is not signed with a key that may submit packages of the publisher acme"

	lies := newPackage(t, "acme", "lies", "1.0.0")
	lies.Package = "acme.lies@2.0.0"
	b.submit(t, lies)
	refused[lies.Name] = "the package is acme.lies@1.0.0, and the submission says acme.lies@2.0.0"

	replayed := newPackage(t, "acme", "replayed", "1.0.0") // with the document of another package
	_, text, err := Read(t.Context(), b, good.Name)
	if err != nil {
		t.Fatal(err)
	}
	b.put(t, replayed.PackageKey(), read(t, replayed.File))
	b.put(t, replayed.DocumentKey(), string(text))
	refused[replayed.Name] = "and the name is about the package"

	swapped := newPackage(t, "acme", "swapped", "1.0.0") // the content of a signed name is another one
	b.submit(t, swapped)
	content := []byte(read(t, swapped.File))
	content[len(content)/2] ^= 1
	b.put(t, swapped.PackageKey(), string(content))
	refused[swapped.Name] = "the SHA-256 of the package is not the one in its name"

	huge := newPackage(t, "acme", "huge", "1.0.0")
	b.submit(t, huge)
	b.put(t, huge.DocumentKey(), strings.Repeat(" ", 2*maxDocument))
	refused[huge.Name] = "more than the limit"

	broken := Submission{Name: Name{"acme", blob.Sum([]byte("no zip"))}, Package: "acme.broken@1.0.0", Size: 6, File: filepath.Join(t.TempDir(), "b")}
	if err := os.WriteFile(broken.File, []byte("no zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.submit(t, broken)
	refused[broken.Name] = "zip"

	junk := Name{"acme", blob.Sum([]byte("junk"))}
	b.put(t, junk.PackageKey(), "junk")
	b.put(t, junk.DocumentKey(), "{\x1b]0;x\a")
	refused[junk] = "not a submission"
	empty := Name{"acme", blob.Sum([]byte("empty"))}
	b.put(t, empty.PackageKey(), "x")
	b.put(t, empty.DocumentKey(), "")
	refused[empty] = "not a submission"
	b.put(t, "inbox/acme/\x1b[31m.vsix", "x")
	b.put(t, "inbox/strange", "x")
	unfinished := newPackage(t, "acme", "unfinished", "1.0.0")
	b.put(t, unfinished.PackageKey(), read(t, unfinished.File))

	r, err := b.accept(t, b, b.options())
	if err != nil || r.Failed != 0 {
		t.Fatalf("%v, %+v", err, r.Skipped)
	}
	if !slices.Equal(r.AddedVersions, []string{"acme.good@1.0.0"}) || len(r.Submissions) != len(refused)+1 {
		t.Errorf("added %q, %d submissions", r.AddedVersions, len(r.Submissions))
	}
	for _, s := range r.Submissions {
		if want, ok := refused[s.Name]; ok && (s.State != Refused || !strings.Contains(s.Reason, want) || strings.Contains(s.Reason, os.TempDir())) {
			t.Errorf("%s: %s %q, want %q", s.Package, s.State, s.Reason, want)
		}
		told, err := StatusOf(t.Context(), b, s.Name)
		if err != nil || told.State != s.State || told.Result.Reason != s.Reason {
			t.Errorf("the author of %s reads %+v, %v", s.PackageKey(), told, err)
		}
		if b.exists(s.PackageKey()) {
			t.Errorf("%s is still there", s.PackageKey())
		}
	}
	if len(r.Skipped) != 2 || !b.exists(unfinished.PackageKey()) {
		t.Errorf("skipped %q; the unfinished upload is there: %t", r.Skipped, b.exists(unfinished.PackageKey()))
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A dying target ends the process, so to speak, before its nth Swap or Delete. Put is not counted:
// what it writes is content that no generation has yet.
type dying struct {
	target.Target
	left atomic.Int64
}

var errDied = errors.New("died")

func (d *dying) die() error {
	if d.left.Add(-1) < 0 {
		return errDied
	}
	return nil
}

func (d *dying) Swap(ctx context.Context, old []byte, o target.Object) error {
	if err := d.die(); err != nil {
		return err
	}
	return d.Target.Swap(ctx, old, o)
}

func (d *dying) Delete(ctx context.Context, keys []string) error {
	if err := d.die(); err != nil {
		return err
	}
	return d.Target.Delete(ctx, keys)
}

// TestKilled ends a run before each step that others can see. The next run always ends with
// the package in the gallery, once, and a result for the author.
func TestKilled(t *testing.T) {
	for after := 0; ; after++ {
		b := newBox(t)
		good, bad := newPackage(t, "acme", "good", "1.0.0"), newPackage(t, "globex", "bad", "1.0.0")
		b.submit(t, good, bad)
		at := &dying{Target: b}
		at.left.Store(int64(after))
		_, err := b.accept(t, at, b.options())
		if err == nil {
			if after < 6 { // CURRENT, and a result and a package of each
				t.Errorf("only %d changes", after)
			}
			return
		}
		if !errors.Is(err, errDied) {
			t.Fatal(err)
		}
		if _, err := b.accept(t, b, b.options()); err != nil {
			t.Fatalf("after %d changes: %v", after, err)
		}
		old := time.Now().Add(-2 * keepUploads)
		for _, n := range []Name{good.Name, bad.Name} { // what was not deleted is, a day later
			_ = os.Chtimes(filepath.Join(b.root, filepath.FromSlash(n.PackageKey())), old, old)
		}
		again, err := b.accept(t, b, b.options())
		if err != nil || len(again.Submissions) != 0 || again.Objects != 0 {
			t.Errorf("after %d changes: %v, %+v", after, err, again)
		}
		entries, _, err := Status(t.Context(), b, "")
		if err != nil || len(entries) != 2 || entries[0].State != Accepted || entries[1].State != Refused || b.exists(good.PackageKey()) || b.exists(bad.PackageKey()) {
			t.Errorf("after %d changes: %v, %+v", after, err, entries)
		}
		if s, err := publish.Read(t.Context(), b); err != nil || len(s.Catalog.Extensions) != 1 || len(s.Catalog.Records) != 1 {
			t.Errorf("after %d changes: %v, %+v", after, err, s.Catalog)
		}
	}
}

// TestTwoBuilders lets another builder accept everything before this one switches.
func TestTwoBuilders(t *testing.T) {
	b := newBox(t)
	b.submit(t, newPackage(t, "acme", "good", "1.0.0"), newPackage(t, "globex", "bad", "1.0.0"))
	racing := &overtaken{Target: b, overtake: func() {
		if r, err := b.accept(t, b, b.options()); err != nil || len(states(r)) != 2 {
			t.Errorf("%v, %q", err, states(r))
		}
	}}
	r, err := b.accept(t, racing, b.options())
	if err != nil || r.Failed != 0 || len(r.Submissions) != 0 || len(r.Skipped) != 2 {
		t.Errorf("%v, %q, %+v", err, states(r), r.Skipped)
	}
	if entries, _, err := Status(t.Context(), b, "acme"); err != nil || len(entries) != 1 || entries[0].State != Accepted || entries[0].Result.Number != 1 {
		t.Errorf("%v, %+v", err, entries)
	}
}

// overtaken is a target that another process changes before the first Swap.
type overtaken struct {
	target.Target
	overtake func()
}

func (o *overtaken) Swap(ctx context.Context, old []byte, object target.Object) error {
	if overtake := o.overtake; overtake != nil {
		o.overtake = nil
		overtake()
	}
	return o.Target.Swap(ctx, old, object)
}

// TestResubmitted lets the author sign with another key while the builder refuses the old one. The
// new submission is not lost.
func TestResubmitted(t *testing.T) {
	b := newBox(t)
	s, valid := newPackage(t, "acme", "good", "1.0.0"), b.secret
	_, b.secret = newKey(t)
	b.submit(t, s)
	b.secret = valid
	racing := &overtaken{Target: b, overtake: func() { b.submit(t, s) }}
	if r, err := b.accept(t, racing, b.options()); err != nil || len(r.Submissions) != 0 || len(r.Skipped) != 1 {
		t.Errorf("%v, %q, %+v", err, states(r), r.Skipped)
	}
	if r, err := b.accept(t, b, b.options()); err != nil || !slices.Equal(states(r), []string{"acme.good@1.0.0=accepted"}) {
		t.Errorf("%v, %q", err, states(r))
	}
}

// TestLimits submits more than a run reads. What waits does not delay what is new, and everybody
// is served in the end.
func TestLimits(t *testing.T) {
	b := newBox(t)
	b.policy = strings.Replace(b.policy, "{", `{"minimumAge": {"acme.young": "1d"}, `, 1)
	b.submit(t, newPackage(t, "acme", "young", "1.0.0"))
	o := b.options()
	if r, err := b.accept(t, b, o); err != nil || !slices.Equal(states(r), []string{"acme.young@1.0.0=waiting"}) || r.Submissions[0].Until != clock.Add(24*time.Hour) {
		t.Fatalf("%v, %+v", err, r.Submissions)
	}
	first, second := newPackage(t, "acme", "first", "1.0.0"), newPackage(t, "acme", "second", "1.0.0")
	b.submit(t, first, second)
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(b.root, filepath.FromSlash(first.DocumentKey())), past, past); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(b.root, filepath.FromSlash(first.PackageKey())), past, past); err != nil {
		t.Fatal(err)
	}
	o.Limits.Submissions = 1
	r, err := b.accept(t, b, o)
	if err != nil || !slices.Equal(states(r), []string{"acme.first@1.0.0=accepted"}) || len(r.Skipped) != 2 || !strings.Contains(r.Skipped[0].Reason, "acme has more than 1 submissions") {
		t.Errorf("%v, %q, %+v", err, states(r), r.Skipped)
	}
	o.Limits = Limits{Bytes: second.Size}
	if r, err = b.accept(t, b, o); err != nil || !slices.Equal(states(r), []string{"acme.second@1.0.0=accepted"}) || len(r.Skipped) != 1 || !strings.Contains(r.Skipped[0].Reason, "bytes") {
		t.Errorf("%v, %q, %+v", err, states(r), r.Skipped)
	}
	o.Limits, o.Build.Limits.PackageBytes = Limits{}, 100
	b.submit(t, newPackage(t, "acme", "large", "1.0.0"))
	if r, err = b.accept(t, b, o); err != nil || !slices.Contains(states(r), "acme.large@1.0.0=refused") {
		t.Errorf("%v, %q", err, states(r))
	}
	later := b.options()
	later.Build.Now, later.Commit.When = clock.Add(25*time.Hour), clock.Add(25*time.Hour)
	b.submit(t, newPackage(t, "acme", "young", "1.0.0"))
	if r, err := b.accept(t, b, later); err != nil || !slices.Equal(states(r), []string{"acme.young@1.0.0=accepted"}) {
		t.Errorf("%v, %q", err, states(r))
	}
}

// TestClean checks what is deleted because of its age.
func TestClean(t *testing.T) {
	b := newBox(t)
	o := b.options()
	done, upload := newPackage(t, "acme", "done", "1.0.0"), newPackage(t, "acme", "upload", "1.0.0")
	b.submit(t, done)
	if _, err := b.accept(t, b, o); err != nil {
		t.Fatal(err)
	}
	b.put(t, upload.PackageKey(), "half")
	age := func(key string, by time.Duration) {
		when := time.Now().Add(-by)
		if err := os.Chtimes(filepath.Join(b.root, filepath.FromSlash(key)), when, when); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		by           time.Duration
		done, upload bool
	}{{keepUploads - time.Hour, true, true}, {keepUploads + time.Hour, true, false}, {keepResults + time.Hour, false, false}} {
		age(done.DocumentKey(), step.by)
		if b.exists(upload.PackageKey()) {
			age(upload.PackageKey(), step.by)
		}
		if _, err := b.accept(t, b, o); err != nil {
			t.Fatal(err)
		}
		if b.exists(done.DocumentKey()) != step.done || b.exists(upload.PackageKey()) != step.upload {
			t.Errorf("after %v: %t, %t", step.by, b.exists(done.DocumentKey()), b.exists(upload.PackageKey()))
		}
	}
	if !b.exists("inbox/acme") {
		t.Error("the folder of the publisher was removed, with its permissions")
	}
}

// TestNothing refuses everything. No gallery is made where there is none, and one that is there
// stays as it is.
func TestNothing(t *testing.T) {
	b := newBox(t)
	b.submit(t, newPackage(t, "globex", "bad", "1.0.0"))
	r, err := b.accept(t, b, b.options())
	if err != nil || !slices.Equal(states(r), []string{"globex.bad@1.0.0=refused"}) || b.exists(site.CurrentPath) {
		t.Errorf("%v, %q, a gallery: %t", err, states(r), b.exists(site.CurrentPath))
	}
	if r, err := b.accept(t, b, b.options()); err != nil || len(r.Submissions) > 0 || b.exists(site.CurrentPath) {
		t.Errorf("an empty inbox: %v, %q, a gallery: %t", err, states(r), b.exists(site.CurrentPath))
	}
}

// TestPolicyStays gives a gallery a policy that revokes the author's key, in a run that accepts
// nothing. Later runs without a policy refuse the key too.
func TestPolicyStays(t *testing.T) {
	b := newBox(t)
	b.submit(t, newPackage(t, "acme", "notes", "1.0.0"))
	if r, err := b.accept(t, b, b.options()); err != nil || !slices.Equal(states(r), []string{"acme.notes@1.0.0=accepted"}) {
		t.Fatalf("%v, %q", err, states(r))
	}
	b.policy = strings.Replace(b.policy, `"keys"`, `"revoked"`, 1)
	b.submit(t, newPackage(t, "acme", "notes", "1.0.1"))
	for _, policy := range []string{b.policy, ""} {
		o := b.options()
		o.Build.Settings.Policy = policy
		r, err := b.accept(t, b, o)
		if err != nil || len(r.Submissions) != 1 || !strings.Contains(r.Submissions[0].Reason, "revoked") {
			t.Errorf("%v, %+v", err, r.Submissions)
		}
		s, err := publish.Read(t.Context(), b)
		if err != nil || s.Catalog.Settings.Policy != b.policy {
			t.Errorf("%v, the gallery has the policy %s", err, s.Catalog.Settings.Policy)
		}
		b.submit(t, newPackage(t, "acme", "notes", "1.0.2"))
	}
}

// TestConflict submits what the gallery has with different content, together with a package that
// waits and one that is accepted. What is refused leaves no record, and what waits leaves one,
// however often it is submitted.
func TestConflict(t *testing.T) {
	b := newBox(t)
	b.policy = strings.Replace(b.policy, "{", `{"minimumAge": {"acme.young": "1d"}, `, 1)
	first := newPackage(t, "acme", "notes", "1.0.0")
	b.submit(t, first)
	if _, err := b.accept(t, b, b.options()); err != nil {
		t.Fatal(err)
	}
	other, young := newPackage(t, "Acme", "notes", "1.0.0"), newPackage(t, "acme", "young", "1.0.0")
	for _, version := range []string{"1.0.0", "1.1.0"} {
		b.submit(t, other, newPackage(t, "acme", "new", version))
		if _, err := Submit(t.Context(), b, []Submission{young}, decision.Author{By: "alice", When: clock, Reason: rand.Text()}, &b.secret, nil); err != nil {
			t.Fatal(err)
		}
		r, err := b.accept(t, b, b.options())
		if err != nil || !slices.Equal(states(r), []string{"acme.new@" + version + "=accepted", "acme.notes@1.0.0=refused", "acme.young@1.0.0=waiting"}) {
			t.Errorf("%v, %+v", err, r.Submissions)
		}
		if told, err := StatusOf(t.Context(), b, other.Name); err != nil || !strings.Contains(told.Result.Reason, "different content") {
			t.Errorf("%v, %+v", err, told)
		}
	}
	s, err := publish.Read(t.Context(), b)
	if err != nil || len(s.Catalog.Records) != 4 { // of notes, young and two of new
		t.Fatalf("%v, %+v", err, s.Catalog.Records)
	}
	for key, v := range s.Catalog.Versions() {
		if key == first.Package && v.Package.Ref != first.SHA256 {
			t.Errorf("%s was replaced", key)
		}
	}
}

// TestSameVersion submits two packages of the same version. One is accepted, and the author of the
// other reads which one, without the names of temporary folders.
func TestSameVersion(t *testing.T) {
	b := newBox(t)
	b.submit(t, newPackage(t, "acme", "twin", "1.0.0"), newPackage(t, "Acme", "twin", "1.0.0"))
	r, err := b.accept(t, b, b.options())
	if err != nil || !slices.Equal(states(r), []string{"acme.twin@1.0.0=accepted", "acme.twin@1.0.0=refused"}) {
		t.Fatalf("%v, %+v", err, r.Submissions)
	}
	for _, s := range r.Submissions {
		if s.State == Refused && !strings.Contains(s.Reason, "acme.twin@1.0.0 is also in "+filepath.FromSlash("inbox/acme/")) {
			t.Errorf("got %q", s.Reason)
		}
	}
}
