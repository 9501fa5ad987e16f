//go:build unix

package download

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"galbuild/build/atomicfile"
)

// TestPlantedLinks has links with the names of a download and of the folder for downloads. Nothing
// may be written through them.
func TestPlantedLinks(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	victim := filepath.Join(outside, "victim")
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	_, err := w.Write([]byte("package"))
	base := filepath.Join(dir, "x")
	stored := record{ETag: `"a"`, Size: 100, Encoding: "gzip"}
	if err := errors.Join(err, w.Close(),
		os.WriteFile(victim, []byte("victim"), 0o644),
		os.WriteFile(base+".compressed", compressed.Bytes(), 0o644),
		stored.write(base+".part.json"),
		os.Symlink(victim, base+".part"),
		os.Symlink(outside, filepath.Join(dir, "downloads")),
	); err != nil {
		t.Fatal(err)
	}
	j := &job{Folder: &Folder{}, base: base}
	if p := j.part(); p.done != 0 {
		t.Errorf("a symbolic link is resumed: %d bytes", p.done)
	}
	if err := errors.Join(os.Remove(base+".part"), os.Link(victim, base+".part")); err != nil {
		t.Fatal(err)
	}
	if p := j.part(); p.done != 0 {
		t.Errorf("a hard link is resumed: %d bytes", p.done)
	}
	if err := errors.Join(os.Remove(base+".part"), os.Symlink(victim, base+".part")); err != nil {
		t.Fatal(err)
	}
	for _, done := range []int64{6, 0} {
		p := &part{record: stored, base: base + ".part", done: done}
		f, err := p.open()
		if (err == nil) != (done == 0) {
			t.Errorf("part of %d bytes: %v", done, err)
		}
		if err == nil {
			_, err = f.Write([]byte("overwritten"))
			if err := errors.Join(err, f.Close()); err != nil {
				t.Error(err)
			}
		}
	}
	if err := j.decode(&part{record: stored, base: base + ".compressed"}); err != nil {
		t.Error(err)
	}
	if _, err := Open(Config{Dir: filepath.Join(dir, "downloads")}); !errors.Is(err, atomicfile.ErrLink) {
		t.Errorf("the folder is a link: %v, want ErrLink", err)
	}
	left, err := os.ReadDir(outside)
	if text, err2 := os.ReadFile(victim); err != nil || err2 != nil || string(text) != "victim" || len(left) != 1 {
		t.Errorf("outside: %q, %v, %v, %v", text, left, err, err2)
	}
}
