package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/site"
	"galbuild/render"
)

// many returns names of extensions that have several chunks, also of the catalogue.
func many(others ...string) (names []string) {
	for i := range 300 {
		names = append(names, fmt.Sprintf("n%d", i))
	}
	return append(names, others...)
}

// chunksIn returns the names of the entries of an archive that are chunks.
func chunksIn(t *testing.T, archive string) (names []string) {
	t.Helper()
	for _, e := range readEntries(t, archive) {
		if isChunk(e.header.Name) {
			names = append(names, e.header.Name)
		}
	}
	return names
}

// TestDeltaOfChunks adds an extension to many. The delta carries only the chunks that have changed.
// Its catalogue can be read with those of the base, also in a site that has decisions of its own,
// whose generation has other chunks.
func TestDeltaOfChunks(t *testing.T) {
	old, root := newSite(t, many()...), newSite(t, many("new")...)
	first, delta := export(t, old), export(t, root, old)
	all, carried := chunksIn(t, first), chunksIn(t, delta)
	if len(all) < 8 || len(carried) == 0 || len(carried) > 4 {
		t.Errorf("the delta has %d chunks of %d: %q", len(carried), len(all), carried)
	}
	receiver := newReceiver(t, first, "acme.n7")
	for _, id := range []string{"acme.n8", "acme.n9"} { // so that no generation has the chunks that were imported
		decide(t, receiver, decision.Blocked, id)
	}
	for name, lines := range map[string]site.LinesSource{"the base": site.LinesIn(old), "a receiver": LinesIn(receiver)} {
		if _, c, err := ReadCatalog(t.Context(), delta, lines); err != nil || c.Find("acme.new") == nil || len(c.Extensions) != 301 {
			t.Errorf("with the chunks of %s: %v", name, err)
		}
	}
	for _, lines := range []site.LinesSource{nil, site.LinesIn(t.TempDir())} {
		_, _, err := ReadCatalog(t.Context(), delta, lines)
		missing, ok := errors.AsType[*BaseMissingError](err)
		if !ok || !slices.Equal(missing.Wants, []string{mustCurrent(t, old).Generation}) {
			t.Errorf("without the base: %v", err)
		}
	}
	mustImport(t, ImportConfig{Archive: delta, Site: receiver, Commit: testCommit})
	mustVerify(t, receiver)
	mustImport(t, ImportConfig{Archive: delta, Site: old, Commit: testCommit})
	mustVerify(t, old)
	kept := 0
	err := filepath.WalkDir(filepath.Join(receiver, filepath.FromSlash(importedDir)), func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(d.Name(), SumsName) {
			kept++
		}
		return err
	})
	if want := chunksIn(t, export(t, root)); err != nil || kept != len(want) {
		t.Errorf("%d chunks of the import are kept, want %d, %v", kept, len(want), err)
	}
}

// TestDeltaAfterChanges imports a delta into a site that has changed so often since the import of
// the base that its generations do not have the chunks any more.
func TestDeltaAfterChanges(t *testing.T) {
	root, target := newSite(t, "one", "two"), filepath.Join(t.TempDir(), "target")
	mustImport(t, ImportConfig{Archive: export(t, root), Site: target, Commit: testCommit})
	for _, name := range []string{"x", "y", "z"} {
		setCatalogue(t, target, "one", "two", name)
	}
	mustImport(t, ImportConfig{Archive: export(t, root, root), Site: target, Commit: testCommit, AllowOlder: true})
	mustVerify(t, target)
	if mustCurrent(t, target) != mustCurrent(t, root) {
		t.Error("another generation is current")
	}
}

// TestDamagedChunkLeftOut imports a delta into a site with a damaged or missing chunk. It is
// refused, and names the chunk.
func TestDamagedChunkLeftOut(t *testing.T) {
	root := newSite(t, "one", "two")
	for _, suffix := range []string{".idx", ".jsonl.zst"} {
		for _, damage := range []func(file string) error{os.Remove, func(file string) error { return os.Truncate(file, 1) }} {
			old := newSite(t, "one", "two")
			delta := export(t, root, root)
			files, err := filepath.Glob(filepath.Join(old, filepath.FromSlash(catalog.ChunkDir), "*", "*"+suffix))
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(files[0]); err != nil {
				t.Fatal(err)
			}
			_, err = Import(t.Context(), ImportConfig{Archive: delta, Site: old})
			if !errors.Is(err, ErrLeftOut) || !strings.Contains(err.Error(), filepath.Base(files[0])) {
				t.Errorf("%v", err)
			}
		}
	}
}

// TestForgedChunks refuses an archive whose chunks are not those of the catalogue.
func TestForgedChunks(t *testing.T) {
	archive := export(t, newSite(t, "one", "two"))
	at := find(readEntries(t, archive), catalog.ChunkDir)
	more := catalog.IndexChunkPath(blob.Sum([]byte("more")))
	for want, forge := range map[string]func(all []entry) []entry{
		"the catalogue does not list this chunk": func(all []entry) []entry { return with(all, at, more, tar.TypeReg, "", "more") },
		"the chunk is missing":                   func(all []entry) []entry { return slices.Delete(all, at, at+1) },
	} {
		file := filepath.Join(t.TempDir(), "forged.tar")
		if err := os.WriteFile(file, writeEntries(t, sorted(forge(readEntries(t, archive)))), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Import(t.Context(), ImportConfig{Archive: file, Site: filepath.Join(t.TempDir(), "site")})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestOtherTableOfChunks imports a generation whose catalogue and index describe a chunk
// differently.
func TestOtherTableOfChunks(t *testing.T) {
	root := newSite(t, "one")
	current := mustCurrent(t, root)
	c, err := site.ReadCatalog(root, current)
	if err != nil {
		t.Fatal(err)
	}
	chunks, err := site.ReadChunks(root, current)
	if err != nil {
		t.Fatal(err)
	}
	chunks[0].Index[0].Documents++
	head, err := site.CompressMain(c, chunks)
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(current.IndexPath())))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.MarkDirty(); err != nil {
		t.Fatal(err)
	}
	next, err := dir.WriteGeneration(head, func(w io.Writer) error { _, err := w.Write(index); return err }, nil)
	if err == nil {
		err = render.Commit(t.Context(), dir, site.Generation{Current: next, Catalog: c}, site.Previous{Current: current}, testCommit)
	}
	if err := errors.Join(err, dir.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = Import(t.Context(), ImportConfig{Archive: export(t, root), Site: filepath.Join(t.TempDir(), "to")})
	if err == nil || !strings.Contains(err.Error(), "the index has chunk") {
		t.Errorf("got %v", err)
	}
}

// TestLinkedChunkFolder imports into a site in which the folder of imported chunks is a link to a
// folder outside. Nothing is written there.
func TestLinkedChunkFolder(t *testing.T) {
	archive := export(t, newSite(t, "one"))
	root, outside := newSite(t, "other"), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(root, filepath.FromSlash(strings.TrimSuffix(importedDir, "/")))); err != nil {
		t.Fatal(err)
	}
	_, err := Import(t.Context(), ImportConfig{Archive: archive, Site: root, Commit: testCommit})
	if !errors.Is(err, atomicfile.ErrLink) {
		t.Errorf("got %v, want ErrLink", err)
	}
	if got := list(t, outside); len(got) > 0 {
		t.Errorf("written outside of the site: %q", got)
	}
}

// TestManyLines reads the catalogue of an archive whose chunks are shorter than the limit, but not
// all together.
func TestManyLines(t *testing.T) {
	all := readEntries(t, export(t, newSite(t, many()...)))
	at := slices.IndexFunc(all, func(e entry) bool { return strings.HasSuffix(e.header.Name, ".jsonl.zst") && isChunk(e.header.Name) })
	next := at + 1 + slices.IndexFunc(all[at+1:], func(e entry) bool { return strings.HasSuffix(e.header.Name, ".jsonl.zst") })
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range all[:next] {
		if err := w.WriteHeader(e.header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.text); err != nil {
			t.Fatal(err)
		}
	}
	long := *all[next].header
	long.Size = site.MaxCompressedCatalog
	if err := w.WriteHeader(&long); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "x.tar")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ReadCatalog(t.Context(), file, nil); err == nil || !strings.Contains(err.Error(), "the catalogue has more than 536870912, the limit") {
		t.Errorf("got %v, want the limit", err)
	}
}
