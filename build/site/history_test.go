package site_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/history"
	"galbuild/build/site"
)

// A logged is a folder with a history.
type logged struct {
	root    string
	dir     *site.Dir
	current site.Generation
	head    site.Head
	time    int
}

func newLogged(t *testing.T) *logged {
	dir := lock(t, t.TempDir())
	return &logged{root: dir.Root, dir: dir}
}

// append writes an entry and its head for a generation with these versions. It does not switch.
func (l *logged) append(t *testing.T, by site.Commit, index string, versions ...string) (site.Generation, site.Head, []string) {
	t.Helper()
	c := sample()
	c.Records = nil
	x := &c.Extensions[0]
	first := x.Versions[0]
	x.Versions = nil
	for _, v := range versions {
		next := first
		next.Version, next.Package.Ref = v, blob.Sum([]byte(v))
		x.Versions = append(x.Versions, next)
	}
	next := site.Generation{Current: write(t, l.dir, c, index), Catalog: c}
	l.time++
	by.When = time.Unix(int64(1_000_000+l.time), 0)
	before := site.Previous{Current: l.current.Current}
	if l.current.Catalog != nil {
		before.Packages = site.PackagesOf(l.current.Catalog)
	}
	made, err := by.Append(site.FilesIn(l.root), before, l.head, next)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range made.Files {
		paths = append(paths, f.Path)
		if err := l.dir.WriteFile(f.Path, f.Text); err != nil {
			t.Fatal(err)
		}
	}
	return next, made.Head, paths
}

// commit makes a generation current.
func (l *logged) commit(t *testing.T, by site.Commit, index string, versions ...string) []string {
	t.Helper()
	var paths []string
	l.current, l.head, paths = l.append(t, by, index, versions...)
	return paths
}

func (l *logged) read(t *testing.T) history.Head {
	t.Helper()
	head, err := site.ReadHead(site.FilesIn(l.root), l.current.Current, l.head)
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func (l *logged) files(t *testing.T) (paths []string) {
	t.Helper()
	for _, pattern := range []string{"index/history/*", "private/history/*"} {
		found, err := filepath.Glob(filepath.Join(l.root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			rel, _ := filepath.Rel(l.root, f)
			paths = append(paths, filepath.ToSlash(rel))
		}
	}
	return paths
}

// TestLog checks what entries say, and which generations keep their files.
func TestLog(t *testing.T) {
	l := newLogged(t)
	l.commit(t, site.Commit{Command: "build", By: "ann"}, "a", "1.0.0")
	first := l.current.Generation
	l.commit(t, site.Commit{Command: "add", By: "bob", Reason: "new"}, "b", "1.0.0", "1.1.0")
	l.current.Catalog = nil // it cannot be read
	l.commit(t, site.Commit{Command: "import"}, "c", "1.1.0", "2.0.0")
	head := l.read(t)
	var got []string
	for e, err := range site.Entries(site.FilesIn(l.root), head) {
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%d %s %s %s %d/%d", e.Number, e.Command, e.By, e.Reason, e.Extensions, e.Versions)
		for _, c := range e.Added {
			line += " +" + c.Key
		}
		for _, c := range e.Removed {
			line += " -" + c.Key
		}
		got = append(got, line)
	}
	want := []string{
		"3 import   1/2 +acme.hello@2.0.0 -acme.hello@1.0.0", "2 add bob new 1/2 +acme.hello@1.1.0", "1 build ann  1/1 +acme.hello@1.0.0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := site.CheckHistory(site.FilesIn(l.root), head); err != nil {
		t.Error(err)
	}
	for n, want := range map[int]int{0: 2, 1: 1, 3: 3, 9: 3} {
		if kept, err := site.Kept(site.FilesIn(l.root), head, n); err != nil || len(kept) != want || kept[0] != l.current.Generation {
			t.Errorf("%d generations keep their files: %q, %v", n, kept, err)
		}
	}
	l.commit(t, site.Commit{Command: "rollback"}, "a", "1.0.0") // the same generation for the second time
	if l.current.Generation != first {
		t.Errorf("the same content has generation %s, want %s", l.current.Generation, first)
	}
	if kept, err := site.Kept(site.FilesIn(l.root), l.read(t), 9); err != nil || len(kept) != 3 {
		t.Errorf("%q, %v", kept, err)
	}
}

// TestLogDamaged damages a file of a history. Then nothing is appended, unless a new history
// begins.
func TestLogDamaged(t *testing.T) {
	for _, which := range []string{"entry", "head"} {
		for name, damage := range map[string]func(file string) error{
			"missing": os.Remove,
			"changed": func(file string) error { return os.WriteFile(file, []byte("x"), 0o644) },
		} {
			t.Run(which+" "+name, func(t *testing.T) {
				l := newLogged(t)
				l.commit(t, site.Commit{}, "a", "1.0.0")
				paths := l.commit(t, site.Commit{}, "b", "1.0.0", "1.1.0")
				path := paths[slices.Index([]string{"entry", "head"}, which)]
				if err := damage(l.dir.Path(path)); err != nil {
					t.Fatal(err)
				}
				by := site.Commit{When: time.Unix(1, 0)}
				before := site.Previous{Current: l.current.Current, Packages: site.PackagesOf(l.current.Catalog)}
				_, err := by.Append(site.FilesIn(l.root), before, l.head, l.current)
				if !errors.Is(err, site.ErrHistory) || !strings.Contains(err.Error(), path) || (name == "missing") != errors.Is(err, fs.ErrNotExist) {
					t.Errorf("got %v", err)
				}
				l.commit(t, site.Commit{Restart: true}, "b", "1.0.0", "1.1.0")
				if head := l.read(t); head.Number != 1 || site.CheckHistory(site.FilesIn(l.root), head) != nil {
					t.Errorf("the new history: %+v", head)
				}
			})
		}
	}
}

// TestStaleHistory has files of writers who lost a race, and of an earlier history.
func TestStaleHistory(t *testing.T) {
	l := newLogged(t)
	var lost []string
	lose := func() {
		t.Helper()
		_, _, paths := l.append(t, site.Commit{By: "the loser"}, "lost", "9.0.0")
		lost = append(lost, paths...)
	}
	check := func(name string) {
		t.Helper()
		stale, err := site.StaleHistory(site.FilesIn(l.root), l.read(t), l.files(t))
		if slices.Sort(lost); err != nil || !slices.Equal(stale, lost) {
			t.Errorf("%s: got %q, %v; want %q", name, stale, err, lost)
		}
	}
	lose() // for number 1
	l.commit(t, site.Commit{}, "a", "1.0.0")
	check("first")
	for i := range 3 { // two in a row have a loser, and so has the last one
		if i > 0 {
			lose()
		}
		l.commit(t, site.Commit{}, fmt.Sprint(i), fmt.Sprint("1.0.", i+1))
	}
	check("one for each number")
	lose() // after the last one: it was killed, or is still running
	lose()
	check("after the last one")
	for i, path := range lost { // an interrupted prune has removed the entries
		if strings.HasPrefix(path, "private/") {
			if err := l.dir.Remove(path); err != nil {
				t.Fatal(err)
			}
			lost[i] = ""
		}
	}
	lost = slices.DeleteFunc(lost, func(path string) bool {
		return path == "" || strings.HasPrefix(path, "index/history/1-") // of an unknown history
	})
	check("heads without entries")
	for _, path := range lost {
		if err := l.dir.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	lost = nil
	check("nothing")
	l.commit(t, site.Commit{Restart: true}, "x", "1.0.0")
	l.commit(t, site.Commit{}, "y", "1.0.1")
	check("a new history")
	lose()
	check("a new history with a loser")
}

// TestSign checks that the file of a head is the one that Sign returns, given the head before.
func TestSign(t *testing.T) {
	l := newLogged(t)
	l.commit(t, site.Commit{}, "a", "1.0.0")
	first := l.read(t)
	called := false
	by := site.Commit{Restart: true, Sign: func(last, head history.Head) (history.Head, error) {
		called = last == first && head.Number == 1
		return head, nil
	}}
	l.commit(t, by, "b", "1.0.1")
	if !called {
		t.Error("Sign was not given the two heads")
	}
	by.Sign = func(_, head history.Head) (history.Head, error) { return head, errors.New("no key") }
	next := site.Generation{Current: l.current.Current, Catalog: &catalog.Catalog{}}
	if _, err := by.Append(site.FilesIn(l.root), site.Previous{Current: l.current.Current}, l.head, next); err == nil || err.Error() != "no key" {
		t.Errorf("got %v", err)
	}
}
