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

// dropPrivileges changes the effective user from root, who can read every file, to nobody, until
// the end of the test. It makes nobody the owner of the working directory, because the umask may
// exclude others.
func dropPrivileges(t *testing.T) {
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
	dropPrivileges(t)
	if _, err := os.ReadDir("m/b"); err == nil {
		t.Fatal("this user can read a folder without permission")
	}
	for _, source := range []string{"m", "m/**/*.vsix", "m/*"} {
		paths, problems := expand(t, Config{}, source)
		wantList(t, "paths of "+source, paths, "m/a/a.vsix", "m/c/c.vsix")
		wantList(t, "problems of "+source, problems, filepath.Join("m", "b")+": permission denied")
	}
}
