package publish_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"galbuild/build"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/render"
)

// A builtSite is a site and the folder of packages that it is built from.
type builtSite struct {
	root, source string
	dry          bool   // whether the next build is a dry run
	gone         string // a path that the next build removes
	cfg          build.Config
}

// newBuilt returns a site with acme.one and acme.two.
func newBuilt(t *testing.T) *builtSite {
	t.Helper()
	f := &builtSite{root: filepath.Join(t.TempDir(), "site"), source: t.TempDir()}
	if err := os.Mkdir(filepath.Join(f.source, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	f.cfg = build.Config{Sources: []string{f.source}, Now: clock, Settings: catalog.Settings{Render: render.Version, BaseURL: "https://gal.example", Unpack: "web"}}
	writePackage(t, f.source, "one", "1.0.0")
	writePackage(t, f.source, "two", "1.0.0")
	if _, err := f.build(t); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *builtSite) build(t *testing.T) (build.Report, error) {
	t.Helper()
	open := site.Lock
	if f.dry {
		open = site.DryRun
	}
	dir, err := open(f.root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	return publish.Build(t.Context(), dir, f.cfg, site.Commit{})
}

func (f *builtSite) write(t *testing.T, path, text string) {
	t.Helper()
	path = filepath.Join(f.root, filepath.FromSlash(path))
	if err := errors.Join(os.RemoveAll(path), os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func addThree(t *testing.T, f *builtSite) { writePackage(t, f.source, "three", "1.0.0") }

func addInvalid(t *testing.T, f *builtSite) {
	if err := os.WriteFile(filepath.Join(f.source, "invalid.vsix"), []byte("not a zip"), 0o644); err != nil {
		t.Fatal(err)
	}
}

const (
	dirtyMark   = site.WorkDir + "/tmp/dirty"
	latestOfOne = "api/vscode/acme/one/latest"
	strayBlob   = "blobs/sha256/ab/abababababababababababababababababababababababababababababababab"
)

// TestBuild builds a site with two extensions again, after something has changed.
func TestBuild(t *testing.T) {
	for name, tt := range map[string]struct {
		change     func(t *testing.T, f *builtSite)
		want       error
		switched   bool
		extensions int // in the report
	}{
		"nothing":        {func(*testing.T, *builtSite) {}, nil, false, 2},
		"a package":      {addThree, nil, true, 3},
		"an invalid one": {addInvalid, nil, true, 2}, // the page about the build names it
		"different content": {func(t *testing.T, f *builtSite) {
			text, err := os.ReadFile(writeCode(t, f.source+"/sub", "one", "1.0.0", "// different"))
			if err != nil {
				t.Fatal(err)
			}
			f.gone = blob.Sum(text).Path() // it is refused after it was stored
		}, nil, true, 2},
		"a setting": {func(_ *testing.T, f *builtSite) { f.cfg.Settings.BaseURL = "https://other.example" }, nil, true, 2},
		"no base URL": {func(_ *testing.T, f *builtSite) {
			f.cfg.Settings.BaseURL, f.cfg.Drop, f.gone = "", []string{"base-url"}, latestOfOne
		}, nil, true, 2},
		"the base URL stays": {func(_ *testing.T, f *builtSite) { f.cfg.Settings.BaseURL = "" }, nil, false, 2},
		"render.Version":     {func(_ *testing.T, f *builtSite) { f.cfg.Settings.Render++ }, nil, true, 2},
		"dry run":            {func(t *testing.T, f *builtSite) { f.dry = true; addThree(t, f) }, nil, false, 3},
		"strict, refused":    {func(t *testing.T, f *builtSite) { f.cfg.Strict = true; addThree(t, f); addInvalid(t, f) }, nil, false, 3},
		"interrupted": {func(t *testing.T, f *builtSite) {
			f.write(t, dirtyMark, "")
			f.write(t, latestOfOne, "of a generation that was never current")
			f.write(t, strayBlob, "that no generation lists")
			f.gone = strayBlob
		}, nil, false, 2},
		"index only": {func(t *testing.T, f *builtSite) {
			f.write(t, site.WorkDir+"/index-only", "")
			addThree(t, f)
		}, publish.ErrIndexOnly, false, 0},
		"CURRENT damaged": {func(t *testing.T, f *builtSite) { f.write(t, site.CurrentPath, "x") }, site.ErrDamaged, false, 0},
		"catalogue damaged": {func(t *testing.T, f *builtSite) {
			current, err := site.ReadCurrent(f.root)
			if err != nil {
				t.Fatal(err)
			}
			f.write(t, current.CatalogPath(), "x")
			addThree(t, f)
		}, site.ErrDamaged, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newBuilt(t)
			before, err := site.ReadCurrent(f.root)
			if err != nil {
				t.Fatal(err)
			}
			tt.change(t, f)
			report, err := f.build(t)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if err != nil {
				return
			}
			f.check(t, before, report, tt.switched)
			if report.Extensions != tt.extensions {
				t.Errorf("%d extensions, want %d", report.Extensions, tt.extensions)
			}
			if _, err := os.Lstat(filepath.Join(f.root, f.gone)); f.gone != "" && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is still there", f.gone)
			}
		})
	}
}

// check checks the generations in a report, that the site is sound, and whether it is dirty.
func (f *builtSite) check(t *testing.T, before site.Current, report build.Report, switched bool) {
	t.Helper()
	after, err := site.ReadCurrent(f.root)
	if err != nil || (after != before) != switched || report.Generation != after.Generation {
		t.Errorf("%s, then %s, %v; the report has %s", before.Generation, after.Generation, err, report.Generation)
	}
	if previous := before.Generation; switched && report.Previous != previous || !switched && report.Previous != "" {
		t.Errorf("the previous generation in the report is %q", report.Previous)
	}
	if f.cfg.Settings.Render == render.Version { // otherwise Verify cannot derive the index
		if sound, err := render.Verify(t.Context(), f.root); err != nil || len(sound.Problems) > 0 {
			t.Errorf("%v, %v", err, sound)
		}
	}
	// A strict build has stored the content of accepted packages, which no generation lists.
	if _, err := os.Lstat(filepath.Join(f.root, dirtyMark)); (err == nil) != f.cfg.Strict {
		t.Errorf("the mark of a dirty site: %v", err)
	}
}

// TestBuildNothing has no packages. If there was no site, there is none after the build.
func TestBuildNothing(t *testing.T) {
	f := &builtSite{root: filepath.Join(t.TempDir(), "site"), cfg: build.Config{Sources: []string{t.TempDir()}}}
	if report, err := f.build(t); err != nil || report.Generation != "" {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := os.Lstat(f.root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a folder: %v", err)
	}
}

// TestPullInterrupted pulls into a folder where an earlier pull was interrupted, in the same
// process or in another one. The next pull has nothing to do.
func TestPullInterrupted(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0")
	at, _ := newFolder(t)
	publishSite(t, at, root)
	for name, again := range map[string]bool{"another process": true, "the same process": false} {
		t.Run(name, func(t *testing.T) {
			f := &builtSite{root: t.TempDir()}
			dir, err := site.Lock(f.root)
			if err != nil {
				t.Fatal(err)
			}
			if err := dir.MarkDirty(); err != nil {
				t.Fatal(err)
			}
			f.write(t, strayBlob, "of a generation that was current meanwhile")
			if again {
				if err := dir.Close(); err != nil {
					t.Fatal(err)
				}
				if dir, err = site.Lock(f.root); err != nil {
					t.Fatal(err)
				}
			}
			defer dir.Close()
			for _, want := range []bool{true, false} {
				if pulled, err := publish.Pull(t.Context(), at, dir, false, publish.Options{}); err != nil || pulled.Changed != want {
					t.Errorf("changed %t, %v; want %t", pulled.Changed, err, want)
				}
			}
			if _, err := os.Lstat(filepath.Join(f.root, strayBlob)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the stray blob is still there: %v", err)
			}
		})
	}
}
