//go:build unix && !portable

package blob_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	s, root := newStore(t)
	small, err := s.PutBytes([]byte("small"))
	if err != nil {
		t.Fatal(err)
	}
	large, _, err := s.Put(strings.NewReader(strings.Repeat("x", 2<<20)))
	if err := errors.Join(err, s.Link(small, "a/b"), s.WriteFile("c/d", []byte("text"))); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{
		small.Path(): 0o444, large.Path(): 0o444, "a/b": 0o444, "c/d": 0o644, "a": 0o755, "c": 0o755, "blobs": 0o755, filepath.Dir(small.Path()): 0o755,
	} {
		if info, err := os.Stat(filepath.Join(root, path)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}
