//go:build unix

package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"galbuild/build/regularfile"
)

// TestPipes replaces each file next to an archive that the user does not name by a named pipe.
// Opening it must not wait for a writer.
func TestPipes(t *testing.T) {
	root, dir := newSite(t, "one"), t.TempDir()
	key, public := newKey(t)
	file := filepath.Join(dir, "g.tar")
	report := mustExport(t, ExportConfig{Site: root, Output: file, SignKey: key})
	for _, planted := range []string{report.Sums, report.Signature, filepath.Join(filepath.Dir(public), "pipe.pub"), file} {
		was, _ := os.ReadFile(planted)
		if err := errors.Join(os.RemoveAll(planted), syscall.Mkfifo(planted, 0o644)); err != nil {
			t.Fatal(err)
		}
		cfg := ImportConfig{Archive: file, Site: filepath.Join(t.TempDir(), "target"), Trust: []string{filepath.Dir(public)}}
		if _, err := Import(t.Context(), cfg); !errors.Is(err, regularfile.ErrKind) {
			t.Errorf("%s: %v, want ErrKind", planted, err)
		}
		if err := errors.Join(os.Remove(planted), os.WriteFile(planted, was, 0o644)); err != nil {
			t.Fatal(err)
		}
		if was == nil {
			os.Remove(planted)
		}
	}
}
