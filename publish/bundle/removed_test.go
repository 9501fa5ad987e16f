package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/build/blob"
	"galbuild/build/decision"
)

// importForged imports a forged delta into a site that has imported its base.
func importForged(t *testing.T, root string, all []entry) error {
	t.Helper()
	before := snapshot(t, root)
	_, err := Import(t.Context(), ImportConfig{Stream: bytes.NewReader(writeEntries(t, resum(all))), Site: root, Commit: testCommit})
	compare(t, snapshot(t, root), before)
	return err
}

// TestForgedRemovals imports deltas whose REMOVED.SHA256SUMS is not the one that export writes. All
// are refused, also those that state the hash of the listing that they give.
func TestForgedRemovals(t *testing.T) {
	old, root := newSite(t, "gone", "one"), newSite(t, "new", "one")
	first, delta := export(t, old), export(t, root, old)
	target := filepath.Join(t.TempDir(), "site")
	mustImport(t, ImportConfig{Archive: first, Site: target, Commit: testCommit})
	base := treeOf(t, old)
	original := string(readEntries(t, delta)[2].text)
	lines := strings.SplitAfter(original, "\n")
	gone := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "assets/acme/gone/") })
	if gone < 1 {
		t.Fatalf("got %q", original)
	}
	kept := base[slices.IndexFunc(base, func(x line) bool { return strings.HasPrefix(x.path, "assets/acme/one/") })]
	extra := func(path string) string { return fmt.Sprintf("%s  %s\n", blob.Sum([]byte(path)), path) }
	// stated returns the text with the hash of the listing that it gives.
	stated := func(text string) string {
		all := readEntries(t, delta)
		all[2].text = []byte(text)
		included, err := parseListing(SumsName, resum(all)[0].text)
		if err != nil {
			t.Fatal(err)
		}
		c, err := parseRemoved([]byte(text), included[2:])
		if err != nil {
			t.Fatal(err)
		}
		whole := slices.Clone(c.included)
		for _, x := range base {
			if !slices.Contains(c.removed, x) && !slices.ContainsFunc(c.included, func(y line) bool { return x.path == y.path }) {
				whole = append(whole, x)
			}
		}
		slices.SortFunc(whole, compareLines)
		_, rest, _ := strings.Cut(text, "\n")
		return fmt.Sprintf("%s  %s\n", blob.Sum(whole.text()), siteName) + rest
	}
	if stated(original) != original {
		t.Fatal("the test does not compute the hash as export does")
	}
	moreKept := lines[0] + string(listing(slices.SortedFunc(slices.Values(append(parseLines(t, lines[1:]), kept)), compareLines)).text())
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":            {"", "its first line does not name SITE.SHA256SUMS"},
		"no hash":            {strings.Join(lines[1:], ""), "its first line does not name SITE.SHA256SUMS"},
		"another hash":       {extra(siteName) + strings.Join(lines[1:], ""), "do not give the SITE.SHA256SUMS"},
		"one line less":      {strings.Join(slices.Delete(slices.Clone(lines), gone, gone+1), ""), "do not give the SITE.SHA256SUMS"},
		"one less, stated":   {stated(strings.Join(slices.Delete(slices.Clone(lines), gone, gone+1), "")), "the index does not list this file"},
		"one more":           {moreKept, "do not give the SITE.SHA256SUMS"},
		"one more, stated":   {stated(moreKept), "it lists"},
		"of no base":         {original + extra("index/zzz"), `it removes "index/zzz", which the base does not have`},
		"of no base, stated": {stated(original + extra("index/zzz")), `it removes "index/zzz", which the base does not have`},
		"other content":      {strings.Replace(original, lines[gone], strings.Repeat("0", 64)+lines[gone][64:], 1), "which the base does not have"},
		"twice":              {strings.Replace(original, lines[gone], lines[gone]+lines[gone], 1), "duplicate or out of order"},
		"unsafe":             {original + extra("../x"), "leads out of the site"},
		"not a line":         {original + "x\n", "not of the form"},
		"not ended":          {original[:len(original)-1], "not of the form"},
	} {
		all := readEntries(t, delta)
		all[2].text = []byte(tt.text)
		err := importForged(t, target, all)
		if _, ok := errors.AsType[*FormatError](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want …%s…", name, err, tt.want)
		}
	}
	// A file that the delta contains, and one that no generation lists.
	all := readEntries(t, delta)
	at := slices.IndexFunc(all, func(e entry) bool { return strings.HasPrefix(e.header.Name, "assets/acme/new/") })
	own := line{path: all[at].header.Name}
	if err := own.ref.UnmarshalText([]byte(filepath.Base(all[at].header.Linkname))); err != nil {
		t.Fatal(err)
	}
	removed := slices.SortedFunc(slices.Values(append(parseLines(t, lines[1:]), own)), compareLines)
	all[2].text = append([]byte(lines[0]), listing(removed).text()...)
	if err := importForged(t, target, all); err == nil || !strings.Contains(err.Error(), "which SHA256SUMS lists") {
		t.Errorf("it removes what it contains: %v", err)
	}
	all = readEntries(t, delta)
	at = slices.IndexFunc(all, func(e entry) bool { return strings.HasPrefix(e.header.Name, "index/") })
	all = sorted(with(all, at, "extra.txt", tar.TypeReg, "", "text"))
	if err := importForged(t, target, all); err == nil || !strings.Contains(err.Error(), "do not give the SITE.SHA256SUMS") {
		t.Errorf("a file more: %v", err)
	}
	mustImport(t, ImportConfig{Archive: delta, Site: target, Commit: testCommit})
	mustVerify(t, target)
}

func parseLines(t *testing.T, lines []string) (all []line) {
	t.Helper()
	for _, l := range lines {
		if l == "" {
			continue
		}
		x, _, err := parseLine([]byte(l))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	return all
}

// treeOf returns the files of a site, without those that CURRENT names.
func treeOf(t *testing.T, root string) listing {
	t.Helper()
	all, err := readGeneration(root, mustCurrent(t, root))
	if err != nil {
		t.Fatal(err)
	}
	return all.files
}

// TestSeveralBases imports a delta to two bases, each of which has a file that is removed, into
// sites at both.
func TestSeveralBases(t *testing.T) {
	a, b, root := newSite(t, "a", "one"), newSite(t, "b", "one"), newSite(t, "new", "one")
	delta := export(t, root, a, b)
	for _, base := range []string{a, b} {
		target := filepath.Join(t.TempDir(), "site")
		mustImport(t, ImportConfig{Archive: export(t, base), Site: target, Commit: testCommit})
		mustImport(t, ImportConfig{Archive: delta, Site: target, Commit: testCommit})
		mustVerify(t, target)
		if mustCurrent(t, target) != mustCurrent(t, root) {
			t.Error("another generation is current")
		}
	}
}

// TestListingOfImport imports a delta into sites that have lost the listing of the last import. A
// site at the base has the same files itself. One with decisions of its own has others, and refuses
// the delta.
func TestListingOfImport(t *testing.T) {
	old, root := newSite(t, "one", "two"), newSite(t, "new", "one", "two")
	first, delta := export(t, old), export(t, root, old)
	for name, damage := range map[string]func(file string) error{
		"removed": os.Remove, "truncated": func(file string) error { return os.Truncate(file, 50) },
		"another": func(file string) error { return os.WriteFile(file, nil, 0o600) },
	} {
		same, receiver := filepath.Join(t.TempDir(), "site"), newReceiver(t, first, "acme.two")
		mustImport(t, ImportConfig{Archive: first, Site: same, Commit: testCommit})
		for _, root := range []string{same, receiver} {
			if err := damage(filepath.Join(root, filepath.FromSlash(listingPath(mustCurrent(t, old).Generation)))); err != nil {
				t.Fatal(err)
			}
		}
		mustImport(t, ImportConfig{Archive: delta, Site: same, Commit: testCommit})
		mustVerify(t, same)
		if _, err := Import(t.Context(), ImportConfig{Archive: delta, Site: receiver, Commit: testCommit}); !errors.Is(err, ErrLeftOut) {
			t.Errorf("%s: got %v, want ErrLeftOut", name, err)
		}
	}
}

// TestOneListingIsKept imports twice. Only the listing of the last import stays.
func TestOneListingIsKept(t *testing.T) {
	old, root := newSite(t, "one", "two"), newSite(t, "new", "one", "two")
	target := newReceiver(t, export(t, old), "acme.two")
	mustImport(t, ImportConfig{Archive: export(t, root, old), Site: target, Commit: testCommit})
	decide(t, target, decision.Blocked, "acme.new")
	found, err := filepath.Glob(filepath.Join(target, filepath.FromSlash(importedDir), "*"+SumsName+".zst"))
	if err != nil || len(found) != 1 || !strings.Contains(found[0], mustCurrent(t, root).Generation) {
		t.Errorf("the listings are %q, %v", found, err)
	}
}

// TestSinceLostDelta exports since a delta whose generation the site does not have any more.
func TestSinceLostDelta(t *testing.T) {
	first, root := newSite(t, "one"), newSite(t, "one", "two")
	delta := export(t, root, first)
	if n := len(readEntries(t, export(t, root, delta))); n != 7 {
		t.Errorf("since itself: %d entries, want the listings and the generation", n)
	}
	_, err := Export(t.Context(), ExportConfig{Site: first, Output: filepath.Join(t.TempDir(), "g.tar"), Since: []string{delta}})
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "does not have its generation "+mustCurrent(t, root).Generation) {
		t.Errorf("got %v", err)
	}
}
