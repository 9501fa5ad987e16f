package build

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/source"
)

// FuzzRecall reads any bytes as the build cache: reading never fails, entries that do not
// match the catalogue are ignored, and the result can be saved and read again.
func FuzzRecall(f *testing.F) {
	want := origin{"recipe", "generation"}
	f.Add([]byte(""))
	f.Add([]byte("null\nnull\n"))
	f.Add([]byte(`{"recipe":"recipe","generation":"generation"}` + "\n" + `{"path":"/x.vsix","stamp":{"size":1,"mtime":"2026-01-01T00:00:00Z"},"key":"acme.hello@1.0.0","sha256":"` + blob.Sum([]byte("x")).String() + `","warnings":["w"]}` + "\n"))
	f.Add([]byte(`{"recipe":"recipe","generation":"generation","sources":null,"report":{"refused":null}}` + "\n" + `{"path":"/x.vsix","refused":"no","sidecar":null}` + "\n{\n"))
	f.Add([]byte(`{"recipe":"recipe","generation":"generation"}` + "\n[1]\n\"x\"\n{\"stamp\":{\"mtime\":\"9999-99-99\"}}\n"))
	modified := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		file := filepath.Join(dir, "sources.jsonl")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		h := readHeading(file)
		if h.fits(want, blob.Sum(nil)) && h.Report == nil {
			t.Error("a heading without a report fits")
		}
		m := recall(file, want)
		item := source.Item{Path: "/x.vsix", Size: 1, ModTime: modified}
		if c, ok := m.recognise(&item, upstream{}, nil); ok && c.refused == nil {
			t.Errorf("a package is known that the catalogue does not have: %+v", c)
		}
		version := &catalog.Version{Version: "1.0.0", Package: catalog.File{Ref: blob.Sum([]byte("x"))}}
		old := map[string]known{"acme.hello@1.0.0": {"acme", "hello", version}}
		if c, ok := m.recognise(&item, upstream{}, old); ok && c.refused == nil && c.version != version {
			t.Errorf("known as %+v", c.version)
		}
		for _, one := range m.seen {
			m.order = append(m.order, one)
		}
		if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := m.save(file, heading{origin: want}); err != nil {
			return // a date that JSON cannot write
		}
		if again := recall(file, want); len(m.seen) != len(again.seen) || len(m.seen) > 0 && !reflect.DeepEqual(m.seen, again.seen) {
			saved, _ := os.ReadFile(file)
			t.Errorf("%+v was saved, %+v is read from %s", m.seen, again.seen, bytes.TrimSpace(saved))
		}
	})
}
