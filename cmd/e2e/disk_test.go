//go:build e2e

package e2e

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	packer "galbuild/build/pack"
)

// diskScript builds on a disk of 2 MiB: first a site that fits, then a version of it that does not,
// then two other sites that do not fit, of which nothing is left. At last the disk is read-only.
// $1 is a folder with a small package, and $2 one with the small package and a large one.
const diskScript = `
mount -t tmpfs -o size=2m tmpfs "$DISK"
galbuild "$1" -o "$DISK/site"
cp "$DISK/site/index/CURRENT" before
! galbuild "$2" -o "$DISK/site" 2>full
cmp before "$DISK/site/index/CURRENT"
galbuild verify "$DISK/site"
galbuild "$1" -o "$DISK/site"
! galbuild "$2" -o "$DISK/first/site" 2>first
test ! -e "$DISK/first"
! galbuild add "$2" -o "$DISK/first" 2>added
test ! -e "$DISK/first"
mount -o remount,ro "$DISK"
! galbuild "$2" -o "$DISK/site" 2>readonly
galbuild verify "$DISK/site"
`

// TestDisk fills a real file system, which is mounted for this test only, and then makes it
// read-only.
func TestDisk(t *testing.T) {
	dir := t.TempDir()
	bin, disk := filepath.Join(dir, "bin"), filepath.Join(dir, "disk")
	compile(t, bin)
	if err := os.Mkdir(disk, 0o777); err != nil {
		t.Fatal(err)
	}
	small, large := filepath.Join(dir, "small"), filepath.Join(dir, "large")
	writePackage(t, small, "small", 1<<10)
	writePackage(t, large, "small", 1<<10)
	writePackage(t, large, "large", 4<<20)

	run := exec.Command("unshare", "--map-root-user", "--mount", "sh", "-eux", "-c", diskScript, "sh", small, large)
	run.Dir = dir
	run.Env = append(os.Environ(), "DISK="+disk, "PATH="+bin+":"+os.Getenv("PATH"))
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for file, want := range map[string]string{
		"full":     "no space left on device\ngalbuild: hint: free some space and run the command again; what the site serves has not changed",
		"first":    "no space left on device\ngalbuild: hint: free some space and run the command again; the files of this run were removed",
		"added":    "the files of this run were removed",
		"readonly": "read-only file system\ngalbuild: hint: the user running galbuild must be able to write there",
	} {
		got, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s: %v\n%s\nwant %s", file, err, got, want)
		}
	}
}

// writePackage writes a package with a file of this size that cannot be compressed.
func writePackage(t *testing.T, dir, name string, size int) {
	t.Helper()
	noise := make([]byte, size)
	if _, err := rand.NewChaCha8([32]byte{}).Read(noise); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	err := packer.Write(&archive, fstest.MapFS{
		"package.json": &fstest.MapFile{Data: []byte(`{"name":"` + name + `","publisher":"acme","version":"1.0.0","engines":{"vscode":"^1.80.0"}}`)},
		"noise.bin":    &fstest.MapFile{Data: noise},
	}, packer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".vsix"), archive.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}
