package blob_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"galbuild/build/blob"
)

func newStore(t *testing.T) (*blob.Store, string) {
	t.Helper()
	root := t.TempDir()
	temp := filepath.Join(root, "tmp")
	if err := os.Mkdir(temp, 0o755); err != nil {
		t.Fatal(err)
	}
	return blob.NewStore(root, temp), root
}

// leftovers fails the test if the store left an unfinished file.
func leftovers(t *testing.T, root string) {
	t.Helper()
	left, err := os.ReadDir(filepath.Join(root, "tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in tmp: %v (%v)", left, err)
	}
}

func TestRefText(t *testing.T) {
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	r, err := blob.Parse(empty)
	if err != nil || r != blob.Sum(nil) || r.String() != empty {
		t.Errorf("Parse(%s) = %v, %v", empty, r, err)
	}
	if got, want := r.Path(), "blobs/sha256/e3/"+empty; got != want {
		t.Errorf("Path() = %s, want %s", got, want)
	}
	for _, bad := range []string{"", "e3", strings.ToUpper(empty), empty + "00", strings.Repeat("g", 64)} {
		if _, err := blob.Parse(bad); err == nil {
			t.Errorf("Parse(%q) was taken", bad)
		}
	}
}

func TestPut(t *testing.T) {
	s, root := newStore(t)
	for _, size := range []int{0, 1, 1 << 20, 1<<20 + 1, 3 << 20} {
		for _, hint := range []int64{int64(size), 0, 5 << 20} { // the size that is promised may be wrong
			want := bytes.Repeat([]byte{'x'}, size)
			ref, n, err := s.Put(bytes.NewReader(want), hint)
			if err != nil || n != int64(size) || ref != blob.Sum(want) {
				t.Fatalf("Put of %d bytes, promised %d: %v, %d, %v", size, hint, ref, n, err)
			}
			got, err := os.ReadFile(s.File(ref))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, promised %d: stored %d (%v)", size, hint, len(got), err)
			}
		}
	}
	leftovers(t, root)
}

func TestPutFailing(t *testing.T) {
	s, root := newStore(t)
	broken := errors.New("broken")
	for _, size := range []int64{1, 2 << 20} {
		if _, _, err := s.Put(iotest.ErrReader(broken), size); !errors.Is(err, broken) {
			t.Errorf("Put of a failing reader: %v", err)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "blobs")); err == nil {
		t.Error("something was stored")
	}
	leftovers(t, root)
}

func TestDraftIsReadBeforeCommit(t *testing.T) {
	s, root := newStore(t)
	d, err := s.Draft()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	part := make([]byte, 2)
	if _, err := d.ReadAt(part, 3); err != nil || string(part) != "lo" {
		t.Errorf("ReadAt: %q, %v", part, err)
	}
	ref, size, err := d.Commit()
	d.Discard()
	if err != nil || size != 5 || ref != blob.Sum([]byte("hello")) || !s.Has(ref, 5) {
		t.Errorf("Commit: %v, %d, %v", ref, size, err)
	}
	leftovers(t, root)
}

func TestLink(t *testing.T) {
	s, root := newStore(t)
	first, err := s.PutBytes([]byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.PutBytes([]byte("second"))
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []blob.Ref{first, first, second} { // new, again, replaced
		if err := s.Link(ref, "a/b/c"); err != nil {
			t.Fatal(err)
		}
		linked, err := os.Stat(filepath.Join(root, "a", "b", "c"))
		if err != nil {
			t.Fatal(err)
		}
		stored, err := os.Stat(s.File(ref))
		if err != nil || !os.SameFile(linked, stored) {
			t.Errorf("a/b/c is no link to %v (%v)", ref, err)
		}
	}
	if err := s.Link(blob.Sum([]byte("unknown")), "x"); err == nil {
		t.Error("a link to nothing was made")
	}
	left, err := filepath.Glob(filepath.Join(root, "a", "b", ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestDryStoreKeepsNothing(t *testing.T) {
	temp := t.TempDir()
	s := blob.NewDryStore(temp)
	ref, n, err := s.Put(strings.NewReader("hello"), 5)
	if err != nil || n != 5 || ref != blob.Sum([]byte("hello")) {
		t.Errorf("Put: %v, %d, %v", ref, n, err)
	}
	if err := s.Link(ref, "x"); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("kept: %v, %v", left, err)
	}
}
