package galbuild

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"galbuild/build/atomicfile"
	"galbuild/build/pack"
)

func ignoreProgress(_, _ int64) {}

// TestWriteInterrupted checks that an earlier package stays, and that no other file is left.
func TestWriteInterrupted(t *testing.T) {
	dir := fstest.MapFS{
		"package.json": {Data: []byte(`{"name": "a", "publisher": "b", "version": "1.0.0", "engines": {"vscode": "^1.80.0"}}`)},
	}
	plan, err := pack.Read(t.Context(), dir, pack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "a.vsix")
	if err := os.WriteFile(file, []byte("PK earlier"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := writeVSIX(ctx, plan, file, ignoreProgress); err == nil || err.Error() != "interrupted" {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "PK earlier" {
		t.Errorf("the earlier package is %q, %v", text, err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
	size, err := writeVSIX(t.Context(), plan, file, ignoreProgress)
	info, statErr := os.Stat(file)
	if err := errors.Join(err, statErr); err != nil || info.Size() != size || info.Mode() != atomicfile.FileMode {
		t.Errorf("size %d, %v, %v", size, info, err)
	}
}

func TestIsArchive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	for text, want := range map[string]bool{"": true, "PK\x03\x04": true, "P": false, "{}": false} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := isArchive(file, int64(len(text))); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
