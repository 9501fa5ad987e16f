package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/history"
	"galbuild/build/site"
	"galbuild/render"
)

// newSite builds a site with an extension for each name, in a new folder.
func newSite(t testing.TB, names ...string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "site")
	setSite(t, root, names...)
	return root
}

// setSite builds the site with one extension for each name. All of them contain the same license.
func setSite(t testing.TB, root string, names ...string) {
	t.Helper()
	dir, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	serve(t, dir, newCatalogue(t, dir, names...))
}

func newCatalogue(t testing.TB, dir *site.Dir, names ...string) *catalog.Catalog {
	t.Helper()
	c := &catalog.Catalog{Settings: catalog.Settings{Render: render.Version, BaseURL: "https://gal.example", Unpack: "web"}}
	slices.Sort(names)
	for i, name := range names {
		when := time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC)
		v := catalog.Version{Version: "1.0.0", DisplayName: name, Updated: when}
		v.Package = putFile(t, dir, "the package of "+name+strings.Repeat(".", 1000))
		v.Assets = []catalog.Asset{{Type: catalog.PackageAsset, File: v.Package}}
		for _, f := range []struct{ path, text string }{{"LICENSE", "as is"}, {"README", "another"}, {"größe " + name, "text of " + name}, {"readme", "one"}} {
			file := putFile(t, dir, f.text)
			file.Path = f.path
			v.Files = append(v.Files, file)
		}
		v.Sidecar = &catalog.Sidecar{Statistics: &catalog.Statistics{Install: int64(10 + i)}}
		e := catalog.Extension{Publisher: catalog.Publisher{ID: "11111111-2222-3333-4444-555555555555", Name: "Acme", DisplayName: "Acme"},
			Name: name, UUID: "11111111-2222-3333-4444-555555555555", Released: when, Published: when, Updated: when, Versions: []catalog.Version{v}}
		e.SetStatistics()
		c.Extensions = append(c.Extensions, e)
	}
	return c
}

func putFile(t testing.TB, dir *site.Dir, text string) catalog.File {
	t.Helper()
	ref, err := dir.Blobs.PutBytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return catalog.File{Ref: ref, Size: int64(len(text)), Type: "text/plain"}
}

func serve(t testing.TB, dir *site.Dir, c *catalog.Catalog) {
	t.Helper()
	for f := range render.Content(c) {
		if rank(f.Path) == 4 {
			continue // a page
		}
		if err := dir.Blobs.Link(f.SHA256, f.Path); err != nil {
			t.Fatal(err)
		}
	}
	previous, err := site.ReadCurrent(dir.Root)
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.MarkDirty(); err != nil {
		t.Fatal(err)
	}
	current, err := render.Site(t.Context(), dir, c, site.Generation{Current: previous}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := render.Commit(t.Context(), dir, site.Generation{Current: current, Catalog: c}, site.Previous{Current: previous}, testCommit); err != nil {
		t.Fatal(err)
	}
}

// testCommit has a clock that stands still, so that histories are the same.
var testCommit = site.Commit{Command: "test", When: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)}

// snapshot returns the content of each file outside the work directory, and the first path of the
// same file.
func snapshot(t testing.TB, root string) map[string]string {
	t.Helper()
	type named struct {
		fs.FileInfo
		name string
	}
	files, bySize := make(map[string]string), make(map[int64][]named)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == site.WorkDir {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		same := bySize[info.Size()]
		i := slices.IndexFunc(same, func(n named) bool { return os.SameFile(n, info) })
		if i < 0 {
			i, bySize[info.Size()] = len(same), append(same, named{info, rel})
		}
		files[filepath.ToSlash(rel)] = bySize[info.Size()][i].name + "\n" + string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// content returns a snapshot without the history, which each site has for itself.
func content(t testing.TB, root string) map[string]string {
	t.Helper()
	files := snapshot(t, root)
	maps.DeleteFunc(files, func(path, _ string) bool {
		return strings.HasPrefix(path, history.HeadDir) || strings.HasPrefix(path, history.EntryDir)
	})
	files[site.CurrentPath] = string(mustCurrent(t, root).Bytes())
	return files
}

func compare(t testing.TB, got, want map[string]string) {
	t.Helper()
	for path, text := range want {
		if got[path] != text {
			t.Errorf("%s is\n%.200q, want\n%.200q", path, got[path], text)
		}
	}
	for path := range got {
		if _, ok := want[path]; !ok {
			t.Errorf("%s should not be there", path)
		}
	}
}

func mustExport(t testing.TB, cfg ExportConfig) *Exported {
	t.Helper()
	report, err := Export(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// export writes a site's archive into a new folder and returns its path.
func export(t testing.TB, root string, since ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gallery.tar")
	mustExport(t, ExportConfig{Site: root, Output: file, Since: since})
	return file
}

func mustImport(t testing.TB, cfg ImportConfig) *Imported {
	t.Helper()
	report, err := Import(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func mustVerify(t testing.TB, root string) {
	t.Helper()
	report, err := render.Verify(t.Context(), root)
	if err != nil || len(report.Problems) > 0 {
		t.Fatalf("verify: %v, %v", report, err)
	}
}

func list(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestRoundTrip(t *testing.T) {
	root := newSite(t, "one", "two")
	for name, split := range map[string]int64{"g.tar": 0, "g.tar.gz": 0, "g.tgz": 0, "g.tar.zst": 0, "s.tar": 10_000, "s.tar.zst": 500} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), name)
			report := mustExport(t, ExportConfig{Site: root, Output: file, Split: split})
			if (len(report.Parts) > 1) != (split > 0) || len(list(t, filepath.Dir(file))) != len(report.Parts)+1 {
				t.Errorf("parts %v, there are %v", report.Parts, list(t, filepath.Dir(file)))
			}
			target := filepath.Join(t.TempDir(), "target")
			for _, what := range []string{file, file + SumsSuffix, filepath.Join(filepath.Dir(file), report.Parts[0].Name)} {
				mustImport(t, ImportConfig{Archive: what, Site: target})
				compare(t, content(t, target), content(t, root))
			}
			mustVerify(t, target)
			checkSender(t, root, target)
			again := filepath.Join(t.TempDir(), name)
			if got := mustExport(t, ExportConfig{Site: root, Output: again, Split: split}); !slices.Equal(got.Parts, report.Parts) {
				t.Errorf("the same site gives %v and %v", report.Parts, got.Parts)
			}
		})
	}
}

// checkSender checks that the last entry of the history of a site names the end of that of the site
// which the content comes from, and that nothing else of that history was copied.
func checkSender(t *testing.T, from, to string) {
	t.Helper()
	current, last, err := site.ReadCurrentHead(from)
	if err != nil {
		t.Fatal(err)
	}
	want, err := site.ReadHead(site.FilesIn(from), current, last)
	if err != nil {
		t.Fatal(err)
	}
	own, ownLast, err := site.ReadCurrentHead(to)
	if err != nil {
		t.Fatal(err)
	}
	head, err := site.ReadHead(site.FilesIn(to), own, ownLast)
	if err != nil {
		t.Fatal(err)
	}
	e, err := site.ReadEntry(site.FilesIn(to), head.Number, head.Entry)
	if err != nil || e.Sender == nil || *e.Sender != *site.SenderOf(want) {
		t.Errorf("got %+v, %v; want the sender %+v", e, err, site.SenderOf(want))
	}
	if _, err := os.Stat(filepath.Join(to, filepath.FromSlash(last.Path()))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the head of the sender was copied: %v", err)
	}
}

// TestOtherRendering transfers a site whose static responses this version would render differently.
func TestOtherRendering(t *testing.T) {
	root := filepath.Join(t.TempDir(), "site")
	dir, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	c := newCatalogue(t, dir, "one")
	c.Render++
	serve(t, dir, c)
	for _, path := range []string{"api/vscode/acme/one/latest", "api/vscode/Acme/one/latest"} {
		if err := dir.WriteFile(path, []byte("rendered otherwise")); err != nil {
			t.Fatal(err)
		}
	}
	target := filepath.Join(t.TempDir(), "target")
	mustImport(t, ImportConfig{Archive: export(t, root), Site: target})
	compare(t, content(t, target), content(t, root))
}

func TestImportWritesOnlyWhatIsNew(t *testing.T) {
	archive, target := export(t, newSite(t, "one", "two")), newSite(t, "one")
	blobs := filepath.Join(target, "blobs")
	before := snapshot(t, blobs)
	report := mustImport(t, ImportConfig{Archive: archive, Site: target})
	var existing int64
	for _, e := range readEntries(t, archive) {
		name, isBlob := strings.CutPrefix(e.header.Name, "blobs/")
		if _, ok := before[filepath.FromSlash(name)]; isBlob && ok {
			existing += int64(len(e.text))
		}
	}
	if existing == 0 || report.Written != report.Bytes-existing {
		t.Errorf("%d bytes written of %d, the site had %d", report.Written, report.Bytes, existing)
	}
	mustVerify(t, target)
}

func TestDelta(t *testing.T) {
	root := newSite(t, "gone", "one", "two")
	old := newSite(t, "gone", "one", "two")
	oldArchive := export(t, old)
	unpacked := filepath.Join(t.TempDir(), SumsName)
	if err := os.WriteFile(unpacked, readEntries(t, oldArchive)[0].text, 0o644); err != nil {
		t.Fatal(err)
	}
	setSite(t, root, "new", "one", "two")
	full := export(t, root)
	want, base := newSite(t, "gone", "one", "two"), mustCurrent(t, old)
	mustImport(t, ImportConfig{Archive: full, Site: want})
	if got := mustImport(t, ImportConfig{Archive: full, Site: want}); got.Previous != "" {
		t.Errorf("importing again replaced %s", got.Previous)
	}

	var first []byte
	for _, since := range []string{old, oldArchive, oldArchive + SumsSuffix, unpacked} {
		delta := export(t, root, since)
		text, err := os.ReadFile(delta)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = text
		}
		if !bytes.Equal(text, first) {
			t.Errorf("since %s: another delta", since)
		}
		for _, e := range readEntries(t, delta) {
			if strings.Contains(e.header.Name, "/one/") || strings.Contains(e.header.Name, "/two/") {
				t.Errorf("the delta contains %s", e.header.Name)
			}
		}
		target := newSite(t, "gone", "one", "two")
		report := mustImport(t, ImportConfig{Archive: delta, Site: target})
		if report.Previous != base.Generation || !slices.Equal(report.Since, []string{base.Generation}) {
			t.Errorf("report %+v", report)
		}
		compare(t, content(t, target), content(t, want))
		mustVerify(t, target)
		if _, err := os.Stat(filepath.Join(target, base.IndexPath())); err != nil {
			t.Errorf("the old generation is not kept: %v", err)
		}
		mustImport(t, ImportConfig{Archive: delta, Site: target}) // which has it already
		compare(t, content(t, target), content(t, want))
	}
}

func mustCurrent(t testing.TB, root string) site.Current {
	t.Helper()
	c, err := site.ReadCurrent(root)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestUselessBase uses bases that do not list a whole site.
func TestUselessBase(t *testing.T) {
	old, root := newSite(t, "one"), newSite(t, "one", "two")
	delta, parts := export(t, root, old), export(t, old)
	listing := filepath.Join(t.TempDir(), SumsName)
	if err := errors.Join(os.WriteFile(listing, readEntries(t, delta)[0].text, 0o644), os.Remove(parts)); err != nil {
		t.Fatal(err)
	}
	for base, want := range map[string]string{
		listing: "it lists only the files of a delta", parts + SumsSuffix: "it lists only parts",
		t.TempDir(): "is not a site", filepath.Join(t.TempDir(), "none"): "no such file",
	} {
		if _, err := Export(t.Context(), ExportConfig{Site: root, Output: filepath.Join(t.TempDir(), "g.tar"), Since: []string{base}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("since %s: %v, want %q", base, err, want)
		}
	}
}

func TestDeltaOfNothing(t *testing.T) {
	root := newSite(t, "one")
	delta := export(t, root, root)
	if n := len(readEntries(t, delta)); n != 7 {
		t.Errorf("%d entries, want the listings only", n)
	}
	before := snapshot(t, root)
	mustImport(t, ImportConfig{Archive: delta, Site: root})
	compare(t, snapshot(t, root), before)
}

// TestDeltaOfDelta uses a delta as the base, and several bases.
func TestDeltaOfDelta(t *testing.T) {
	first, third := newSite(t, "one"), newSite(t, "one", "two")
	delta := export(t, third, first)
	setSite(t, third, "one", "three", "two")
	for _, bases := range [][]string{{delta}, {first, delta}} {
		next := export(t, third, bases...)
		target := newSite(t, "one", "two")
		mustImport(t, ImportConfig{Archive: next, Site: target})
		mustVerify(t, target)
		target = newSite(t, "one")
		_, err := Import(t.Context(), ImportConfig{Archive: next, Site: target})
		if wrong, ok := errors.AsType[*BaseError](err); ok != (len(bases) == 1) || err != nil && wrong.Has != mustCurrent(t, first).Generation {
			t.Errorf("since %v, on the first: %v", bases, err)
		}
	}
}

func TestWrongBase(t *testing.T) {
	old, root := newSite(t, "one"), newSite(t, "one", "two")
	delta := export(t, root, old)
	other := newSite(t, "other")
	before := snapshot(t, other)
	_, err := Import(t.Context(), ImportConfig{Archive: delta, Site: other})
	wrong, ok := errors.AsType[*BaseError](err)
	if !ok || !slices.Equal(wrong.Wants, []string{mustCurrent(t, old).Generation}) || wrong.Has != mustCurrent(t, other).Generation {
		t.Errorf("on another site: %v", err)
	}
	compare(t, snapshot(t, other), before)

	empty := filepath.Join(t.TempDir(), "empty")
	if _, err := Import(t.Context(), ImportConfig{Archive: delta, Site: empty}); err == nil {
		t.Error("a delta was imported into nothing")
	}
	if _, err := os.Stat(empty); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was made at %s", empty)
	}
}

// TestLeftOut imports a delta into incomplete sites that are at the base.
func TestLeftOut(t *testing.T) {
	old, root := newSite(t, "one"), newSite(t, "one", "two")
	delta := export(t, root, old)
	for _, path := range []string{"api/vscode/acme/one/latest", "files/acme/one/1.0.0/LICENSE", "blobs/sha256/" + firstBlob(t, old)} {
		target := newSite(t, "one")
		if err := os.Remove(filepath.Join(target, path)); err != nil {
			t.Fatal(err)
		}
		before := snapshot(t, target)
		if _, err := Import(t.Context(), ImportConfig{Archive: delta, Site: target}); !errors.Is(err, ErrLeftOut) || !strings.Contains(err.Error(), path) {
			t.Errorf("without %s: %v", path, err)
		}
		compare(t, snapshot(t, target), before)
	}
}

// firstBlob returns the content of a package. That of a page would be made again.
func firstBlob(t testing.TB, root string) string {
	t.Helper()
	_, c := openSite(t, root)
	content := c.Extensions[0].Versions[0].Package.Ref
	return strings.TrimPrefix(content.Path(), "blobs/sha256/")
}

// TestDamagedSite exports damaged sites.
func TestDamagedSite(t *testing.T) {
	for _, path := range []string{"", "api/vscode/Acme/one/latest", "index/CATALOG", "index/INDEX"} {
		root := newSite(t, "one")
		current := mustCurrent(t, root)
		file := map[string]string{"": "blobs/sha256/" + firstBlob(t, root), "index/CATALOG": current.CatalogPath(), "index/INDEX": current.IndexPath()}[path]
		if file == "" {
			file = path
		}
		for what, change := range map[string]func([]byte) []byte{
			"flipped": func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
			"shorter": func(b []byte) []byte { return b[1:] },
			"longer":  func(b []byte) []byte { return append(b, 'x') },
		} {
			damaged := filepath.Join(t.TempDir(), "site")
			if err := os.CopyFS(damaged, os.DirFS(root)); err != nil {
				t.Fatal(err)
			}
			rewrite(t, filepath.Join(damaged, file), change)
			dir := t.TempDir()
			if _, err := Export(t.Context(), ExportConfig{Site: damaged, Output: filepath.Join(dir, "g.tar")}); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s, %s: %v", file, what, err)
			}
			if left := list(t, dir); len(left) > 0 {
				t.Errorf("%s, %s: %v was written", file, what, left)
			}
		}
	}
}

func rewrite(t testing.TB, file string, change func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(file), os.WriteFile(file, change(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// TestReplacedExport writes to a name that earlier exports have used.
func TestReplacedExport(t *testing.T) {
	root, dir := newSite(t, "one"), t.TempDir()
	file := filepath.Join(dir, "g.tar")
	key, _ := newKey(t)
	mustExport(t, ExportConfig{Site: root, Output: file, Split: 5000, SignKey: key})
	if n := len(list(t, dir)); n < 5 {
		t.Fatalf("%d files", n)
	}
	for _, split := range []int64{0, 20_000, 5000} {
		report := mustExport(t, ExportConfig{Site: root, Output: file, Split: split})
		want := []string{"g.tar" + SumsSuffix}
		for _, p := range report.Parts {
			want = append(want, p.Name)
		}
		slices.Sort(want)
		if got := list(t, dir); !slices.Equal(got, want) {
			t.Errorf("split %d: there are %v, want %v", split, got, want)
		}
	}
	before := list(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Export(ctx, ExportConfig{Site: root, Output: file, Progress: func(done, total int64) { cancel() }})
	if !errors.Is(err, context.Canceled) || !slices.Equal(list(t, dir), before) {
		t.Errorf("interrupted: %v, there are %v", err, list(t, dir))
	}
}

// TestKilledExport finds the temporary files of an export that was killed. The next export of the
// same name removes them, and leaves those of other names.
func TestKilledExport(t *testing.T) {
	root, dir := newSite(t, "one"), t.TempDir()
	write := func(names ...string) {
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(dir, tempPrefix+name), []byte("half"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("g.tar", "g.tar.001", "g.tar.013", "g.tar"+SumsSuffix, "g.tar"+SumsSuffix+SignedSuffix)
	write("g.tar.zst", "g.tar.zst.001", "g.tar.zst"+SumsSuffix)
	mustExport(t, ExportConfig{Site: root, Output: filepath.Join(dir, "g.tar")})
	want := []string{
		tempPrefix + "g.tar.zst", tempPrefix + "g.tar.zst.001", tempPrefix + "g.tar.zst" + SumsSuffix,
		"g.tar", "g.tar" + SumsSuffix,
	}
	if got := list(t, dir); !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
}

func TestInterruptedImport(t *testing.T) {
	archive, target := export(t, newSite(t, "one", "two")), newSite(t, "one")
	before := snapshot(t, target)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Import(ctx, ImportConfig{Archive: archive, Site: target, Progress: func(done, total int64) { cancel() }}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	compare(t, snapshot(t, target), before)
	mustImport(t, ImportConfig{Archive: archive, Site: target})
	mustVerify(t, target)
}

func TestLockedSite(t *testing.T) {
	root := newSite(t, "one")
	dir, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, err := Import(t.Context(), ImportConfig{Archive: export(t, root), Site: root}); !errors.Is(err, site.ErrLocked) {
		t.Errorf("import into a locked site: %v", err)
	}
}

func TestStream(t *testing.T) {
	root := newSite(t, "one")
	var archive bytes.Buffer
	mustExport(t, ExportConfig{Site: root, Stream: &archive})
	sums := export(t, root) + SumsSuffix
	for _, listing := range []string{"", sums} {
		target := filepath.Join(t.TempDir(), "site")
		mustImport(t, ImportConfig{Stream: bytes.NewReader(archive.Bytes()), Sums: listing, Site: target})
		compare(t, content(t, target), content(t, root))
	}
	other := export(t, newSite(t, "two")) + SumsSuffix
	_, err := Import(t.Context(), ImportConfig{Stream: bytes.NewReader(archive.Bytes()), Sums: other, Site: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "standard input: its SHA-256 is") {
		t.Errorf("with the sums of another: %v", err)
	}
}

func TestNoArchiveName(t *testing.T) {
	for _, name := range []string{"g.tar.001", "g.tar" + SumsSuffix, "g.tar" + SumsSuffix + SignedSuffix} {
		if _, err := Export(t.Context(), ExportConfig{Site: newSite(t, "one"), Output: filepath.Join(t.TempDir(), name)}); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

func TestTooManyParts(t *testing.T) {
	dir := t.TempDir()
	_, err := Export(t.Context(), ExportConfig{Site: newSite(t, "one"), Output: filepath.Join(dir, "g.tar"), Split: 10})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprint(maxParts)) || len(list(t, dir)) > 0 {
		t.Errorf("%v, there are %d files", err, len(list(t, dir)))
	}
}

// TestOlder reports what a site loses to an older archive.
func TestOlder(t *testing.T) {
	older, newer := filepath.Join(t.TempDir(), "older.tar"), newSite(t, "one", "two")
	mustExport(t, ExportConfig{Site: newSite(t, "one"), Output: older})
	report, err := Import(t.Context(), ImportConfig{Archive: older, Site: newer})
	if err != nil || !slices.Equal(report.Removed, []string{"acme.two@1.0.0"}) || report.Replaced != nil || report.WasCurrent {
		t.Errorf("%+v, %v", report, err)
	}
	if report, err = Import(t.Context(), ImportConfig{Archive: older, Site: newer}); err != nil || report.Removed != nil || report.WasCurrent {
		t.Errorf("the same again: %+v, %v", report, err)
	}
	setSite(t, newer, "one", "two")
	if report, err = Import(t.Context(), ImportConfig{Archive: older, Site: newer, AllowOlder: true}); err != nil || !report.WasCurrent {
		t.Errorf("a generation that the site has had: %+v, %v", report, err)
	}
}

// TestReadCatalog reads the catalogues of a whole archive, of a delta and of a split one, and
// refuses one whose catalogue is damaged.
func TestReadCatalog(t *testing.T) {
	root := newSite(t, "one", "two")
	first, err := site.ReadCurrent(root)
	if err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "x.tar.zst")
	if _, err := Export(t.Context(), ExportConfig{Site: root, Output: whole}); err != nil {
		t.Fatal(err)
	}
	setSite(t, root, "one", "three", "two")
	delta, parts := filepath.Join(t.TempDir(), "y.tar"), filepath.Join(t.TempDir(), "z.tar")
	for _, cfg := range []ExportConfig{{Site: root, Output: delta, Since: []string{whole}}, {Site: root, Output: parts, Split: 4 << 10}} {
		if _, err := Export(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	second, err := site.ReadCurrent(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		file       string
		want       site.Current
		extensions int
	}{{whole, first, 2}, {delta, second, 3}, {parts + ".001", second, 3}} {
		current, c, err := ReadCatalog(t.Context(), test.file, nil)
		if err != nil || current != test.want || len(c.Extensions) != test.extensions {
			t.Errorf("%s: generation %s with %+v, %v", test.file, current.Generation, c, err)
		}
	}
	text, err := os.ReadFile(delta)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(text, []byte("\x28\xb5\x2f\xfd")) // the first of zstd, which are lines of the catalogue
	text[at+20] ^= 1
	damaged := filepath.Join(t.TempDir(), "damaged.tar")
	if err := os.WriteFile(damaged, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadCatalog(t.Context(), damaged, nil); err == nil || !strings.Contains(err.Error(), ".jsonl.zst: its SHA-256 is") {
		t.Errorf("a damaged catalogue: %v", err)
	}
}
