package mmap

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOpen(t *testing.T) {
	for _, want := range []string{"", "hello"} {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		f.Release(0, len(want))
		if string(f.Bytes) != want {
			t.Errorf("got %q, want %q", f.Bytes, want)
		}
		for range 2 {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("opened a folder")
	}
}
