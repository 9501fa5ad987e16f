//go:build unix

package index

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galbuild/index/internal/mmap"
	"galbuild/index/query"
)

// mapIndex writes an index of a few pages and maps it.
func mapIndex(t *testing.T) (file string, f *mmap.File) {
	t.Helper()
	docs := make([]Document, 300)
	for i := range docs {
		docs[i] = Document{ID: fmt.Sprintf("a.b%d", i), Name: fmt.Sprintf("b%d", i), Publisher: "a", UUID: fmt.Sprint(i)}
	}
	file = filepath.Join(t.TempDir(), "x.idx")
	if err := os.WriteFile(file, write(t, docs, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := mmap.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return file, f
}

// TestTruncatedWhileOpening opens an index whose file was truncated after it was mapped.
// The faults also occur in the goroutines that compute the checksum.
func TestTruncatedWhileOpening(t *testing.T) {
	file, f := mapIndex(t)
	if err := os.Truncate(file, 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := openMapped(f); err == nil || !strings.Contains(err.Error(), "changed in place") {
		t.Errorf("got %v, want an error about the changed file", err)
	}
}

// TestTruncatedWhileSearching searches an index whose file was truncated after it was opened. The
// goroutine panics with a value for which FaultError returns an error.
func TestTruncatedWhileSearching(t *testing.T) {
	file, f := mapIndex(t)
	ix, err := openMapped(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, 4096); err != nil {
		t.Fatal(err)
	}
	recovered := make(chan any)
	go func() {
		defer func() { recovered <- recover() }()
		PanicOnFault()
		ix.Search(nil, &query.Filter{Sort: query.Title})
	}()
	if p := <-recovered; FaultError(p) == nil {
		t.Errorf("recovered %v, want a fault", p)
	}
	if err := FaultError("another panic"); err != nil {
		t.Errorf("got %v for another panic", err)
	}
}
