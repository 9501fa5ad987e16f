//go:build unix

package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// loseRights makes this process an ordinary user's until the end of the test, if
// it is root's, for whom no file is out of reach. The working folder, a test's
// temporary one, is given to that user, since the umask may deny it to others.
func loseRights(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const nobody = 65534
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, nobody, nobody))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Seteuid(nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Seteuid(0); err != nil {
			t.Fatal(err)
		}
	})
}

func TestUnreadable(t *testing.T) {
	tree(t, "m/a/a.vsix", "m/b/b.vsix", "m/c/c.vsix")
	if err := os.Chmod("m/b", 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod("m/b", 0o755) })
	loseRights(t)
	if _, err := os.ReadDir("m/b"); err == nil {
		t.Fatal("this user may read everything")
	}
	for _, source := range []string{"m", "m/**/*.vsix", "m/*"} {
		paths, problems := expand(t, Config{}, source)
		wantList(t, "paths of "+source, paths, "m/a/a.vsix", "m/c/c.vsix")
		wantList(t, "problems of "+source, problems, filepath.Join("m", "b")+": permission denied")
	}
}
