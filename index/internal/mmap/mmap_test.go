package mmap

import (
	"os"
	"path/filepath"
	"strings"
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

// TestTooMany maps a file as often as the limit allows, and once more. When one mapping has been
// closed, there is room for another.
func TestTooMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	var all []*File
	defer func() {
		for _, f := range all {
			f.Close()
		}
	}()
	for range maxOpen {
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "40000 files are mapped already") {
		t.Fatalf("got %v, want the limit", err)
	}
	if err := all[0].Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	all[0] = f
}
