package collect

import (
	"os"
	"path/filepath"
	"testing"
)

// TestStatedHash has an upstream that states the hash of a package in the folder for another
// extension, and one that states the hash of a file in the folder that no lock lists. What the file
// is, is looked up in both cases.
func TestStatedHash(t *testing.T) {
	s, dir := newStorage(t), t.TempDir()
	good := s.add("acme.good", "1.0.0", "")
	run(t, dir, config(t), good)
	other := s.add("acme.other", "1.0.0", "")
	other.SHA256, other.Size = good.SHA256, good.Size
	planted := s.add("acme.planted", "1.0.0", "")
	text := packageOf("acme.evil", "1.0.0", "", "")
	s.addPackage("acme.evil", "1.0.0", "", text)
	if err := os.WriteFile(filepath.Join(dir, "acme.planted-1.0.0.vsix"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	evil := s.add("acme.evil", "1.0.0", "")
	planted.SHA256, planted.Size = evil.SHA256, evil.Size
	result := run(t, dir, config(t), append(again(t, dir), other, planted)...)
	wantFailed(t, result,
		"acme.other@1.0.0: the package is acme.good@1.0.0, expected is acme.other@1.0.0 ()",
		"acme.planted@1.0.0: the package is acme.evil@1.0.0, expected is acme.planted@1.0.0 ()")
	l, err := ReadLock(dir)
	if err != nil || len(l.Entries) != 1 || l.Entries[0].ID != "acme.good" {
		t.Errorf("%+v, %v", l, err)
	}
}
