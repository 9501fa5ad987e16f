package render

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/site"
)

// change makes a site serve n extensions, in the steps of [Commit].
type change struct {
	dir            *site.Dir
	n              int
	previous, next site.Current
	head           site.Head
	reason         string
}

// steps are the steps of a change after which a process may be killed.
func (c *change) steps(t *testing.T) []func() error {
	all := sample(t, newSite(t), c.n) // the catalogue does not depend on the site
	identify(all)
	return []func() error{
		c.dir.MarkDirty,
		func() error { sample(t, c.dir, c.n); return addStray(c.dir) },
		func() (err error) {
			if c.previous, err = site.ReadCurrent(c.dir.Root); err == nil {
				c.next, err = Site(t.Context(), c.dir, all, site.Generation{Current: c.previous}, nil)
			}
			return err
		},
		func() (err error) {
			by := testCommit
			by.Reason = c.reason
			c.head, err = appendEntry(c.dir, site.Generation{Current: c.next, Catalog: all}, site.Previous{Current: c.previous}, by)
			return err
		},
		func() error { return c.dir.Switch(t.Context(), c.next, c.head) },
		func() error {
			return prune(c.dir, site.Generation{Current: c.next, Catalog: all}, site.Current{}, c.head, 0)
		},
	}
}

// addStray adds content that no generation lists.
func addStray(dir *site.Dir) error {
	ref, err := dir.Blobs.PutBytes([]byte("of a package that was refused"))
	if err != nil {
		return err
	}
	return dir.Blobs.Link(ref, "assets/acme/stray/1.0.0/Stray")
}

// serveAll serves each of these numbers of extensions, one after the other.
func serveAll(t *testing.T, dir *site.Dir, numbers ...int) (current site.Current) {
	t.Helper()
	for _, n := range numbers {
		current = serve(t, dir, sample(t, dir, n))
	}
	return current
}

// hashesOf returns the hashes of the files of a site, by path.
func hashesOf(t *testing.T, root string) map[string]blob.Ref {
	t.Helper()
	files := make(map[string]blob.Ref)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d.Name() == site.WorkDir {
				return fs.SkipDir
			}
			return err
		}
		rel, _ := filepath.Rel(root, path)
		files[filepath.ToSlash(rel)], _, err = blob.SumFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// lockAgain locks a site like the process after one that was killed.
func lockAgain(t *testing.T, dir *site.Dir) *site.Dir {
	t.Helper()
	if err := dir.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := site.Lock(dir.Root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	return again
}

// TestCommitKilled kills a change from 3 to 2 extensions after each of its steps. Before the
// switch, the site has 3 of them, and after that 2. Then a second change is completed, to 2
// extensions or back to 3. The site has the same files as if nothing had been killed.
func TestCommitKilled(t *testing.T) {
	for step, tt := range []struct {
		name           string
		current        int   // extensions in the current generation
		again, instead []int // changes without an interruption that have the same result
	}{
		{"marked", 3, []int{4, 3, 2}, []int{4, 3, 3}},
		{"content written", 3, []int{4, 3, 2}, []int{4, 3, 3}},
		{"rendered", 3, []int{4, 3, 2}, []int{4, 3, 3}},
		{"entry and head written", 3, []int{4, 3, 2}, []int{4, 3, 3}},
		{"switched", 2, []int{4, 3, 2}, []int{4, 3, 2, 3}},
		{"pruned", 2, []int{4, 3, 2}, []int{4, 3, 2, 3}},
	} {
		for n, uninterrupted := range map[int][]int{2: tt.again, 3: tt.instead} {
			t.Run(tt.name, func(t *testing.T) {
				dir := newSite(t)
				serveAll(t, dir, 4, 3)
				killed := &change{dir: dir, n: 2}
				if tt.current == 3 { // the entry that follows is another one
					killed.reason = "was killed"
				}
				for _, do := range killed.steps(t)[:step+1] {
					if err := do(); err != nil {
						t.Fatal(err)
					}
				}
				dir = lockAgain(t, dir)
				if !dir.Dirty {
					t.Error("the site is not dirty")
				}
				checkKilled(t, dir.Root, tt.current)
				serveAll(t, dir, n)
				want := newSite(t)
				serveAll(t, want, uninterrupted...)
				if got, want := hashesOf(t, dir.Root), hashesOf(t, want.Root); !maps.Equal(got, want) {
					t.Errorf("the site has %v, want %v", got, want)
				}
				if lockAgain(t, dir).Dirty {
					t.Error("the site is dirty after the second change")
				}
			})
		}
	}
}

// checkKilled checks that the current generation has n extensions with all their content. Static
// responses and pages may be those of another generation.
func checkKilled(t *testing.T, root string, n int) {
	t.Helper()
	report, err := Verify(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	if report.Extensions != n {
		t.Errorf("%d extensions, want %d", report.Extensions, n)
	}
	if len(report.Problems) > 0 {
		t.Error(report.Problems)
	}
}

// TestCommitFails checks what is current after an error, and that the mark is still there.
func TestCommitFails(t *testing.T) {
	for name, tt := range map[string]struct {
		fail     func(c *change, cancel func()) error
		switched bool
	}{
		"cancelled": {func(_ *change, cancel func()) error { cancel(); return nil }, false},
		"no index": {func(c *change, _ func()) error {
			return os.Remove(c.dir.Path(c.next.IndexPath()))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newSite(t)
			serveAll(t, dir, 4, 3)
			c := &change{dir: dir, n: 2}
			for _, do := range c.steps(t)[:3] {
				if err := do(); err != nil {
					t.Fatal(err)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if err := tt.fail(c, cancel); err != nil {
				t.Fatal(err)
			}
			before := hashesOf(t, dir.Root)
			err := Commit(ctx, dir, site.Generation{Current: c.next, Catalog: sample(t, dir, 2)}, site.Previous{Current: c.previous}, testCommit)
			if err == nil || errors.Is(err, ErrSwitched) != tt.switched {
				t.Errorf("error %v", err)
			}
			want := c.previous
			if tt.switched {
				want = c.next
				if text := "the new generation is current, but removing old files failed: "; !strings.HasPrefix(err.Error(), text) {
					t.Errorf("error %q, want %s…", err, text)
				}
			} else if !maps.Equal(hashesOf(t, dir.Root), before) {
				t.Error("files were removed although the switch failed")
			}
			if current, err := site.ReadCurrent(dir.Root); err != nil || current != want {
				t.Errorf("current is %v, %v; want %v", current, err, want)
			}
			if !lockAgain(t, dir).Dirty {
				t.Error("the mark is gone")
			}
		})
	}
}
