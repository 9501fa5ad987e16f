package blob_test

import (
	"bytes"
	"errors"
	"io"
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
	at, err := os.OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	s, err := blob.NewStore(at, "tmp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); at.Close() })
	return s, root
}

// leftovers fails the test if the store has a temporary file.
func leftovers(t *testing.T, root string) {
	t.Helper()
	left, err := os.ReadDir(filepath.Join(root, "tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files: %v (%v)", left, err)
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
			t.Errorf("Parse(%q) was accepted", bad)
		}
	}
}

func TestPut(t *testing.T) {
	s, root := newStore(t)
	for _, size := range []int{0, 1, 1 << 20, 1<<20 + 1, 3 << 20} {
		want := bytes.Repeat([]byte{'x'}, size)
		for range 2 { // a new blob, and one that the store has
			ref, n, err := s.Put(iotest.HalfReader(bytes.NewReader(want)))
			if err != nil || n != int64(size) || ref != blob.Sum(want) {
				t.Fatalf("Put of %d bytes: %v, %d, %v", size, ref, n, err)
			}
			got, err := os.ReadFile(s.File(ref))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes: stored %d (%v)", size, len(got), err)
			}
		}
	}
	leftovers(t, root)
}

func TestPutReadError(t *testing.T) {
	s, root := newStore(t)
	broken := errors.New("broken")
	for _, size := range []int{0, 1, 2 << 20} {
		r := io.MultiReader(bytes.NewReader(make([]byte, size)), iotest.ErrReader(broken))
		if _, _, err := s.Put(r); !errors.Is(err, broken) {
			t.Errorf("Put of a reader that fails after %d bytes: %v", size, err)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "blobs")); err == nil {
		t.Error("something was stored")
	}
	leftovers(t, root)
}

func TestDraftReadAt(t *testing.T) {
	s, root := newStore(t)
	for _, size := range []int{5, 1 << 20, 1<<20 + 5} { // in memory, and in a file
		want := append(bytes.Repeat([]byte{'x'}, size-5), "hello"...)
		d := s.Draft()
		for _, b := range [][]byte{want[:size/2], want[size/2:]} {
			if n, err := d.Write(b); err != nil || n != len(b) {
				t.Fatal(n, err)
			}
		}
		part := make([]byte, 2)
		if _, err := d.ReadAt(part, int64(size-2)); err != nil || string(part) != "lo" {
			t.Errorf("ReadAt: %q, %v", part, err)
		}
		if n, err := d.ReadAt(part, int64(size-1)); n != 1 || err != io.EOF {
			t.Errorf("ReadAt over the end: %d, %v", n, err)
		}
		if n, err := d.ReadAt(part, int64(size+1)); n != 0 || err != io.EOF {
			t.Errorf("ReadAt after the end: %d, %v", n, err)
		}
		ref, n, err := d.Commit()
		d.Discard()
		if err != nil || n != int64(size) || ref != blob.Sum(want) || !s.Has(ref, n) {
			t.Errorf("Commit: %v, %d, %v", ref, n, err)
		}
	}
	leftovers(t, root)
}

func TestCommitAs(t *testing.T) {
	s, root := newStore(t)
	for _, text := range []string{"first", "second", strings.Repeat("x", 2<<20)} {
		d := s.Draft()
		if _, err := io.WriteString(d, text); err != nil {
			t.Fatal(err)
		}
		err := d.CommitAs("index/x")
		d.Discard()
		got, err2 := os.ReadFile(filepath.Join(root, "index", "x"))
		if err != nil || err2 != nil || string(got) != text {
			t.Errorf("CommitAs of %.10s: %.10s, %v, %v", text, got, err, err2)
		}
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
			t.Errorf("a/b/c is not a link to %v (%v)", ref, err)
		}
	}
	if err := s.Link(blob.Sum([]byte("unknown")), "x"); err == nil {
		t.Error("Link to a missing blob succeeded")
	}
	left, err := filepath.Glob(filepath.Join(root, "a", "b", ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files: %v, %v", left, err)
	}
}

func TestDryStore(t *testing.T) {
	temp := t.TempDir()
	at, err := os.OpenRoot(temp)
	if err != nil {
		t.Fatal(err)
	}
	s := blob.NewDryStore(at)
	defer s.Close()
	ref, n, err := s.Put(strings.NewReader("hello"))
	if err != nil || n != 5 || ref != blob.Sum([]byte("hello")) {
		t.Errorf("Put: %v, %d, %v", ref, n, err)
	}
	if err := s.Link(ref, "x"); err != nil {
		t.Error(err)
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) > 0 {
		t.Errorf("files: %v, %v", left, err)
	}
}
