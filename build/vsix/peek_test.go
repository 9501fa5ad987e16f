package vsix

import (
	"archive/zip"
	"bytes"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"galbuild/build/catalog"
)

// identity returns what Peek must find as Open does.
func identity(p *Package) []any {
	engine := ""
	for _, property := range p.Properties {
		if property.Key == catalog.PropertyEngine {
			engine = property.Value
		}
	}
	return []any{p.Publisher, p.Name, p.Version, p.Platform, p.PreRelease, p.Dependencies, p.Pack, p.Licence, engine}
}

// TestPeek compares Peek with Open for the package of each testdata/*.txtar.
func TestPeek(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases found (%v)", err)
	}
	for _, file := range cases {
		text, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		archive := pack(t, filesOf(t, text))
		opened, err := Open(bytes.NewReader(archive), int64(len(archive)), Limits{})
		if err != nil {
			continue
		}
		peeked, err := Peek(bytes.NewReader(archive), int64(len(archive)), Limits{})
		if err != nil {
			t.Errorf("%s: %v", file, err)
		} else if got, want := identity(peeked), identity(opened); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", file, got, want)
		}
	}
}

// A countingReader counts what is read from it.
type countingReader struct {
	io.ReaderAt
	bytes int
}

func (c *countingReader) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(b, off)
	c.bytes += n
	return n, err
}

// TestPeekReadsLittle checks that Peek does not read other entries, not even damaged ones.
func TestPeekReadsLittle(t *testing.T) {
	entries := []entry{packageJSON}
	store := func(h *zip.FileHeader) { h.Method = zip.Store }
	for _, name := range []string{"a", "b", "c"} {
		entries = append(entries, entry{"extension/" + name, strings.Repeat("damaged ", 1<<15), store})
	}
	archive := pack(t, entries)
	damaged := bytes.ReplaceAll(archive, []byte("damaged "), []byte("DAMAGED "))
	r := &countingReader{ReaderAt: bytes.NewReader(damaged)}
	p, err := Peek(r, int64(len(damaged)), Limits{})
	if err != nil || p.Name != "hello" || r.bytes > 4<<10 {
		t.Errorf("%v, read %d bytes of %d: %v", p, r.bytes, len(damaged), err)
	}
	if _, err := Peek(bytes.NewReader(archive[:len(archive)-30]), int64(len(archive)-30), Limits{}); err == nil {
		t.Error("a package that is cut off is accepted")
	}
	if _, err := Peek(bytes.NewReader(archive), int64(len(archive)), Limits{PackageBytes: 100}); err == nil {
		t.Error("a package above the limit is accepted")
	}
}
