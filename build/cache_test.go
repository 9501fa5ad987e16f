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

// FuzzLoadCache reads any bytes as the build cache: reading never fails, entries that do not
// match the catalogue are ignored, and the result can be stored and read again.
func FuzzLoadCache(f *testing.F) {
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
		h := loadHeader(file)
		if h.matches(want, blob.Sum(nil)) && h.Report == nil {
			t.Error("a header without a report matches")
		}
		m := loadCache(file, want)
		item := source.Item{Path: "/x.vsix", Size: 1, ModTime: modified}
		if c, ok := m.lookup(&item, listedDates{}, nil); ok && c.refused == nil {
			t.Errorf("found a package that the catalogue does not have: %+v", c)
		}
		version := &catalog.Version{Version: "1.0.0", Package: catalog.File{Ref: blob.Sum([]byte("x"))}}
		old := map[string]identified{"acme.hello@1.0.0": {"acme", "hello", version}}
		if c, ok := m.lookup(&item, listedDates{}, old); ok && c.refused == nil && c.version != version {
			t.Errorf("found %+v", c.version)
		}
		for _, e := range m.entries {
			m.next = append(m.next, e)
		}
		if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := m.store(file, header{origin: want}); err != nil {
			return // a date that JSON cannot contain
		}
		if again := loadCache(file, want); len(m.entries) != len(again.entries) || len(m.entries) > 0 && !reflect.DeepEqual(m.entries, again.entries) {
			stored, _ := os.ReadFile(file)
			t.Errorf("%+v was stored, %+v is read from %s", m.entries, again.entries, bytes.TrimSpace(stored))
		}
	})
}
