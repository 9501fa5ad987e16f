//go:build unix

package modules

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"galbuild/build/regular"
)

// TestPipe puts a named pipe in the place of a package.json. If reading it waited for a
// writer, the test would run into the time limit of the test run.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "package.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	of := &tree{dir: os.DirFS(dir), manifests: make(map[string]*manifest)}
	if m := of.manifest("."); !errors.Is(m.unread, regular.ErrKind) {
		t.Errorf("%v, want ErrKind", m.unread)
	}
	if c := declared(os.DirFS(dir), "."); c.Manager != "" {
		t.Errorf("a pipe declares %v", c)
	}
}
