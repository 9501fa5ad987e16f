//go:build unix && !portable

package index

import (
	"errors"
	"fmt"
	"io"
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
	file = filepath.Join(t.TempDir(), "x.idx.zst")
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
// The faults also occur in the goroutines that decompress it.
func TestTruncatedWhileOpening(t *testing.T) {
	file, f := mapIndex(t)
	if err := os.Truncate(file, 4096); err != nil {
		t.Fatal(err)
	}
	if _, err := openMapped(f, nil); err == nil || !strings.Contains(err.Error(), "changed in place") {
		t.Errorf("got %v, want an error about the changed file", err)
	}
}

// TestChunkTruncatedWhileOpening opens a chunk whose file was truncated after it was mapped.
func TestChunkTruncatedWhileOpening(t *testing.T) {
	c := contentOf(t, []Document{{ID: "a.b"}}, nil)
	folder := t.TempDir()
	writeChunkFiles(t, folder, c)
	mapAndTruncate := func(chunk Chunk) ([]byte, io.Closer, error) {
		b, closer, err := ChunksIn(folder)(chunk)
		return b, closer, errors.Join(err, os.Truncate(filepath.Join(folder, chunk.Name()), 0))
	}
	err := c.open(t, mapAndTruncate).CheckChunk(0)
	if e := new(ChunkError); !errors.As(err, &e) || !strings.Contains(err.Error(), "changed in place") {
		t.Errorf("got %v, want a ChunkError about the changed file", err)
	}
}

// TestTruncatedAfterOpening searches an index whose file was truncated after it was opened.
func TestTruncatedAfterOpening(t *testing.T) {
	file, _ := mapIndex(t)
	ix, err := Open(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	if err := os.Truncate(file, 0); err != nil {
		t.Fatal(err)
	}
	if r := ix.Search(nil, &query.Filter{Sort: query.Title, Size: 3}); r.Total != 300 || len(r.Hits) != 3 {
		t.Errorf("got %+v", r)
	}
}

// TestInChunk reads a payload whose chunk was truncated after it was opened. The error names the
// chunk. An error about another mapping, and any other error, is returned as it is.
func TestInChunk(t *testing.T) {
	c := contentWith(t, languages(), nil, func(d *Document) Payloads { return Payloads{{JSON: []byte(d.ID)}} })
	folder := t.TempDir()
	writeChunkFiles(t, folder, c)
	ix := c.open(t, ChunksIn(folder))
	defer ix.Close()
	h, _ := ix.Find("acme.go")
	p := payload(t, ix, h, Latest)
	chunk := c.Chunks[ix.ChunkOf(h)]
	if err := os.Truncate(filepath.Join(folder, filepath.FromSlash(chunk.Name())), 0); err != nil {
		t.Fatal(err)
	}
	err := withoutFault(func() error { return errors.New(string(p.JSON)) })
	if e := new(ChunkError); !errors.As(ix.InChunk(err), &e) || e.Chunk != chunk {
		t.Errorf("got %v, want the error of chunk %s", err, chunk.Name())
	}
	if err := FaultError("another panic"); err != nil {
		t.Errorf("got %v for another panic", err)
	}
	file, f := mapIndex(t)
	if err := os.Truncate(file, 4096); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{withoutFault(func() error { return errors.New(string(f.Bytes)) }), errors.New("another error"), nil} {
		if got := ix.InChunk(err); got != err {
			t.Errorf("got %v, want %v", got, err)
		}
	}
}
