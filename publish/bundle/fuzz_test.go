package bundle

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzImport imports arbitrary bytes. They are refused and change nothing, or make a valid site.
func FuzzImport(f *testing.F) {
	old, root := newSite(f, "one"), newSite(f, "one", "two")
	for _, cfg := range []ExportConfig{{Output: "g.tar"}, {Output: "g.tar.gz"}, {Output: "g.tar.zst"}, {Output: "d.tar", Since: []string{old}}} {
		var b bytes.Buffer
		cfg.Site, cfg.Stream = root, &b
		mustExport(f, cfg)
		f.Add(b.Bytes())
	}
	before := snapshot(f, old)
	f.Fuzz(func(t *testing.T, archive []byte) {
		target := filepath.Join(t.TempDir(), "target")
		if err := os.CopyFS(target, os.DirFS(old)); err != nil {
			t.Fatal(err)
		}
		_, err := Import(t.Context(), ImportConfig{Stream: bytes.NewReader(archive), Site: target})
		if err == nil {
			mustVerify(t, target)
			return
		}
		after := snapshot(t, target)
		for path, text := range before {
			if _, want, _ := bytes.Cut([]byte(text), []byte("\n")); !bytes.HasSuffix([]byte(after[path]), want) {
				t.Errorf("%s has changed", path)
			}
		}
		if len(after) != len(before) {
			t.Errorf("%d files, before there were %d", len(after), len(before))
		}
	})
}

// FuzzListing parses arbitrary bytes as a listing. Accepted bytes must equal the listing's text.
func FuzzListing(f *testing.F) {
	t, err := readSite(newSite(f, "one"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(t.files.text())
	f.Add([]byte("evil"))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := parseListing(SumsName, text)
		if err == nil && !bytes.Equal(l.text(), text) {
			t.Errorf("%q is read as %q", text, l.text())
		}
	})
}
