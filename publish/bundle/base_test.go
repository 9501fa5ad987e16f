package bundle

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/build"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/site"
)

// openSite locks a site, which the caller closes, and reads its catalogue.
func openSite(t testing.TB, root string) (*site.Dir, *catalog.Catalog) {
	t.Helper()
	dir, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	c, err := site.ReadCatalog(root, mustCurrent(t, root))
	if err != nil {
		dir.Close()
		t.Fatal(err)
	}
	return dir, c
}

// decide adds decisions about ids to a site.
func decide(t *testing.T, root, kind string, ids ...string) {
	t.Helper()
	dir, c := openSite(t, root)
	defer dir.Close()
	var err error
	subjects := make([]catalog.Subject, len(ids))
	for i, id := range ids {
		if subjects[i], err = catalog.ParseSubject(id); err != nil {
			t.Fatal(err)
		}
	}
	records, err := decision.Add(c.Records, decision.Author{When: testCommit.When}, kind, subjects, "")
	if err != nil {
		t.Fatal(err)
	}
	c, _, err = build.Receiver{Old: c, Now: testCommit.When}.Decide(c, records)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, dir, c)
}

// newReceiver returns a new site that has imported an archive after it had blocked an id.
func newReceiver(t *testing.T, archive, id string) string {
	t.Helper()
	root := newSite(t)
	decide(t, root, decision.Blocked, id)
	mustImport(t, ImportConfig{Archive: archive, Site: root, Commit: testCommit})
	return root
}

// TestDeltaWithDecisions imports a delta into a site that has blocked an extension of the base, and
// into one that has blocked an extension of the delta. The result is that of the whole site, even
// if a link was missing.
func TestDeltaWithDecisions(t *testing.T) {
	old, root := newSite(t, "gone", "one", "two"), newSite(t, "new", "one", "two")
	first, whole, delta := export(t, old), export(t, root), export(t, root, old)
	for _, id := range []string{"acme.two", "acme.gone", "acme.new"} {
		want, got := newReceiver(t, first, id), newReceiver(t, first, id)
		mustImport(t, ImportConfig{Archive: whole, Site: want, Commit: testCommit})
		if err := os.Remove(filepath.Join(got, "files/acme/one/1.0.0/LICENSE")); err != nil {
			t.Fatal(err)
		}
		report := mustImport(t, ImportConfig{Archive: delta, Site: got, Commit: testCommit})
		if mustCurrent(t, got) == mustCurrent(t, root) || !report.Changed {
			t.Errorf("%s is blocked: %+v", id, report)
		}
		for _, again := range []string{"", "again"} {
			compare(t, content(t, got), content(t, want))
			mustVerify(t, got)
			checkSender(t, root, got)
			if report := mustImport(t, ImportConfig{Archive: delta, Site: got, Commit: testCommit}); report.Changed {
				t.Errorf("%s is blocked, %s: %+v", id, again, report)
			}
		}
	}
}

// TestDeltaAfterDecisions imports a delta into a site that has decided after it has imported the
// base, and then one without any change.
func TestDeltaAfterDecisions(t *testing.T) {
	old, root := newSite(t, "one", "two"), newSite(t, "new", "one", "two")
	first, whole, delta := export(t, old), export(t, root), export(t, root, old)
	target, want := filepath.Join(t.TempDir(), "target"), filepath.Join(t.TempDir(), "want")
	for _, root := range []string{target, want} {
		mustImport(t, ImportConfig{Archive: first, Site: root, Commit: testCommit})
		decide(t, root, decision.Blocked, "acme.two")
	}
	mustImport(t, ImportConfig{Archive: delta, Site: target, Commit: testCommit})
	mustImport(t, ImportConfig{Archive: whole, Site: want, Commit: testCommit})
	compare(t, content(t, target), content(t, want))
	before := snapshot(t, target)
	mustImport(t, ImportConfig{Archive: export(t, root, root), Site: target, Commit: testCommit})
	compare(t, snapshot(t, target), before)
}

// TestDeltaUnblocked imports a delta into a site that has ended the block of an extension of the
// base, and does not have its content any more. The delta is refused, and the whole site is not.
func TestDeltaUnblocked(t *testing.T) {
	old, root := newSite(t, "one", "two"), newSite(t, "new", "one", "two")
	target := newReceiver(t, export(t, old), "acme.two")
	decide(t, target, decision.Restored, "acme.two")
	before := snapshot(t, target)
	_, err := Import(t.Context(), ImportConfig{Archive: export(t, root, old), Site: target})
	if !errors.Is(err, ErrLeftOut) || !strings.Contains(err.Error(), "acme/two/") {
		t.Errorf("a delta: %v", err)
	}
	compare(t, snapshot(t, target), before)
	mustImport(t, ImportConfig{Archive: export(t, root), Site: target, Commit: testCommit})
	mustVerify(t, target)
}

// TestDeltaRestores imports a delta that ends the block of an extension of the base into a site
// that still has its content in the generation before.
func TestDeltaRestores(t *testing.T) {
	old, root := newSite(t, "gone", "one", "two"), newSite(t, "gone", "one", "two")
	decide(t, root, decision.Blocked, "acme.two")
	decide(t, root, decision.Restored, "acme.two")
	setCatalogue(t, root, "gone", "new", "one", "two")
	first, whole, delta := export(t, old), export(t, root), export(t, root, old)
	target, want := filepath.Join(t.TempDir(), "target"), filepath.Join(t.TempDir(), "want")
	for root, second := range map[string]string{target: delta, want: whole} {
		mustImport(t, ImportConfig{Archive: first, Site: root, Commit: testCommit})
		decide(t, root, decision.Blocked, "acme.two", "acme.gone")
		mustImport(t, ImportConfig{Archive: second, Site: root, Commit: testCommit})
		mustVerify(t, root)
	}
	compare(t, content(t, target), content(t, want))
	if _, err := os.Stat(filepath.Join(target, "files/acme/two/1.0.0/LICENSE")); err != nil {
		t.Error(err)
	}
}

// setCatalogue makes a site serve an extension for each name, with the decisions that it has.
func setCatalogue(t *testing.T, root string, names ...string) {
	t.Helper()
	dir, old := openSite(t, root)
	defer dir.Close()
	c := newCatalogue(t, dir, names...)
	c.Records, c.Packages = old.Records, old.Packages
	serve(t, dir, c)
}

// TestWrongBaseWithDecisions refuses a delta whose base the site has not imported last, even if it
// has the content, and forged ones.
func TestWrongBaseWithDecisions(t *testing.T) {
	old, other, root := newSite(t, "one", "two"), newSite(t, "other", "two"), newSite(t, "new", "one", "two")
	target := newReceiver(t, export(t, old), "acme.two")
	before := snapshot(t, target)
	refused := func(what string, archive []byte) error {
		t.Helper()
		_, err := Import(t.Context(), ImportConfig{Stream: bytes.NewReader(archive), Site: target, AllowOlder: true})
		if err == nil {
			t.Fatalf("%s: imported", what)
		}
		compare(t, snapshot(t, target), before)
		return err
	}
	text := func(file string) []byte {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	err := refused("another base", text(export(t, root, other)))
	wrong, ok := errors.AsType[*BaseError](err)
	if !ok || wrong.Has != mustCurrent(t, target).Generation || wrong.Imported != mustCurrent(t, old).Generation {
		t.Errorf("another base: %v", err)
	}
	forged := rebase(t, readEntries(t, export(t, root, old)), mustCurrent(t, other))
	if _, ok := errors.AsType[*BaseError](refused("a base that is not the one", forged)); !ok {
		t.Error("a base that is not the one: not a BaseError")
	}
	forged = rebase(t, readEntries(t, export(t, root, root)), mustCurrent(t, old))
	if err := refused("a base that lacks the content", forged); !strings.Contains(err.Error(), "do not give the SITE.SHA256SUMS") {
		t.Errorf("a base that lacks the content: %v", err)
	}
	for _, path := range []string{site.CatalogName, site.IndexName, ".head", site.CurrentPath} {
		all := readEntries(t, export(t, root, old))
		at := slices.IndexFunc(all, func(e entry) bool { return strings.HasSuffix(e.header.Name, path) })
		forged := rebase(t, slices.Delete(all, at, at+1), mustCurrent(t, old))
		if err := refused("without "+path, forged); !strings.Contains(err.Error(), "should be") && !strings.Contains(err.Error(), "should have") {
			t.Errorf("without %s: %v", path, err)
		}
	}
}

// rebase returns a delta that names another base.
func rebase(t *testing.T, all []entry, base site.Current) []byte {
	t.Helper()
	all[1].text = base.Bytes()
	return writeEntries(t, resum(all))
}
