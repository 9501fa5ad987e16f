//go:build unix

package atomicfile_test

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
)

func newRoot(t *testing.T) (*os.Root, string) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root, dir
}

// TestModes checks that modes do not depend on the umask, and that a folder keeps the bits
// it inherits from its parent.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	root, dir := newRoot(t)
	if err := os.Chmod(dir, 0o755|fs.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.WriteText(root, "a/b/c", []byte("text")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"a": 0o755, "a/b": 0o755, "a/b/c": 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode(), err, want)
		}
		if info.IsDir() && info.Mode()&fs.ModeSetgid == 0 {
			t.Errorf("%s: %v has lost the set-group-id bit", name, info.Mode())
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, "a", "b"))
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

// TestLinks checks that nothing is written through a link, wherever it leads, and that a
// link at the path of a file is replaced.
func TestLinks(t *testing.T) {
	root, dir := newRoot(t)
	outside := t.TempDir()
	victim := filepath.Join(outside, "victim")
	if err := errors.Join(
		os.WriteFile(victim, []byte("own"), 0o644),
		os.Mkdir(filepath.Join(dir, "inside"), 0o755),
		os.Symlink(outside, filepath.Join(dir, "out")),
		os.Symlink("inside", filepath.Join(dir, "in")),
		os.Symlink("nothing", filepath.Join(dir, "dangling")),
		os.Symlink(victim, filepath.Join(dir, "inside", "file")),
	); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"out/x", "in/x", "dangling/x", "in/y/z"} {
		if err := atomicfile.WriteText(root, file, []byte("text")); !errors.Is(err, atomicfile.ErrLink) {
			t.Errorf("%s: %v, want ErrLink", file, err)
		}
	}
	if err := atomicfile.WriteText(root, "inside/file", []byte("text")); err != nil {
		t.Error(err)
	}
	if info, err := os.Lstat(filepath.Join(dir, "inside", "file")); err != nil || !info.Mode().IsRegular() {
		t.Errorf("inside/file: %v, %v", info, err)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "own" {
		t.Errorf("the victim has %q, %v", text, err)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 1 {
		t.Errorf("files outside: %v, %v", entries, err)
	}
	for _, path := range []string{"../x", "/x", "a/../../x", "", "a//b"} {
		if err := atomicfile.WriteText(root, path+"/x", nil); err == nil {
			t.Errorf("%q was accepted", path)
		}
	}
}

// TestReplace replaces a file, and fails to. The old file then stays, and no temporary file.
func TestReplace(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	dir := t.TempDir()
	file := filepath.Join(dir, "a.vsix")
	fail := errors.New("the input is damaged")
	replace := func(text string, err error) error {
		return atomicfile.Replace(file, 0o640, func(f *os.File) error {
			if filepath.Dir(f.Name()) != dir || !atomicfile.IsTemp(filepath.Base(f.Name())) || filepath.Ext(f.Name()) != ".vsix" {
				t.Errorf("the temporary file is %s", f.Name())
			}
			if _, err := f.WriteString(text); err != nil {
				t.Fatal(err)
			}
			return err
		})
	}
	for _, x := range []struct {
		text string
		err  error
		want string
	}{{"one", nil, "one"}, {"two", fail, "one"}, {"three", nil, "three"}} {
		if err := replace(x.text, x.err); err != x.err {
			t.Errorf("%q: got %v, want %v", x.text, err, x.err)
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != x.want {
			t.Errorf("%q: the file has %q, %v, want %q", x.text, text, err, x.want)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%q: %v, %v", x.text, info.Mode(), err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("%q: the folder has %v, %v", x.text, entries, err)
		}
	}
}

// TestReplaceNames checks that errors name the file, and not the temporary one.
func TestReplaceNames(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a")
	err := atomicfile.Replace(file, 0o644, func(f *os.File) error {
		f.Close()
		_, err := f.Write(nil)
		return err
	})
	if !errors.Is(err, fs.ErrClosed) || err.Error() != "write "+file+": file already closed" {
		t.Errorf("got %v", err)
	}
	if err := atomicfile.Replace(filepath.Join(file, "b"), 0o644, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that does not exist: %v", err)
	}
}

// TestCommit gives a temporary file a name that depends on its content.
func TestCommit(t *testing.T) {
	root, dir := newRoot(t)
	temp, err := atomicfile.CreateTemp(root, ".part")
	if err != nil {
		t.Fatal(err)
	}
	defer atomicfile.Discard(root, temp)
	if err := atomicfile.Commit(root, temp, "name", 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := atomicfile.CreateTemp(root, "")
	if err != nil {
		t.Fatal(err)
	}
	atomicfile.Discard(root, other)
	if err := atomicfile.CopyFile(root, "b/c", 0o444, strings.NewReader("text")); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "b", "c")); err != nil || string(text) != "text" {
		t.Errorf("b/c: %q, %v", text, err)
	}
	for name, want := range map[string]fs.FileMode{"name": 0o600, "b/c": 0o444} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

func TestRemoveTemp(t *testing.T) {
	root, dir := newRoot(t)
	old, young, skipped, other := filepath.Join(dir, "a", atomicfile.TempPrefix+"1"), filepath.Join(dir, "a", atomicfile.TempPrefix+"2"), filepath.Join(dir, "skip", atomicfile.TempPrefix+"3"), filepath.Join(dir, "a", "b")
	for _, file := range []string{old, young, skipped, other} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	hour := time.Now().Add(-time.Hour)
	if err := errors.Join(os.Chtimes(old, hour, hour), os.Chtimes(skipped, hour, hour), os.Chtimes(other, hour, hour)); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.RemoveTemp(root, "skip", time.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]bool{old: false, young: true, skipped: true, other: true} {
		if _, err := os.Lstat(file); (err == nil) != want {
			t.Errorf("%s: %v, want it to exist: %v", file, err, want)
		}
	}
}

// TestKilledBeforeChmod checks that an empty folder whose creator was killed before it set
// the mode gets its mode later. A folder in use whose owner has restricted it keeps its mode.
func TestKilledBeforeChmod(t *testing.T) {
	root, dir := newRoot(t)
	if err := errors.Join(
		os.Mkdir(filepath.Join(dir, "killed"), 0o700),
		os.Mkdir(filepath.Join(dir, "closed"), 0o700),
		os.WriteFile(filepath.Join(dir, "closed", "file"), nil, 0o600),
		atomicfile.Mkdir(root, "killed"), atomicfile.Mkdir(root, "closed"),
	); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{"killed": 0o755, "closed": 0o700} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
}

// TestLinkWithoutHardLinks makes and replaces a file on a disk without hard links. It is a copy.
func TestLinkWithoutHardLinks(t *testing.T) {
	root, dir := newRoot(t)
	if err := os.WriteFile(filepath.Join(dir, "from"), []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"b/to", "b/to", "other"} {
		if err := atomicfile.LinkWithoutHardLinks(root, "from", to); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join(dir, to)); err != nil || string(text) != "new" {
			t.Errorf("%s is %q, %v", to, text, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*", atomicfile.TempPrefix+"*")); err != nil || len(left) > 0 {
		t.Errorf("temporary files remain: %v, %v", left, err)
	}
}

// TestLink links a file to a new name, to the same name again, and to the name of another file. No
// temporary file remains.
func TestLink(t *testing.T) {
	root, dir := newRoot(t)
	if err := errors.Join(
		os.Mkdir(filepath.Join(dir, "a"), 0o755), os.WriteFile(filepath.Join(dir, "a", "from"), []byte("new"), 0o644),
		os.WriteFile(filepath.Join(dir, "other"), []byte("old"), 0o644),
	); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"b/to", "b/to", "other"} {
		if err := atomicfile.Link(root, "a/from", to); err != nil {
			t.Fatal(err)
		}
		from, err := os.Stat(filepath.Join(dir, "a", "from"))
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(filepath.Join(dir, to)); err != nil || !os.SameFile(info, from) {
			t.Errorf("%s is not a link to a/from: %v", to, err)
		}
		if left, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Join(dir, to)), atomicfile.TempPrefix+"*")); err != nil || len(left) > 0 {
			t.Errorf("temporary files remain: %v, %v", left, err)
		}
	}
	if err := atomicfile.Link(root, "missing", "b/to"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestMkdirEmpty(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	for range 2 { // new, and then empty
		if err := atomicfile.MkdirEmpty(dir); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "a")
	if err := os.WriteFile(file, nil, atomicfile.FileMode); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.MkdirEmpty(dir); err == nil || err.Error() != dir+": the folder is not empty" {
		t.Errorf("a folder with a file: %v", err)
	}
	if err := atomicfile.MkdirEmpty(file); err == nil {
		t.Error("a file is accepted as the folder")
	}
}
