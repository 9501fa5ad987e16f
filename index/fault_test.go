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

// mapped writes an index of a few pages and maps it.
func mapped(t *testing.T) (file string, f *mmap.File) {
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

// TestCutShortWhileOpening checks that opening a truncated index is an error, also in the
// goroutines that compute the checksum.
func TestCutShortWhileOpening(t *testing.T) {
	file, f := mapped(t)
	if err := os.Truncate(file, 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := openMapped(f); err == nil || !strings.Contains(err.Error(), "changed in place") {
		t.Errorf("got %v, want an error that says what happened", err)
	}
}

// TestCutShort panics in a guarded goroutine, with a value that Damage recognizes.
func TestCutShort(t *testing.T) {
	file, f := mapped(t)
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
