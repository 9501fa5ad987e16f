package blob_test

import (
	"os"
	"path/filepath"
	"testing"

	"galbuild/build/blob"
)

// TestWithoutHardLinks makes and replaces files on a disk without hard links. They are copies of
// the blobs, and a blob keeps its content when the copy is replaced.
func TestWithoutHardLinks(t *testing.T) {
	s, root := newStore(t)
	blob.WithoutHardLinks(s)
	for _, text := range []string{"first", "first", "second"} { // new, again, replaced
		ref, err := s.PutBytes([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Link(ref, "a/b/c"); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(root, "a", "b", "c")
		if got, err := os.ReadFile(file); err != nil || string(got) != text {
			t.Errorf("a/b/c is %q, %v, want %q", got, err, text)
		}
		copied, err1 := os.Stat(file)
		stored, err2 := os.Stat(s.File(ref))
		if err1 != nil || err2 != nil || os.SameFile(copied, stored) {
			t.Errorf("a/b/c is a link, or missing: %v, %v", err1, err2)
		}
	}
	if got, err := os.ReadFile(s.File(blob.Sum([]byte("first")))); err != nil || string(got) != "first" {
		t.Errorf("the first blob is %q, %v", got, err)
	}
	leftovers(t, root)
}
