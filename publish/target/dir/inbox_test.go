//go:build unix

package dir_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"galbuild/build/atomicfile"
	"galbuild/build/site"
	"galbuild/publish/target"
	"galbuild/publish/target/dir"
)

// TestInbox writes to the inbox of a site while a builder has locked it. Nothing else is written,
// and deleting leaves the folder, whose permissions somebody has set.
func TestInbox(t *testing.T) {
	root := t.TempDir()
	builder, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	defer builder.Close()
	before, err := os.ReadDir(filepath.Join(root, site.WorkDir))
	if err != nil {
		t.Fatal(err)
	}
	at, err := dir.New(root)
	if err != nil {
		t.Fatal(err)
	}
	const key = site.InboxDir + "acme/x.vsix"
	if err := at.Put(t.Context(), target.Bytes(key, "application/vsix", target.Revalidate, []byte("x"))); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadDir(filepath.Join(root, site.WorkDir)); err != nil || len(after) != len(before) {
		t.Errorf("%v, the work directory has %v, and had %v", err, after, before)
	}
	builder.Close()
	if err := errors.Join(at.Delete(t.Context(), []string{key}), at.Close()); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(filepath.Join(root, site.InboxDir, "acme")); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", err, entries)
	}
}

// TestInboxLink checks that an author who makes links cannot have a builder write elsewhere, or
// read what the author may not.
func TestInboxLink(t *testing.T) {
	root, elsewhere := t.TempDir(), t.TempDir()
	folder := filepath.Join(root, "inbox", "globex")
	err := errors.Join(
		os.MkdirAll(folder, 0o755), os.Symlink(elsewhere, filepath.Join(root, "inbox", "acme")),
		os.WriteFile(filepath.Join(root, "secret"), []byte("secret"), 0o600), os.Symlink(filepath.Join(root, "secret"), filepath.Join(folder, "x.json")),
	)
	if err != nil {
		t.Fatal(err)
	}
	at, err := dir.New(root)
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	err = at.Swap(t.Context(), nil, target.Bytes(site.InboxDir+"acme/x.json", "application/json", target.Revalidate, []byte("{}")))
	if entries, _ := os.ReadDir(elsewhere); !errors.Is(err, atomicfile.ErrLink) || len(entries) > 0 {
		t.Errorf("got %v, and %v is there", err, entries)
	}
	if r, err := at.Get(t.Context(), site.InboxDir+"globex/x.json", 0, -1); !errors.Is(err, target.ErrNotExist) {
		t.Errorf("read %v, %v", r, err)
	}
}
