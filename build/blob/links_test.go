//go:build unix

package blob_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
)

// TestPlantedLinks checks that nothing is written outside the site, or through a link in
// it.
func TestPlantedLinks(t *testing.T) {
	s, root := newStore(t)
	outside := t.TempDir()
	ref, err := s.PutBytes([]byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		os.Mkdir(filepath.Join(root, "inside"), 0o755),
		os.Symlink(outside, filepath.Join(root, "out")),
		os.Symlink("inside", filepath.Join(root, "in")),
		os.Symlink(filepath.Join(outside, "victim"), filepath.Join(root, "inside", "file")),
	); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"out/x", "in/x", "out/a/b/c"} {
		if err := s.Link(ref, path); !errors.Is(err, atomicfile.ErrLink) {
			t.Errorf("Link to %s: %v, want ErrLink", path, err)
		}
		if err := s.WriteFile(path, nil); !errors.Is(err, atomicfile.ErrLink) {
			t.Errorf("WriteFile of %s: %v, want ErrLink", path, err)
		}
	}
	for _, path := range []string{"../x", "/x", "a/../../x", ".", "", "../../../../../../../../x"} {
		if err := s.Link(ref, path); err == nil {
			t.Errorf("Link accepted %q", path)
		}
		if err := s.WriteFile(path, nil); err == nil {
			t.Errorf("WriteFile accepted %q", path)
		}
	}
	if err := s.Link(ref, "inside/file"); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("files outside: %v, %v", left, err)
	}
	leftovers(t, root)
}

// TestPlantedShard has a link at the path of a folder of blobs.
func TestPlantedShard(t *testing.T) {
	s, root := newStore(t)
	outside := t.TempDir()
	shard := filepath.Dir(s.File(blob.Sum([]byte("hello"))))
	if err := errors.Join(os.MkdirAll(filepath.Dir(shard), 0o755), os.Symlink(outside, shard)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutBytes([]byte("hello")); !errors.Is(err, atomicfile.ErrLink) {
		t.Errorf("%v, want ErrLink", err)
	}
	if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
		t.Errorf("files outside: %v, %v", left, err)
	}
	leftovers(t, root)
}

// TestManyFolders uses more folders than stay open, in several goroutines, and some that
// are removed at the same time.
func TestManyFolders(t *testing.T) {
	s, root := newStore(t)
	ref, err := s.PutBytes([]byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for i := range 300 {
				path := strings.Repeat("d/", 1+i%3) + string(rune('a'+worker)) + string(rune('0'+i)) + "/file"
				if err := s.Link(ref, path); err != nil {
					t.Error(err)
				}
				if text := []byte(path); s.WriteFile(path+"2", text) != nil {
					t.Error(path)
				}
				if b, err := s.PutBytes([]byte(path)); err != nil || !s.Has(b, int64(len(path))) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if err := os.RemoveAll(filepath.Join(root, "d")); err != nil {
		t.Fatal(err)
	}
	if err := s.Link(ref, "d/d/a0/file"); err != nil {
		t.Errorf("Link into a removed folder: %v", err)
	}
	leftovers(t, root)
}
