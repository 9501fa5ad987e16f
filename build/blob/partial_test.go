package blob_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"galbuild/build/blob"
)

// TestPartialBlob has other content at the name of a blob, such as the part that a killed process
// has left.
func TestPartialBlob(t *testing.T) {
	s, root := newStore(t)
	const text = "hello"
	for _, part := range []string{"", "hel", "hello and more"} {
		file := s.File(blob.Sum([]byte(text)))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.RemoveAll(file), os.WriteFile(file, []byte(part), 0o444)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.PutBytes([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != text {
			t.Errorf("after %q: got %q, %v, want %q", part, got, err, text)
		}
	}
	leftovers(t, root)
}

// TestPutTogether stores the same blobs in several goroutines. After each call, the blob is
// complete.
func TestPutTogether(t *testing.T) {
	s, root := newStore(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 200 {
				text := make([]byte, 100<<10+i)
				ref, err := s.PutBytes(text)
				if err != nil || !s.Has(ref, int64(len(text))) {
					t.Errorf("%d: %v", i, err)
				}
			}
		})
	}
	group.Wait()
	leftovers(t, root)
}
