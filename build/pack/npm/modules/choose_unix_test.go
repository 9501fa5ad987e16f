//go:build unix

package modules

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"galbuild/build/regularfile"
)

// TestPipe has a named pipe instead of a package.json. Reading it would wait for a writer,
// until the test times out.
func TestPipe(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "package.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	of := &tree{dir: os.DirFS(dir), manifests: make(map[string]*manifest)}
	if m := of.manifest("."); !errors.Is(m.readErr, regularfile.ErrKind) {
		t.Errorf("%v, want ErrKind", m.readErr)
	}
	if c := declared(os.DirFS(dir), "."); c.Manager != "" {
		t.Errorf("a pipe declares %v", c)
	}
}
