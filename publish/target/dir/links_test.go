//go:build unix

package dir_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"galbuild/build/atomicfile"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/publish/target/dir"
)

func newTarget(t *testing.T, root string) *dir.Target {
	t.Helper()
	at, err := dir.New(root)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func object(key string) target.Object {
	return target.Bytes(key, "text/plain", target.Immutable, []byte("content of "+key))
}

// TestPlantedLinks checks that nothing is written or removed through a link in a target.
func TestPlantedLinks(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	at := newTarget(t, root)
	if err := at.Put(t.Context(), object("blobs/x")); err != nil {
		t.Fatal(err)
	}
	victim := filepath.Join(outside, "victim")
	if err := errors.Join(
		os.WriteFile(victim, []byte("own"), 0o644),
		os.Symlink(outside, filepath.Join(root, "hello")),
		os.Symlink("blobs", filepath.Join(root, "inside")),
		os.Symlink(victim, filepath.Join(root, "blobs", "file")),
	); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"hello/y", "hello/a/b", "inside/y"} {
		if err := at.Put(t.Context(), object(key)); !errors.Is(err, atomicfile.ErrLink) {
			t.Errorf("Put of %s: %v, want ErrLink", key, err)
		}
		if err := at.Copy(t.Context(), "blobs/x", object(key)); !errors.Is(err, atomicfile.ErrLink) {
			t.Errorf("Copy to %s: %v, want ErrLink", key, err)
		}
	}
	for _, key := range []string{"../y", "/y", "a/../../y", ".", ""} {
		if at.Put(t.Context(), object(key)) == nil || at.Copy(t.Context(), "blobs/x", object(key)) == nil {
			t.Errorf("%q is accepted as a key", key)
		}
	}
	if err := at.Delete(t.Context(), []string{"hello/victim", "../" + filepath.Base(outside) + "/victim"}); err == nil {
		t.Error("a file outside was deleted")
	}
	if err := at.Put(t.Context(), object("blobs/file")); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "own" {
		t.Errorf("the victim has %q, %v", text, err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("written outside: %v, %v", entries, err)
	}
}

// TestTempFiles checks that the next publisher removes the temporary files of a killed one, also
// those next to the final files.
func TestTempFiles(t *testing.T) {
	root := t.TempDir()
	left := filepath.Join(root, site.WorkDir, site.Publishing, atomicfile.TempPrefix+"1")
	next := filepath.Join(root, "assets", atomicfile.TempPrefix+"2")
	for _, file := range []string{left, next} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	at := newTarget(t, root)
	if err := errors.Join(at.Put(t.Context(), object("blobs/x")), at.Copy(t.Context(), "blobs/x", object("assets/x"))); err != nil {
		t.Fatal(err)
	}
	for e, err := range at.List(t.Context(), "") {
		if err != nil || strings.Contains(e.Key, atomicfile.TempPrefix) {
			t.Errorf("listed: %s, %v", e.Key, err)
		}
	}
	if err := at.RemoveTemp(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{left, next} {
		if _, err := os.Lstat(file); err == nil {
			t.Errorf("%s is left", file)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(left)); err != nil || len(entries) > 0 {
		t.Errorf("left: %v, %v", entries, err)
	}
	second := newTarget(t, root) // while the first one is still running
	if err := errors.Join(second.Put(t.Context(), object("blobs/y")), at.Put(t.Context(), object("blobs/z"))); err != nil {
		t.Error(err)
	}
}

// TestModes checks that modes do not depend on the umask.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	root := filepath.Join(t.TempDir(), "new")
	at := newTarget(t, root)
	if err := errors.Join(at.Put(t.Context(), object("blobs/x")), at.Copy(t.Context(), "blobs/x", object("assets/a/x"))); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{".": 0o755, "blobs": 0o755, "blobs/x": 0o644, "assets/a": 0o755, "assets/a/x": 0o644} {
		if info, err := os.Stat(filepath.Join(root, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
}

// TestPipe replaces a file by a named pipe. Opening it must not wait for a writer.
func TestPipe(t *testing.T) {
	root := t.TempDir()
	at := newTarget(t, root)
	if err := errors.Join(at.Put(t.Context(), object("blobs/x")), syscall.Mkfifo(filepath.Join(root, "blobs", "pipe"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := at.Get(t.Context(), "blobs/pipe", 0, -1); !errors.Is(err, regularfile.ErrKind) {
		t.Errorf("Get: %v, want ErrKind", err)
	}
	if err := at.Swap(t.Context(), []byte("old"), object("blobs/pipe")); !errors.Is(err, regularfile.ErrKind) {
		t.Errorf("Swap: %v, want ErrKind", err)
	}
}
