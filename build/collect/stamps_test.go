package collect

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"
	"time"

	"galbuild/build/blob"
)

// TestStamps checks when a file of the folder is read: if its size or time has changed, if the run
// that placed it did not end, and always by a locked run.
func TestStamps(t *testing.T) {
	s := newStorage(t)
	planned := s.add("acme.hello", "1.0.0", "")
	good := s.files["/acme.hello-1.0.0.vsix"]
	damaged := append([]byte{}, good...)
	damaged[len(damaged)/2] ^= 1
	for _, test := range []struct {
		name    string
		damage  func(path string, before time.Time) error // after the content was damaged
		locked  bool
		noticed bool
	}{
		{"nothing tells", func(path string, before time.Time) error { return os.Chtimes(path, before, before) }, false, false},
		{"another time", func(string, time.Time) error { return nil }, false, true},
		{"another size", func(path string, before time.Time) error {
			return cmp.Or(os.WriteFile(path, append(damaged, 0), 0o644), os.Chtimes(path, before, before))
		}, false, true},
		{"a run that did not end", func(path string, before time.Time) error {
			return cmp.Or(os.Chtimes(path, before, before), os.Remove(filepath.Join(filepath.Dir(path), stampsFile)))
		}, false, true},
		{"damaged stamps", func(path string, before time.Time) error {
			return cmp.Or(os.Chtimes(path, before, before), os.WriteFile(filepath.Join(filepath.Dir(path), stampsFile), []byte("{"), 0o644))
		}, false, true},
		{"locked", func(path string, before time.Time) error { return os.Chtimes(path, before, before) }, true, true},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "acme.hello-1.0.0.vsix")
		wantFailed(t, run(t, dir, config(t), planned))
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		err = cmp.Or(os.Remove(path), os.WriteFile(path, damaged, 0o644), test.damage(path, info.ModTime()))
		if err != nil {
			t.Fatal(err)
		}
		var result *Fetched
		if test.locked {
			l, err := ReadLock(dir)
			if err != nil {
				t.Fatal(err)
			}
			result = in(t, dir, func(f *Folder) (*Fetched, error) { return f.FetchLocked(t.Context(), l, config(t)) })
		} else {
			result = run(t, dir, config(t), again(t, dir)...)
		}
		wantFailed(t, result)
		sum, _, err := blob.SumFile(path)
		if err != nil || len(result.Packages) > 0 != test.noticed || (sum == planned.SHA256) != test.noticed {
			t.Errorf("%s: noticed: %t, mended: %t, %v", test.name, len(result.Packages) > 0, sum == planned.SHA256, err)
		}
	}
}
