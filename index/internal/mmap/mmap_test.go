package mmap

import (
	"bytes"
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

// TestMemory writes to memory, and reads it after it is sealed.
func TestMemory(t *testing.T) {
	if f, err := Memory(0); err != nil || f.Seal() != nil || f.Close() != nil {
		t.Errorf("no bytes: %v", err)
	}
	f, err := Memory(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Bytes) != 1<<20 || bytes.ContainsFunc(f.Bytes, func(r rune) bool { return r != 0 }) {
		t.Error("the memory is not zero")
	}
	f.Bytes[1<<20-1] = 7
	if err := f.Seal(); err != nil || f.Bytes[1<<20-1] != 7 {
		t.Errorf("sealed: %v", err)
	}
	if err := f.Close(); err != nil || f.Bytes != nil {
		t.Error(err)
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
