package dbem_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"galbuild/build"
	"galbuild/build/catalog"
	repo "galbuild/build/dbem"
	"galbuild/build/pack"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/dbem"
	"galbuild/publish/target"
	"galbuild/publish/target/dir"
	"galbuild/render"
)

// buildSite builds a site of packages. A package is publisher.name@version, with a trailing + for
// a pre-release.
func buildSite(t *testing.T, root string, packages ...string) {
	t.Helper()
	source := t.TempDir()
	for _, p := range packages {
		id, version, _ := strings.Cut(strings.TrimSuffix(p, "+"), "@")
		publisher, name, _ := strings.Cut(id, ".")
		var archive bytes.Buffer
		err := pack.Write(&archive, fstest.MapFS{
			"package.json": {
				Data:    fmt.Appendf(nil, `{"name":%q,"publisher":%q,"version":%q,"engines":{"vscode":"^1.80.0"}}`, name, publisher, version),
				ModTime: time.Unix(1_700_000_000, 0),
			},
		}, pack.Options{PreRelease: strings.HasSuffix(p, "+")})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(source, id+"-"+version+".vsix"), archive.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	report, err := publish.Build(t.Context(), dir, build.Config{Sources: []string{source}, Settings: catalog.Settings{Render: render.Version}}, site.Commit{})
	if err != nil || len(report.Refused) > 0 {
		t.Fatal(err, report.Refused)
	}
}

func newFolder(t *testing.T) (target.Target, string) {
	t.Helper()
	root := t.TempDir()
	at, err := dir.New(root)
	if err != nil {
		t.Fatal(err)
	}
	return at, root
}

func publishSite(t *testing.T, at target.Target, root string, o dbem.Options) dbem.Result {
	t.Helper()
	result, err := dbem.Publish(t.Context(), at, root, o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// listed returns the ids and versions in a repository's list, and checks that their packages exist.
func listed(t *testing.T, root string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, repo.Name))
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	entries, err := repo.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.ExtID+"@"+e.CurrentVersion)
		if _, err := os.Stat(filepath.Join(root, repo.PackagePath(e.Folder(), e.CurrentVersion))); err != nil {
			t.Errorf("%s is listed: %v", e.ExtID, err)
		}
	}
	return strings.Join(all, " ")
}

func wantListed(t *testing.T, root, want string) {
	t.Helper()
	if got := listed(t, root); got != want {
		t.Errorf("listed:\n got %s\nwant %s", got, want)
	}
}

// TestCurrent checks that the newest release is current, or a pre-release if there is no release.
func TestCurrent(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "a.one@1.0.0", "a.one@1.9.0", "a.one@1.10.0", "a.one@2.0.0+", "a.two@0.1.0+", "a.two@0.2.0+", "a.metadatas@1.0.0")
	at, remote := newFolder(t)
	result := publishSite(t, at, root, dbem.Options{})
	wantListed(t, remote, "a.one@1.10.0 a.two@0.2.0")
	if want := []string{"a.metadatas is left out: its folder would have the name of the list"}; !slices.Equal(result.Warnings, want) {
		t.Errorf("warnings %q", result.Warnings)
	}
	if _, err := os.Stat(filepath.Join(remote, "one/2.0.0/one-2.0.0.vsix")); err != nil {
		t.Errorf("the pre-release must be available by its path: %v", err)
	}
}

// TestOthers checks that entries of others are preserved, and entries that the site has published
// are not.
func TestOthers(t *testing.T) {
	theirs, ours := t.TempDir(), t.TempDir()
	at, remote := newFolder(t)
	buildSite(t, theirs, "a.one@2.0.0", "a.two@1.0.0")
	publishSite(t, at, theirs, dbem.Options{})

	// Newer versions of others stay current, and so do extensions that the site does not have.
	buildSite(t, ours, "a.one@1.0.0", "a.three@1.0.0")
	result := publishSite(t, at, ours, dbem.Options{})
	wantListed(t, remote, "a.one@2.0.0 a.three@1.0.0 a.two@1.0.0")
	if want := []string{"a.one@2.0.0", "a.two@1.0.0"}; !slices.Equal(result.Kept, want) {
		t.Errorf("kept %q, want %q", result.Kept, want)
	}

	// Publishing again changes nothing.
	publishSite(t, at, ours, dbem.Options{Prune: true})
	wantListed(t, remote, "a.one@2.0.0 a.three@1.0.0 a.two@1.0.0")

	// The site may replace versions that it has published, also by older ones.
	buildSite(t, ours, "a.one@1.0.0", "a.one@3.0.0")
	result = publishSite(t, at, ours, dbem.Options{})
	wantListed(t, remote, "a.one@3.0.0 a.two@1.0.0")
	if want := []string{"a.three@1.0.0"}; !slices.Equal(result.Unlisted, want) {
		t.Errorf("unlisted %q, want %q", result.Unlisted, want)
	}
	buildSite(t, ours, "a.one@1.0.0")
	publishSite(t, at, ours, dbem.Options{})
	wantListed(t, remote, "a.one@1.0.0 a.two@1.0.0")

	// Prune removes packages that the site has published and no longer has.
	result = publishSite(t, at, ours, dbem.Options{Prune: true, Grace: time.Hour})
	if len(result.Pruned) > 0 {
		t.Errorf("pruned %q: nothing is an hour old", result.Pruned)
	}
	result = publishSite(t, at, ours, dbem.Options{Prune: true})
	if want := []string{"one/3.0.0/one-3.0.0.vsix", "three/1.0.0/three-1.0.0.vsix"}; !slices.Equal(result.Pruned, want) {
		t.Errorf("pruned %q, want %q", result.Pruned, want)
	}
	result = publishSite(t, at, ours, dbem.Options{Prune: true, Replace: true})
	if want := []string{"one/2.0.0/one-2.0.0.vsix", "two/1.0.0/two-1.0.0.vsix"}; !slices.Equal(result.Pruned, want) {
		t.Errorf("pruned %q, want %q", result.Pruned, want)
	}
	wantListed(t, remote, "a.one@1.0.0")
}

// TestNewPublisher moves an extension to another publisher. The package in its folder has the same
// name and size, but belongs to the old publisher and must be replaced.
func TestNewPublisher(t *testing.T) {
	root := t.TempDir()
	at, remote := newFolder(t)
	buildSite(t, root, "a.one@1.0.0")
	publishSite(t, at, root, dbem.Options{})

	buildSite(t, root, "b.one@1.0.0")
	fresh, elsewhere := newFolder(t)
	publishSite(t, fresh, root, dbem.Options{})
	const file = "one/1.0.0/one-1.0.0.vsix"
	want, err := os.ReadFile(filepath.Join(elsewhere, file))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(remote, file), make([]byte, len(want)), 0o644); err != nil {
		t.Fatal(err)
	}
	publishSite(t, at, root, dbem.Options{})
	wantListed(t, remote, "b.one@1.0.0")
	if got, err := os.ReadFile(filepath.Join(remote, file)); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the package is still the old publisher's (%v)", err)
	}
}

// A spy records the changes of a target, and can make them fail.
type spy struct {
	target.Target
	mutex sync.Mutex
	keys  []string
	fail  func(calls int) error
}

func (s *spy) call(key string) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.keys = append(s.keys, key)
	if s.fail != nil {
		return s.fail(len(s.keys))
	}
	return nil
}

func (s *spy) Put(ctx context.Context, o target.Object) error {
	if err := s.call("put " + o.Key); err != nil {
		return err
	}
	return s.Target.Put(ctx, o)
}

func (s *spy) Swap(ctx context.Context, old []byte, o target.Object) error {
	if err := s.call("swap " + o.Key); err != nil {
		return err
	}
	return s.Target.Swap(ctx, old, o)
}

func (s *spy) Delete(ctx context.Context, keys []string) error {
	if err := s.call("delete"); err != nil {
		return err
	}
	return s.Target.Delete(ctx, keys)
}

// TestInterrupted fails at each call in turn. All listed packages must exist, and the next attempt
// must send only the rest.
func TestInterrupted(t *testing.T) {
	before, after := t.TempDir(), t.TempDir()
	buildSite(t, before, "a.one@1.0.0")
	buildSite(t, after, "a.one@1.0.0", "a.one@2.0.0", "a.two@1.0.0")
	errBroken := errors.New("the connection is broken")
	for n := 1; n <= 4; n++ {
		at, remote := newFolder(t)
		publishSite(t, at, before, dbem.Options{})
		s := &spy{Target: at, fail: func(calls int) error {
			if calls == n {
				return errBroken
			}
			return nil
		}}
		if _, err := dbem.Publish(t.Context(), s, after, dbem.Options{Options: publish.Options{Jobs: 1}}); !errors.Is(err, errBroken) || strings.Count(err.Error(), remote) != 1 {
			t.Fatalf("call %d: %v", n, err)
		}
		want := "a.one@1.0.0"
		if n == 4 {
			want = "a.one@2.0.0 a.two@1.0.0" // the last call deletes nothing
		}
		wantListed(t, remote, want)
		s = &spy{Target: at}
		publishSite(t, s, after, dbem.Options{})
		wantListed(t, remote, "a.one@2.0.0 a.two@1.0.0")
		if sent := len(s.keys); n < 4 && sent != 3-(n-1)+1 || n == 4 && sent > 0 {
			t.Errorf("after a failure at call %d: %q", n, s.keys)
		}
		if n < 4 && s.keys[len(s.keys)-2] != "swap metadatas" {
			t.Errorf("the list is not replaced last: %q", s.keys)
		}
	}
}

// TestRace publishes several sites concurrently. All their entries must be listed in the end.
func TestRace(t *testing.T) {
	const publishers = 6
	at, remote := newFolder(t)
	var group sync.WaitGroup
	var want []string
	for i := range publishers {
		root, id := t.TempDir(), fmt.Sprintf("a.n%d", i)
		buildSite(t, root, id+"@1.0.0")
		want = append(want, id+"@1.0.0")
		group.Go(func() {
			if _, err := dbem.Publish(t.Context(), at, root, dbem.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	wantListed(t, remote, strings.Join(want, " "))
}

// A hostile target lists keys outside the folder, and wrong sizes.
type hostile struct{ target.Target }

func (hostile) List(context.Context, string) iter.Seq2[target.Entry, error] {
	return func(yield func(target.Entry, error) bool) {
		for _, key := range []string{"../1.0.0/..-1.0.0.vsix", "a/../a-...vsix", "one/1.0.0/one-1.0.0.vsix", "one/1.0.0/other.vsix"} {
			if !yield(target.Entry{Key: key, Size: 3}, nil) {
				return
			}
		}
	}
}

func (hostile) Get(_ context.Context, key string, _, _ int64) (io.ReadCloser, error) {
	if slices.Contains(repo.Names(), key) {
		return nil, target.ErrNotExist
	}
	return io.NopCloser(strings.NewReader("more")), nil
}

func (hostile) String() string { return "hostile" }

func TestPullHostile(t *testing.T) {
	top := t.TempDir()
	result, err := dbem.Pull(t.Context(), hostile{}, filepath.Join(top, "below"), publish.Options{})
	if err == nil || !strings.Contains(err.Error(), "one/1.0.0/one-1.0.0.vsix: it has 4 bytes") {
		t.Errorf("got %v", err)
	}
	if result.Packages != 1 {
		t.Errorf("%d packages", result.Packages)
	}
	files, err := filepath.Glob(filepath.Join(top, "*/*/*/*"))
	if err != nil || len(files) > 0 {
		t.Errorf("there is %q, %v", files, err)
	}
	if entries, err := os.ReadDir(top); err != nil || len(entries) != 1 {
		t.Errorf("there is %v, %v", entries, err)
	}
}

// TestShared checks that the error names extensions that would share a folder, up to a limit.
func TestShared(t *testing.T) {
	root := t.TempDir()
	var packages []string
	for i := range 12 {
		packages = append(packages, fmt.Sprintf("a.n%d@1.0.0", i), fmt.Sprintf("b.n%d@1.0.0", i))
	}
	buildSite(t, root, packages...)
	at, remote := newFolder(t)
	_, err := dbem.Publish(t.Context(), at, root, dbem.Options{})
	want := remote + ": a.n0 and b.n0 would share the folder n0; a.n1 and b.n1 would share the folder n1; "
	if !errors.Is(err, dbem.ErrShared) || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "; and 2 more: ") {
		t.Errorf("got %v", err)
	}
	wantListed(t, remote, "")
}
