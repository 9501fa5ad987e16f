//go:build unix

package regularfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"galbuild/build/regularfile"
)

// TestOnlyRegularFiles opens pipes, devices and folders instead of a file. If opening a pipe waited
// for a writer, the test would time out.
func TestOnlyRegularFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.WriteFile(at("file"), []byte("hello"), 0o600),
		os.Symlink("file", at("link")),
		syscall.Mkfifo(at("pipe"), 0o600),
		os.Symlink("pipe", at("link to a pipe")),
		os.Symlink("/dev/zero", at("link to a device")),
		os.Mkdir(at("folder"), 0o700),
	); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pipe", "link to a pipe", "link to a device", "folder"} {
		if _, err := regularfile.Open(at(name)); !errors.Is(err, regularfile.ErrKind) {
			t.Errorf("%s: %v, want ErrKind", name, err)
		}
	}
	for _, name := range []string{"file", "link"} {
		if text, err := regularfile.ReadFile(at(name), 5); err != nil || string(text) != "hello" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if _, err := regularfile.ReadFile(at("file"), 4); err == nil || !strings.Contains(err.Error(), "more than 4 bytes") {
		t.Errorf("5 bytes with a limit of 4: %v", err)
	}
	if _, err := regularfile.Open(at("missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}
