package render

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"galbuild/build/atomicfile"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/site"
)

// TestPrune serves 4 extensions, then 3 of them, then 2 of them. Each case changes something before
// the last generation becomes current.
func TestPrune(t *testing.T) {
	const strayAsset, strayTemp = "assets/acme/stray/1.0.0/Stray", "index/" + atomicfile.TempPrefix + "1"
	const third, fourth = "assets/acme/ext2", "assets/acme/ext3" // of the previous and of an older generation
	stray := func(t *testing.T, dir *site.Dir) {
		if err := errors.Join(addStray(dir), os.WriteFile(dir.Path(strayTemp), nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		change      func(t *testing.T, dir *site.Dir, older site.Current, c *catalog.Catalog)
		there, gone []string
	}{
		"nothing": {
			func(*testing.T, *site.Dir, site.Current, *catalog.Catalog) {},
			[]string{third, "api/vscode/acme/ext1/latest", "api/vscode/Acme/Ext1/latest", "manifest.json"},
			[]string{fourth, "api/vscode/acme/ext2", "api/vscode/Acme/Ext2"},
		},
		"no base URL": {
			func(_ *testing.T, _ *site.Dir, _ site.Current, c *catalog.Catalog) { c.BaseURL = "" },
			[]string{third}, []string{fourth, "api/vscode", "manifest.json"},
		},
		"only for an old platform": {
			func(_ *testing.T, _ *site.Dir, _ site.Current, c *catalog.Catalog) {
				c.Extensions[1].Versions[0].Platform = oldPlatform
			},
			[]string{"assets/acme/ext1", "api/vscode/acme/ext0/latest"}, []string{"api/vscode/acme/ext1", "api/vscode/Acme/Ext1"},
		},
		"content that no generation lists, after an interruption": {
			func(t *testing.T, dir *site.Dir, _ site.Current, _ *catalog.Catalog) {
				dir.Dirty = true
				stray(t, dir)
			},
			[]string{third}, []string{fourth, strayAsset, strayTemp},
		},
		"an older generation is damaged": {
			func(t *testing.T, dir *site.Dir, older site.Current, _ *catalog.Catalog) {
				if err := os.Remove(dir.Path(older.IndexPath())); err != nil {
					t.Fatal(err)
				}
			},
			[]string{third}, []string{fourth},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newSite(t)
			older := serveAll(t, dir, 4)
			previous := serveAll(t, dir, 3)
			c := sample(t, dir, 2)
			tt.change(t, dir, older, c)
			current := serve(t, dir, c)
			tt.there = append(tt.there, current.IndexPath(), previous.IndexPath())
			tt.gone = append(tt.gone, "index/"+older.Generation)
			checkPaths(t, dir, tt.there, tt.gone)
			checkChunks(t, dir, current, previous)
		})
	}
}

// checkPaths checks which paths a site has.
func checkPaths(t *testing.T, dir *site.Dir, there, gone []string) {
	t.Helper()
	for _, path := range there {
		if _, err := os.Lstat(dir.Path(path)); err != nil {
			t.Error(err)
		}
	}
	for _, path := range gone {
		if _, err := os.Lstat(dir.Path(path)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
}

// checkChunks checks that the site has the chunks of these generations, and no others.
func checkChunks(t *testing.T, dir *site.Dir, generations ...site.Current) {
	t.Helper()
	want := make(map[string]bool)
	for _, c := range generations {
		files, err := site.ReadChunks(dir.Root, c)
		if err != nil {
			t.Fatal(err)
		}
		for path := range catalog.AllChunkFiles(files) {
			want[path] = true
		}
	}
	got := make(map[string]bool)
	for path := range hashesOf(t, dir.Root) {
		if strings.HasPrefix(path, catalog.ChunkDir) {
			got[path] = true
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the site has the chunks %q, want %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// TestPruneKeep keeps more generations, each with its chunks.
func TestPruneKeep(t *testing.T) {
	dir := newSite(t)
	var all []site.Current
	for n := range 5 {
		all = append(all, switchTo(t, dir, many(t, dir, n+1), 3))
	}
	checkChunks(t, dir, all[2:]...)
	for _, c := range all[2:] {
		if _, err := site.ReadCatalog(dir.Root, c); err != nil {
			t.Error(err)
		}
	}
}

// TestPruneMalicious has two older generations with a version that a decision of the current one
// calls malicious, one of them only among the versions that it had dropped. Neither is kept.
func TestPruneMalicious(t *testing.T) {
	dir := newSite(t)
	c := many(t, dir, 90)
	bad := c.Extensions[45]
	listed := switchTo(t, dir, c, 9)
	rest := *c
	rest.Extensions = slices.Delete(slices.Clone(c.Extensions), 45, 46)
	rest.Dropped = []catalog.Dropped{droppedOf(bad)}
	dropped := switchTo(t, dir, &rest, 9)
	rest.Dropped = nil
	good := switchTo(t, dir, &rest, 9)
	subject, err := catalog.ParseSubject(bad.Key())
	if err != nil {
		t.Fatal(err)
	}
	last := rest
	if last.Records, err = decision.Add(nil, decision.Author{By: "alice", When: testCommit.When}, decision.Malicious, []catalog.Subject{subject}, ""); err != nil {
		t.Fatal(err)
	}
	current := switchTo(t, dir, &last, 9)
	checkPaths(t, dir, []string{good.IndexPath(), current.IndexPath()}, []string{"index/" + listed.Generation, "index/" + dropped.Generation})
	checkChunks(t, dir, good, current)
}

// TestPruneReadsFolders checks when the folders of content are read, which is slow for a large
// site: not if the older generation has no file that the other two do not have.
func TestPruneReadsFolders(t *testing.T) {
	for name, tt := range map[string]struct {
		extensions []int
		dirty      bool
		read       bool
	}{
		"a new version of all":      {[]int{2, 3, 4}, false, false},
		"one removed two ago":       {[]int{4, 3, 3}, false, false}, // the second and the third are the same
		"one removed in the middle": {[]int{3, 2, 4}, false, false}, // it is there again
		"one removed":               {[]int{4, 3, 2}, false, true},
		"interrupted":               {[]int{2, 3, 4}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := newSite(t)
			serveAll(t, dir, tt.extensions[:2]...)
			if err := addStray(dir); err != nil {
				t.Fatal(err)
			}
			dir.Dirty = tt.dirty
			serveAll(t, dir, tt.extensions[2:]...)
			_, err := os.Lstat(dir.Path("assets/acme/stray"))
			if read := errors.Is(err, os.ErrNotExist); read != tt.read {
				t.Errorf("the folders were read: %t, want %t (%v)", read, tt.read, err)
			}
		})
	}
}

// TestPruneNeverCurrent has a generation that a build has written and that never became current. It
// is removed, and not the generation that was current before.
func TestPruneNeverCurrent(t *testing.T) {
	dir := newSite(t)
	readers := serveAll(t, dir, 3)
	c := sample(t, dir, 2)
	never, err := Site(t.Context(), dir, c, site.Generation{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	last := serveAll(t, dir, 1)
	checkPaths(t, dir, []string{readers.IndexPath(), "assets/acme/ext2"}, []string{"index/" + never.Generation})
	checkChunks(t, dir, readers, last)
}
