//go:build unix

package site_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/site"
	"galbuild/index"
)

// TestPlantedLinks checks that a site is not changed if a link has the path of one of its folders.
// The path of the site itself may be a link.
func TestPlantedLinks(t *testing.T) {
	for _, name := range []string{site.WorkDir, site.WorkDir + "/tmp", site.WorkDir + "/lock", site.WorkDir + "/publishers", "blobs", "assets", "files", "index", "api"} {
		root, outside := t.TempDir(), t.TempDir()
		if err := lock(t, root).Close(); err != nil {
			t.Fatal(err)
		}
		planted := filepath.Join(root, name)
		if err := errors.Join(os.RemoveAll(planted), os.Symlink(filepath.Join(outside, "x"), planted)); err != nil {
			t.Fatal(err)
		}
		if _, err := site.Lock(root); err == nil {
			t.Errorf("%s: a link is accepted", name)
		}
		if name != site.WorkDir+"/lock" && name != site.WorkDir+"/tmp" { // Share does not use these
			if _, err := site.Share(root); err == nil {
				t.Errorf("%s: Share accepts a link", name)
			}
		}
		if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
			t.Errorf("%s: files outside: %v, %v", name, left, err)
		}
	}
	root, link := t.TempDir(), filepath.Join(t.TempDir(), "site")
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	dir := lock(t, link)
	if err := dir.WriteFile("index/x", []byte("text")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, "index", "x")); err != nil {
		t.Error(err)
	}
}

// TestRemoveUnless checks that links are removed and not followed.
func TestRemoveUnless(t *testing.T) {
	dir := lock(t, t.TempDir())
	outside := t.TempDir()
	if err := errors.Join(
		os.WriteFile(filepath.Join(outside, "victim"), nil, 0o644),
		dir.WriteFile("assets/a/wanted", nil), dir.WriteFile("assets/a/other", nil), dir.WriteFile("assets/b/other", nil),
		os.Symlink(outside, dir.Path("assets/a/link")), os.Symlink("assets", dir.Path("api")),
	); err != nil {
		t.Fatal(err)
	}
	for _, top := range []string{"assets", "files", "api"} {
		if err := dir.RemoveUnless(top, func(path string) bool { return path == "assets/a/wanted" }); err != nil {
			t.Error(err)
		}
	}
	for path, want := range map[string]bool{
		dir.Path("assets/a/wanted"): true, dir.Path("assets/a/other"): false, dir.Path("assets/b"): false,
		dir.Path("assets/a/link"): false, dir.Path("api"): false, filepath.Join(outside, "victim"): true,
	} {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s: %v, want it to exist: %v", path, err, want)
		}
	}
}

// TestRemoveTemp removes temporary files of earlier versions.
func TestRemoveTemp(t *testing.T) {
	dir := lock(t, t.TempDir())
	for _, path := range []string{"x", "index/x", "item/x"} {
		temp := filepath.Join(filepath.Dir(path), atomicfile.TempPrefix+"1")
		if err := errors.Join(dir.WriteFile(path, nil), dir.WriteFile(temp, nil)); err != nil {
			t.Fatal(err)
		}
		if err := dir.RemoveTemp(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(dir.Path(temp)); err == nil {
			t.Errorf("%s still exists", temp)
		}
		if _, err := os.Lstat(dir.Path(path)); err != nil {
			t.Error(err)
		}
	}
}

// TestPipes puts a named pipe at the path of each file of a site that is opened. If opening one
// waited for a writer, the test would time out.
func TestPipes(t *testing.T) {
	dir := lock(t, t.TempDir())
	current := write(t, dir, sample(), "index")
	chunks, readErr := site.ReadChunks(dir.Root, current)
	ref, err := dir.Blobs.PutBytes([]byte("hello"))
	if err := errors.Join(readErr, err, dir.Switch(t.Context(), current, head), dir.Close()); err != nil {
		t.Fatal(err)
	}
	lines := chunks[0].Lines
	for name, open := range map[string]func(file string) error{
		catalog.LinesPath(lines.SHA256): func(string) error {
			_, err := site.LinesIn(dir.Root)(catalog.LinesPath(lines.SHA256), lines)
			return err
		},
		current.CatalogPath():  func(string) error { _, err := site.ReadCatalog(dir.Root, current); return err },
		site.CurrentPath:       func(string) error { _, err := site.ReadCurrent(dir.Root); return err },
		current.IndexPath():    func(file string) error { _, err := index.Open(file, index.ChunksIn(dir.Root)); return err },
		ref.Path():             func(file string) error { _, _, err := blob.SumFile(file); return err },
		site.WorkDir + "/lock": func(string) error { _, err := site.Lock(dir.Root); return err },
	} {
		planted := dir.Path(name)
		if err := errors.Join(os.Remove(planted), syscall.Mkfifo(planted, 0o644)); err != nil {
			t.Fatal(err)
		}
		if err := open(planted); err == nil {
			t.Errorf("%s: a pipe is accepted", name)
		}
	}
}
