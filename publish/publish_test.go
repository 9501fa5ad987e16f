package publish_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/history"
	"galbuild/build/pack"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/target"
	"galbuild/publish/target/dir"
	"galbuild/render"
)

// writePackage writes acme.NAME at a version into dir and returns its path.
func writePackage(t *testing.T, dir, name, version string) string {
	t.Helper()
	return writeCode(t, dir, name, version, "// "+name+" "+version)
}

func writeCode(t *testing.T, dir, name, version, code string) string {
	t.Helper()
	var archive bytes.Buffer
	text := func(s string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(s), ModTime: time.Unix(1_700_000_000, 0)}
	}
	err := pack.Write(&archive, fstest.MapFS{
		"package.json": text(fmt.Sprintf(`{"name":%q,"publisher":"Acme","version":%q,"engines":{"vscode":"^1.80.0"},"browser":"./main.js","activationEvents":[]}`, name, version)),
		"README.md":    text("# " + name + "\n"),
		"LICENSE.txt":  text("the same in all of them"),
		"main.js":      text(code),
	}, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name+"-"+version+".vsix")
	if err := os.WriteFile(file, archive.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// buildSite builds a site of packages without pages. A package is name@version. With a trailing !,
// its content differs from that of the package without it.
func buildSite(t *testing.T, root string, packages ...string) {
	t.Helper()
	buildAs(t, root, build.Config{Now: clock, Settings: catalog.Settings{NoPages: true}}, packages...)
}

// buildPages is buildSite with pages.
func buildPages(t *testing.T, root string, packages ...string) {
	t.Helper()
	buildAs(t, root, build.Config{Now: clock}, packages...)
}

// buildAs is buildSite with a configuration, whose policy may be set.
func buildAs(t *testing.T, root string, cfg build.Config, packages ...string) {
	t.Helper()
	source := t.TempDir()
	for _, p := range packages {
		name, version, _ := strings.Cut(p, "@")
		if same, other := strings.CutSuffix(version, "!"); other {
			writeCode(t, source, name, same, "// different")
		} else {
			writePackage(t, source, name, version)
		}
	}
	dir, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	cfg.Sources = []string{source}
	cfg.Settings.Render, cfg.Settings.BaseURL, cfg.Settings.Unpack = render.Version, "https://gal.example", "web"
	_, err = publish.Build(t.Context(), dir, cfg, site.Commit{Command: "build"})
	if err != nil {
		t.Fatal(err)
	}
}

// clock is the time of all builds.
var clock = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newFolder(t *testing.T) (target.Target, string) {
	t.Helper()
	root := t.TempDir()
	at, err := dir.New(root)
	if err != nil {
		t.Fatal(err)
	}
	return at, root
}

func workspace(t *testing.T) *site.Dir {
	t.Helper()
	w, err := publish.Scratch()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Discard() })
	return w.Dir
}

func publishSite(t *testing.T, at target.Target, root string) publish.Result {
	t.Helper()
	result, err := publish.Site(t.Context(), at, root, workspace(t), false, publish.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// add adds a package.
func add(ctx context.Context, at target.Target, dir *site.Dir, file string) (publish.Result, error) {
	result, _, err := publish.Add(ctx, at, dir, build.Config{Sources: []string{file}, Now: clock}, nil, publish.Options{})
	return result, err
}

// serves verifies a target and returns the keys of the versions that it serves.
func serves(t *testing.T, at target.Target) string {
	t.Helper()
	s, err := publish.Read(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	if s.IsZero() {
		return ""
	}
	report, err := publish.Verify(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range report.Problems {
		t.Errorf("verify: %s", problem)
	}
	return strings.Join(slices.Sorted(maps.Keys(maps.Collect(s.Catalog.Versions()))), " ")
}

func wantServed(t *testing.T, at target.Target, want string) {
	t.Helper()
	if got := serves(t, at); got != want {
		t.Errorf("served:\n got %s\nwant %s", got, want)
	}
}

// A spy counts the calls of a target's methods, and can make them fail.
type spy struct {
	target.Target
	calls atomic.Int64
	keys  sync.Map          // keys that were put, copied or swapped, by the number of the call
	fail  func(int64) error // given the number of the call; may be nil
}

func (s *spy) call(key string) error {
	n := s.calls.Add(1)
	if s.fail != nil {
		if err := s.fail(n); err != nil {
			return err
		}
	}
	s.keys.Store(n, key)
	return nil
}

func (s *spy) Put(ctx context.Context, o target.Object) error {
	if err := s.call(o.Key); err != nil {
		return err
	}
	return s.Target.Put(ctx, o)
}

func (s *spy) Copy(ctx context.Context, from string, o target.Object) error {
	if err := s.call(o.Key); err != nil {
		return err
	}
	return s.Target.Copy(ctx, from, o)
}

func (s *spy) Swap(ctx context.Context, old []byte, o target.Object) error {
	if err := s.call(o.Key); err != nil {
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

func (s *spy) List(ctx context.Context, prefix string) iter.Seq2[target.Entry, error] {
	s.call("list " + prefix)
	return s.Target.List(ctx, prefix)
}

// order returns the keys in the order of the calls.
func (s *spy) order() (keys []string) {
	for n := int64(1); n <= s.calls.Load(); n++ {
		if key, ok := s.keys.Load(n); ok {
			keys = append(keys, key.(string))
		}
	}
	return keys
}

// TestSiteIsTheSameTree checks that a site published to a directory is a valid site.
func TestSiteIsTheSameTree(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0", "two@1.0.0", "two@2.0.0")
	at, remote := newFolder(t)
	result := publishSite(t, at, root)
	if result.Generation == "" || result.Previous != "" || result.Objects == 0 || result.Bytes == 0 {
		t.Errorf("%+v", result)
	}
	for _, dir := range []string{root, remote} {
		report, err := render.Verify(t.Context(), dir)
		if err != nil || len(report.Problems) > 0 {
			t.Errorf("%s: %v, %v", dir, err, report)
		}
	}
	wantServed(t, at, "acme.one@1.0.0 acme.two@1.0.0 acme.two@2.0.0")
}

// TestOrder checks the order of the steps.
func TestOrder(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0")
	at, _ := newFolder(t)
	s := &spy{Target: at}
	publishSite(t, s, root)
	rank := func(key string) int {
		switch {
		case strings.HasPrefix(key, "blobs/"):
			return 0
		case strings.HasSuffix(key, "/"+catalog.DetailsAsset): // it may be replaced, as pages are
			return 2
		case strings.HasPrefix(key, "assets/"), strings.HasPrefix(key, "files/"):
			return 1
		case key == site.CurrentPath:
			return 6
		case strings.HasPrefix(key, history.HeadDir), strings.HasPrefix(key, history.EntryDir):
			return 5
		case isChunk(key):
			return 3
		case strings.HasPrefix(key, "index/"), strings.HasPrefix(key, site.PrivateDir): // at the same time
			return 4
		}
		return 2
	}
	order := s.order()
	order = order[:len(order)-1] // removing static responses
	order = slices.DeleteFunc(order, func(key string) bool { return key == "index/PUBLISHING" })
	if !slices.IsSortedFunc(order, func(a, b string) int { return rank(a) - rank(b) }) {
		t.Errorf("order %q", order)
	}
	if last := order[len(order)-1]; last != site.CurrentPath {
		t.Errorf("%s comes last", last)
	}
}

// TestUnchangedAndOneAdded counts the calls for an unchanged site and for one more version.
func TestUnchangedAndOneAdded(t *testing.T) {
	root := t.TempDir()
	packages := []string{}
	for i := range 30 {
		packages = append(packages, fmt.Sprintf("n%d@1.0.0", i))
	}
	buildSite(t, root, packages...)
	at, _ := newFolder(t)
	publishSite(t, at, root)
	s := &spy{Target: at}
	if result := publishSite(t, s, root); s.calls.Load() > 3 || result.Objects > 0 || result.Previous != "" {
		t.Errorf("nothing changed: %d calls %q, %+v", s.calls.Load(), s.order(), result)
	}
	s = &spy{Target: at}
	if _, err := add(t.Context(), s, workspace(t), writePackage(t, t.TempDir(), "new", "1.0.0")); err != nil {
		t.Fatal(err)
	}
	if n := s.calls.Load(); n > 38 {
		t.Errorf("one added: %d calls %q", n, s.order())
	}
	if got := serves(t, at); !strings.Contains(got, "acme.new@1.0.0") || strings.Count(got, "@") != 31 {
		t.Errorf("served: %s", got)
	}
}

// TestInterrupted fails at each call in turn or, with pages, which are many calls of the same kind,
// at each ninth one. The old generation must be served until the new one is, and the next attempt
// must succeed.
func TestInterrupted(t *testing.T) {
	t.Run("without pages", func(t *testing.T) { testInterrupted(t, buildSite, 1) })
	t.Run("with pages", func(t *testing.T) { testInterrupted(t, buildPages, 9) })
}

func testInterrupted(t *testing.T, build func(t *testing.T, root string, packages ...string), step int64) {
	before, after := t.TempDir(), t.TempDir()
	build(t, before, "one@1.0.0")
	build(t, after, "one@1.0.0", "two@1.0.0")
	broken := errors.New("the connection is broken")
	for n := int64(1); ; n += step {
		at, _ := newFolder(t)
		publishSite(t, at, before)
		s := &spy{Target: at, fail: func(call int64) error {
			if call >= n {
				return broken
			}
			return nil
		}}
		_, err := publish.Site(t.Context(), s, after, workspace(t), false, publish.Options{Jobs: 1, Commit: site.Commit{Reason: "is interrupted"}})
		if err == nil {
			if n < 10 {
				t.Errorf("only %d calls", n)
			}
			return
		}
		if !errors.Is(err, broken) {
			t.Fatal(err)
		}
		if got := serves(t, at); got != "acme.one@1.0.0" && got != "acme.one@1.0.0 acme.two@1.0.0" {
			t.Errorf("broken at call %d: served %s", n, got)
		}
		publishSite(t, at, after)
		wantServed(t, at, "acme.one@1.0.0 acme.two@1.0.0")
		wantLog(t, at, 2)
	}
}

// wantLog prunes a target, and checks that its history has n entries, and no other files than
// theirs.
func wantLog(t *testing.T, at target.Target, n int) {
	t.Helper()
	if _, err := publish.Prune(t.Context(), at, 0, publish.Options{}); err != nil {
		t.Fatal(err)
	}
	entries := 0
	for _, err := range publish.History(t.Context(), at) {
		if err != nil {
			t.Fatal(err)
		}
		entries++
	}
	if entries != n {
		t.Errorf("the history has %d entries, want %d", entries, n)
	}
	for _, folder := range []string{history.HeadDir, history.EntryDir} {
		var keys []string
		for e, err := range at.List(t.Context(), folder) {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, e.Key)
		}
		if len(keys) != n {
			t.Errorf("%d entries, and the files %q", n, keys)
		}
	}
	if report, err := publish.Verify(t.Context(), at); err != nil || len(report.Problems) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestDirty fails at each call in turn while static responses change. The next publish must
// replace the responses that do not belong to its generation.
func TestDirty(t *testing.T) {
	before, after := t.TempDir(), t.TempDir()
	buildSite(t, before, "one@1.0.0")
	buildSite(t, after, "one@1.0.0", "one@2.0.0", "gone@1.0.0")
	file := writePackage(t, t.TempDir(), "other", "1.0.0")
	for n := int64(1); ; n++ {
		at, _ := newFolder(t)
		publishSite(t, at, before)
		s := &spy{Target: at, fail: func(call int64) error {
			if call >= n {
				return errors.New("the connection is broken")
			}
			return nil
		}}
		_, err := publish.Site(t.Context(), s, after, workspace(t), false, publish.Options{Jobs: 1})
		if err == nil {
			return
		}
		if _, err := add(t.Context(), at, workspace(t), file); err != nil {
			t.Fatal(err)
		}
		if got := serves(t, at); !strings.Contains(got, "acme.other@1.0.0") {
			t.Errorf("broken at call %d: served %s", n, got)
		}
	}
}

// TestBackAndForth checks that rollback switches to the generation that was current before, and not
// to the one that was written before.
func TestBackAndForth(t *testing.T) {
	at, _ := newFolder(t)
	step := func(name, want string) {
		t.Helper()
		var err error
		if name == "back" {
			_, err = publish.Rollback(t.Context(), at, workspace(t), decision.Author{}, 0, publish.Options{})
		} else {
			_, err = add(t.Context(), at, workspace(t), writePackage(t, t.TempDir(), name, "1.0.0"))
		}
		if err != nil {
			t.Fatal(err)
		}
		wantServed(t, at, want)
	}
	const a, b, c = "acme.a@1.0.0", "acme.b@1.0.0", "acme.c@1.0.0"
	step("a", a)
	step("b", a+" "+b)
	step("back", a)
	step("c", a+" "+c)
	step("back", a)
	step("back", a+" "+c)
}

// TestDifferentContent checks that a version is not replaced by different content.
func TestDifferentContent(t *testing.T) {
	mine, theirs := t.TempDir(), t.TempDir()
	buildSite(t, mine, "one@1.0.0")
	buildSite(t, theirs, "one@1.0.0!", "two@1.0.0")
	at, _ := newFolder(t)
	publishSite(t, at, mine)
	_, err := publish.Site(t.Context(), at, theirs, workspace(t), false, publish.Options{})
	if err == nil || !strings.Contains(err.Error(), "different content is published already as acme.one@1.0.0") {
		t.Errorf("got %v", err)
	}
	wantServed(t, at, "acme.one@1.0.0")
}

// TestFolders checks that nothing is published to a directory that is not a site, or while a
// builder has locked it.
func TestFolders(t *testing.T) {
	file := writePackage(t, t.TempDir(), "one", "1.0.0")
	at, root := newFolder(t)
	if err := os.WriteFile(filepath.Join(root, "index.html"), []byte("my homepage"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := add(t.Context(), at, workspace(t), file); !errors.Is(err, site.ErrNotSite) {
		t.Errorf("a directory that is not a site: got %v", err)
	}
	at, root = newFolder(t)
	held, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := add(t.Context(), at, workspace(t), file); !errors.Is(err, site.ErrLocked) {
		t.Errorf("while a builder is at work: got %v", err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if at, err = dir.New(root); err != nil {
		t.Fatal(err)
	}
	if _, err := add(t.Context(), at, workspace(t), file); err != nil {
		t.Fatal(err)
	}
	if _, err := site.Lock(root); !errors.Is(err, site.ErrLocked) {
		t.Errorf("while a publisher is at work: got %v", err)
	}
}

// TestResume checks that an object which an interrupted publish has sent is not sent again.
func TestResume(t *testing.T) {
	root := t.TempDir()
	var packages []string
	for i := range 120 {
		packages = append(packages, fmt.Sprintf("n%d@1.0.0", i))
	}
	buildSite(t, root, packages...)
	at, _ := newFolder(t)
	all := &spy{Target: at}
	const half = 700
	all.fail = func(call int64) error {
		if call > half {
			return errors.New("the connection is broken")
		}
		return nil
	}
	if _, err := publish.Site(t.Context(), all, root, workspace(t), false, publish.Options{}); err == nil {
		t.Fatal("not broken")
	}
	rest := &spy{Target: at}
	publishSite(t, rest, root)
	twice := 0
	first := all.order()
	for _, key := range rest.order() {
		if (strings.HasPrefix(key, "blobs/") || strings.HasPrefix(key, "assets/")) && slices.Contains(first, key) {
			twice++
		}
	}
	if twice > 0 || len(first) < half/2 {
		t.Errorf("%d of %d objects were sent twice", twice, len(first))
	}
	if report, err := publish.Verify(t.Context(), at); err != nil || len(report.Problems) > 0 {
		t.Errorf("%v, %v", err, report)
	}
}

// TestRace adds versions concurrently. All of them must be served in the end.
func TestRace(t *testing.T) {
	at, _ := newFolder(t)
	const adders = 12
	var group sync.WaitGroup
	var attempts atomic.Int64
	for i := range adders {
		file, dir := writePackage(t, t.TempDir(), fmt.Sprintf("n%d", i), "1.0.0"), workspace(t)
		group.Go(func() {
			result, err := add(t.Context(), at, dir, file)
			if err != nil {
				t.Errorf("n%d: %v", i, err)
			}
			attempts.Add(int64(result.Attempts))
		})
	}
	group.Wait()
	if got := serves(t, at); strings.Count(got, "acme.n") != adders {
		t.Errorf("served: %s", got)
	}
	if attempts.Load() == adders {
		t.Error("no attempt was repeated: this tests nothing")
	}
	wantLog(t, at, adders)
}

// TestOthersStay publishes a site to a target at which others have added versions.
func TestOthersStay(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0")
	at, _ := newFolder(t)
	publishSite(t, at, root)
	if _, err := add(t.Context(), at, workspace(t), writePackage(t, t.TempDir(), "theirs", "1.0.0")); err != nil {
		t.Fatal(err)
	}
	buildSite(t, root, "one@1.0.0", "two@1.0.0")
	result, err := publish.Site(t.Context(), at, root, workspace(t), false, publish.Options{})
	if err != nil || !slices.Equal(result.Kept, []string{"acme.theirs@1.0.0"}) {
		t.Errorf("kept %q, %v", result.Kept, err)
	}
	wantServed(t, at, "acme.one@1.0.0 acme.theirs@1.0.0 acme.two@1.0.0")
	if _, err := publish.Site(t.Context(), at, root, workspace(t), true, publish.Options{}); err != nil {
		t.Fatal(err)
	}
	wantServed(t, at, "acme.one@1.0.0 acme.two@1.0.0")

	// Versions that the site itself has removed are removed from the target.
	buildSite(t, root, "two@1.0.0")
	publishSite(t, at, root)
	wantServed(t, at, "acme.two@1.0.0")
}

// TestRemoveRollbackPrune removes a version, switches back, and prunes.
func TestRemoveRollbackPrune(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0", "two@1.0.0")
	at, remote := newFolder(t)
	publishSite(t, at, root)
	if _, err := publish.Rollback(t.Context(), at, workspace(t), decision.Author{}, 0, publish.Options{}); !errors.Is(err, publish.ErrNoEarlier) {
		t.Errorf("got %v, want ErrNoEarlier", err)
	}
	remove := func(gone string) {
		t.Helper()
		_, err := publish.Change(t.Context(), at, workspace(t), publish.Options{}, func(old publish.State) (*catalog.Catalog, error) {
			return build.Without(old.Catalog, func(key string) bool { return key == gone }), nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	remove("acme.two@1.0.0")
	wantServed(t, at, "acme.one@1.0.0")
	if _, err := os.Stat(filepath.Join(remote, "api/vscode/acme/two/latest")); err == nil {
		t.Error("the static response of the removed extension is still there")
	}
	for _, want := range []string{"acme.one@1.0.0 acme.two@1.0.0", "acme.one@1.0.0", "acme.one@1.0.0 acme.two@1.0.0"} {
		if _, err := publish.Rollback(t.Context(), at, workspace(t), decision.Author{}, 0, publish.Options{}); err != nil {
			t.Fatal(err)
		}
		wantServed(t, at, want)
	}

	remove("acme.one@1.0.0")
	if removed, err := publish.Prune(t.Context(), at, time.Hour, publish.Options{}); err != nil || len(removed) > 0 {
		t.Errorf("removed %q, %v: nothing is an hour old", removed, err)
	}
	remove("acme.two@1.0.0")
	lock := target.Bytes(target.Locks+"other", "text/plain", target.Revalidate, nil)
	if err := at.Put(t.Context(), lock); err != nil {
		t.Fatal(err)
	}
	gone, err := publish.Prune(t.Context(), at, 0, publish.Options{DryRun: true})
	if err != nil || len(gone) == 0 {
		t.Fatalf("would remove %q, %v", gone, err)
	}
	removed, err := publish.Prune(t.Context(), at, 0, publish.Options{})
	if err != nil || !slices.Equal(removed, gone) {
		t.Errorf("removed %q, %v; the dry run listed %q", removed, err, gone)
	}
	if _, err := os.Stat(filepath.Join(remote, filepath.FromSlash(lock.Key))); err != nil {
		t.Errorf("the lock of another process: %v", err)
	}
	wantServed(t, at, "")
	if _, err := publish.Rollback(t.Context(), at, workspace(t), decision.Author{}, 0, publish.Options{}); err != nil {
		t.Errorf("rollback after a prune: %v", err)
	}
	wantServed(t, at, "acme.two@1.0.0")
}

// TestPull pulls a target into a folder, and then its changes.
func TestPull(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0", "two@1.0.0")
	at, _ := newFolder(t)
	publishSite(t, at, root)
	for _, indexOnly := range []bool{false, true} {
		dir, err := site.Lock(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		for _, want := range []bool{true, false} {
			if pulled, err := publish.Pull(t.Context(), at, dir, indexOnly, publish.Options{}); err != nil || pulled.Changed != want {
				t.Fatalf("changed %t, %v", pulled.Changed, err)
			}
		}
		if indexOnly {
			if remote, err := os.ReadDir(dir.Root); err != nil || len(remote) != 2 { // with the work directory
				t.Errorf("got %v, %v", remote, err)
			}
			continue
		}
		if report, err := render.Verify(t.Context(), dir.Root); err != nil || len(report.Problems) > 0 {
			t.Errorf("%v, %v", err, report)
		}
	}
}

// A getRecorder records the keys that were read from a target.
type getRecorder struct {
	target.Target
	keys []string
}

func (g *getRecorder) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	g.keys = append(g.keys, key)
	return g.Target.Get(ctx, key, offset, length)
}

// TestNothingNew checks that pulling or publishing an unchanged generation does not read the
// catalogue, because mirrors do so all day.
func TestNothingNew(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0")
	at, _ := newFolder(t)
	publishSite(t, at, root)
	g := &getRecorder{Target: at}
	publishSite(t, g, root)
	if want := []string{"index/CURRENT", "index/PUBLISHING"}; !slices.Equal(g.keys, want) {
		t.Errorf("published: read %q, want %q", g.keys, want)
	}
	dir, err := site.Lock(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	for range 2 {
		g.keys = nil
		if _, err := publish.Pull(t.Context(), g, dir, true, publish.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"index/CURRENT"}; !slices.Equal(g.keys, want) {
		t.Errorf("pulled: read %q, want %q", g.keys, want)
	}
}

// TestPullTheRest pulls the content into a folder that has only the index.
func TestPullTheRest(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0")
	at, _ := newFolder(t)
	publishSite(t, at, root)
	dir, err := site.Lock(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	for _, indexOnly := range []bool{true, false} {
		if pulled, err := publish.Pull(t.Context(), at, dir, indexOnly, publish.Options{}); err != nil || !pulled.Changed {
			t.Fatalf("index only %t: changed %t, %v", indexOnly, pulled.Changed, err)
		}
	}
	if report, err := render.Verify(t.Context(), dir.Root); err != nil || len(report.Problems) > 0 {
		t.Errorf("%v, %v", err, report)
	}
	buildSite(t, root, "one@1.0.0", "two@1.0.0")
	publishSite(t, at, root)
	if _, err := publish.Pull(t.Context(), at, dir, true, publish.Options{}); err == nil || !strings.Contains(err.Error(), "complete site") {
		t.Errorf("the index of a new generation into a complete site: %v", err)
	}
}

// TestPullDamaged checks that objects which do not match their hashes are refused.
func TestPullDamaged(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0")
	at, remote := newFolder(t)
	publishSite(t, at, root)
	blobs, err := filepath.Glob(filepath.Join(remote, "blobs/sha256/*/*"))
	if err != nil || len(blobs) == 0 {
		t.Fatal(blobs, err)
	}
	if err := os.Remove(blobs[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(blobs[0], []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir, err := site.Lock(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err := publish.Pull(t.Context(), at, dir, false, publish.Options{}); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("got %v", err)
	}
	if c, err := site.ReadCurrent(dir.Root); err != nil || !c.IsZero() {
		t.Errorf("it is current: %v, %v", c, err)
	}
	report, err := publish.Verify(t.Context(), at)
	if err != nil || len(report.Problems) != 1 {
		t.Errorf("verify: %v, %v", err, report)
	}
}

// TestPullEndless checks that a target cannot fill the disk: pull writes no more of a file
// than its size in the catalogue.
func TestPullEndless(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0")
	at, remote := newFolder(t)
	publishSite(t, at, root)
	blobs, err := filepath.Glob(filepath.Join(remote, "blobs/sha256/*/*"))
	if err != nil || len(blobs) == 0 {
		t.Fatal(blobs, err)
	}
	if err := errors.Join(os.Chmod(blobs[0], 0o644), os.Truncate(blobs[0], 64<<20)); err != nil {
		t.Fatal(err)
	}
	dir, err := site.Lock(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err := publish.Pull(t.Context(), at, dir, false, publish.Options{}); err == nil || !strings.Contains(err.Error(), "it has more than") {
		t.Errorf("64 MiB instead of a small file: %v", err)
	}
}
