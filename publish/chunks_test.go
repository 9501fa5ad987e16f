package publish_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"galbuild/build/catalog"
	"galbuild/build/decision"
	"galbuild/build/site"
	"galbuild/publish"
	"galbuild/publish/target"
	dirtarget "galbuild/publish/target/dir"
	"galbuild/render"
	"galbuild/render/gallery"
)

// manyExtensions is a number of extensions that have several chunks, also of the catalogue.
const manyExtensions = 300

// setMany makes a site of many extensions, and others with these names, without pages. All have the
// same content.
func setMany(t *testing.T, root string, others ...string) {
	t.Helper()
	setManyAs(t, root, catalog.Settings{Render: render.Version, NoPages: true}, others...)
}

// setManyAs is setMany with other settings.
func setManyAs(t *testing.T, root string, settings catalog.Settings, others ...string) {
	t.Helper()
	dir, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	ref, err := dir.Blobs.PutBytes([]byte("a package"))
	if err != nil {
		t.Fatal(err)
	}
	names := others
	for i := range manyExtensions {
		names = append(names, fmt.Sprintf("n%d", i))
	}
	slices.Sort(names)
	c := &catalog.Catalog{Settings: settings}
	file := catalog.File{Ref: ref, Size: int64(len("a package")), Type: "application/zip"}
	for _, name := range names {
		v := catalog.Version{Version: "1.0.0", DisplayName: name, Updated: clock, Seen: clock, Package: file, Assets: []catalog.Asset{{Type: catalog.PackageAsset, File: file}}}
		const id = "11111111-2222-3333-4444-555555555555"
		v.Sidecar = &catalog.Sidecar{Statistics: &catalog.Statistics{Install: int64(len(c.Extensions))}}
		e := catalog.Extension{
			Publisher: catalog.Publisher{ID: id, Name: "Acme", DisplayName: "Acme"}, Name: name, UUID: id,
			Released: clock, Published: clock, Updated: clock, Versions: []catalog.Version{v},
		}
		e.SetStatistics()
		c.Extensions = append(c.Extensions, e)
	}
	for f := range render.VersionContent(c) {
		if err := dir.Blobs.Link(f.SHA256, f.Path); err != nil {
			t.Fatal(err)
		}
	}
	previous, err := site.ReadCurrent(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.MarkDirty(); err != nil {
		t.Fatal(err)
	}
	next, err := render.Site(t.Context(), dir, c, site.Generation{Current: previous}, nil)
	if err == nil {
		err = render.Commit(t.Context(), dir, site.Generation{Current: next, Catalog: c}, site.Previous{Current: previous}, site.Commit{Command: "test"})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// isChunk reports whether a key is that of a file of a chunk, perhaps one with packages.
func isChunk(key string) bool {
	return strings.HasPrefix(key, catalog.ChunkDir) || strings.HasPrefix(key, catalog.PackageDir)
}

// chunksAt returns the keys of the files of chunks at a target, sorted.
func chunksAt(t *testing.T, at target.Target) (keys []string) {
	t.Helper()
	for e, err := range at.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if isChunk(e.Key) {
			keys = append(keys, e.Key)
		}
	}
	slices.Sort(keys)
	return keys
}

// chunksOf returns the keys of the files of chunks of generations of a folder, sorted. It fails if
// one of them cannot be read.
func chunksOf(t *testing.T, root string, generations ...site.Current) (keys []string) {
	t.Helper()
	for _, c := range generations {
		files, err := site.ReadFiles(root, c)
		if err != nil {
			t.Fatal(err)
		}
		for path := range files.All() {
			keys = append(keys, path)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// currentOf returns the current generation of a folder.
func currentOf(t *testing.T, root string) site.Current {
	t.Helper()
	c, err := site.ReadCurrent(root)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// requests counts all calls of a target that send a request.
type requests struct {
	*spy
	gets getRecorder
	mu   sync.Mutex
}

func newRequests(at target.Target) *requests {
	return &requests{spy: &spy{Target: at}, gets: getRecorder{Target: at}}
}

func (r *requests) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gets.Get(ctx, key, offset, length)
}

func (r *requests) count() int { return int(r.calls.Load()) + len(r.gets.keys) }

// TestOneOfMany adds an extension to many, by a publish of the site and by an add. Neither sends or
// makes a chunk that has not changed, and the publish downloads none.
func TestOneOfMany(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, at target.Target, root string){
		"publish": func(t *testing.T, at target.Target, root string) {
			setMany(t, root, "new")
			publishSite(t, at, root)
		},
		"add": func(t *testing.T, at target.Target, _ string) {
			scratch := workspace(t)
			if _, err := add(t.Context(), at, scratch, writePackage(t, t.TempDir(), "new", "1.0.0")); err != nil {
				t.Fatal(err)
			}
			made, err := filepath.Glob(filepath.Join(scratch.Root, filepath.FromSlash(catalog.ChunkDir), "*/*.idx"))
			if err != nil || len(made) == 0 || len(made) > 2 {
				t.Errorf("it made the chunks %q, %v", made, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			setMany(t, root)
			at, _ := newFolder(t)
			publishSite(t, at, root)
			if name == "add" { // the ids of the extensions become those of galbuild
				if _, err := add(t.Context(), at, workspace(t), writePackage(t, t.TempDir(), "first", "1.0.0")); err != nil {
					t.Fatal(err)
				}
			}
			before := chunksAt(t, at)
			r := newRequests(at)
			change(t, r, root)
			var sent, read []string
			for _, key := range r.order() {
				if isChunk(key) {
					sent = append(sent, key)
				}
			}
			for _, key := range r.gets.keys {
				if isChunk(key) {
					read = append(read, key)
				}
			}
			if len(before) < 10 || len(sent) == 0 || len(sent) > 4 {
				t.Errorf("%d of %d files of chunks were sent: %q", len(sent), len(before), sent)
			}
			if name == "publish" && (len(read) > 0 || r.count() > 40) {
				t.Errorf("%d requests, and it read %q", r.count(), read)
			}
			if got := serves(t, at); !strings.Contains(got, "acme.new@1.0.0") {
				t.Error("the extension is not served")
			}
			t.Logf("%d requests, %d of them to read", r.count(), len(r.gets.keys))
		})
	}
}

// TestLostChunks checks that the next publish sends the chunks that a target has lost, whether the
// site has changed or not, and also those without which the catalogue cannot be read. An add sends
// what it can make.
func TestLostChunks(t *testing.T) {
	for name, tt := range map[string]struct {
		lost string // suffix
		next func(t *testing.T, at target.Target, root string)
	}{
		"unchanged, index":     {".idx", func(t *testing.T, at target.Target, root string) { publishSite(t, at, root) }},
		"unchanged, catalogue": {".jsonl.zst", func(t *testing.T, at target.Target, root string) { publishSite(t, at, root) }},
		"changed": {"", func(t *testing.T, at target.Target, root string) {
			setMany(t, root, "new")
			publishSite(t, at, root)
		}},
		"added": {".idx", func(t *testing.T, at target.Target, _ string) {
			if _, err := add(t.Context(), at, workspace(t), writePackage(t, t.TempDir(), "new", "1.0.0")); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			setMany(t, root)
			at, remote := newFolder(t)
			publishSite(t, at, root)
			if name == "added" { // the ids of the extensions become those of galbuild
				if _, err := add(t.Context(), at, workspace(t), writePackage(t, t.TempDir(), "first", "1.0.0")); err != nil {
					t.Fatal(err)
				}
			}
			for i, key := range chunksAt(t, at) {
				if !strings.HasSuffix(key, tt.lost) {
					continue
				}
				file := filepath.Join(remote, filepath.FromSlash(key))
				err := os.Remove(file)
				if i%2 == 0 && err == nil { // half a file
					err = os.WriteFile(file, []byte("half"), 0o644)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			tt.next(t, at, root)
			serves(t, at)
		})
	}
}

// TestVerifyChunks damages each kind of chunk. Verify names the file.
func TestVerifyChunks(t *testing.T) {
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0", "two@1.0.0")
	at, remote := newFolder(t)
	publishSite(t, at, root)
	for _, key := range chunksAt(t, at) {
		file := filepath.Join(remote, filepath.FromSlash(key))
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, damaged := range [][]byte{append(bytes.Clone(text[:len(text)-1]), text[len(text)-1]^1), nil} {
			err := os.Remove(file)
			if damaged != nil && err == nil {
				err = os.WriteFile(file, damaged, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			report, err := publish.Verify(t.Context(), at)
			if err != nil || len(report.Problems) != 1 || !strings.Contains(report.Problems[0], key) {
				t.Errorf("%s: %+v, %v", key, report, err)
			}
			_ = os.Remove(file)
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	serves(t, at)
}

// TestPruneChunks checks that a prune keeps the chunks of the generations that it keeps, and no
// others, and that it does not remove young ones.
func TestPruneChunks(t *testing.T) {
	at, remote := newFolder(t)
	root := t.TempDir()
	var all []site.Current
	for _, name := range []string{"a", "b", "c"} {
		setMany(t, root, name)
		publishSite(t, at, root)
		all = append(all, currentOf(t, remote))
	}
	before := chunksAt(t, at)
	if _, err := publish.Prune(t.Context(), at, time.Hour, publish.Options{}); err != nil {
		t.Fatal(err)
	}
	if got := chunksAt(t, at); !slices.Equal(got, before) {
		t.Errorf("chunks younger than an hour were removed: %d of %d are left", len(got), len(before))
	}
	want := chunksOf(t, remote, all[1:]...)
	if _, err := publish.Prune(t.Context(), at, 0, publish.Options{}); err != nil {
		t.Fatal(err)
	}
	if got := chunksAt(t, at); !slices.Equal(got, want) || len(got) == len(before) {
		t.Errorf("%d files of chunks, then %d, want %d", len(before), len(got), len(want))
	}
	if _, err := publish.Rollback(t.Context(), at, workspace(t), decision.Author{}, 0, publish.Options{}); err != nil {
		t.Error(err)
	}
	serves(t, at)
}

// TestPruneInterrupted checks that a prune ignores an earlier generation that lacks chunks.
func TestPruneInterrupted(t *testing.T) {
	at, remote := newFolder(t)
	root := t.TempDir()
	buildSite(t, root, "one@1.0.0")
	publishSite(t, at, root)
	first := slices.DeleteFunc(chunksAt(t, at), func(key string) bool { return strings.HasSuffix(key, ".idx") })
	buildSite(t, root, "two@1.0.0")
	publishSite(t, at, root)
	if err := os.Remove(filepath.Join(remote, filepath.FromSlash(first[0]))); err != nil {
		t.Fatal(err)
	}
	if _, err := publish.Prune(t.Context(), at, 0, publish.Options{}); err != nil {
		t.Error(err)
	}
	wantServed(t, at, "acme.two@1.0.0")
}

// TestRollbackWithoutChunks checks that a rollback changes nothing if the target has lost a chunk
// of the earlier generation.
func TestRollbackWithoutChunks(t *testing.T) {
	before, after := t.TempDir(), t.TempDir()
	setMany(t, before)
	setMany(t, after, "new")
	for _, suffix := range []string{".idx", ".jsonl.zst"} {
		at, remote := newFolder(t)
		publishSite(t, at, before)
		publishSite(t, at, after)
		lost := ""
		for _, key := range chunksOf(t, before, currentOf(t, before)) {
			if strings.HasSuffix(key, suffix) && !slices.Contains(chunksOf(t, after, currentOf(t, after)), key) {
				lost = key
			}
		}
		if err := os.Remove(filepath.Join(remote, filepath.FromSlash(lost))); err != nil {
			t.Fatal(err)
		}
		_, err := publish.Rollback(t.Context(), at, workspace(t), decision.Author{}, 0, publish.Options{})
		gone, isGone := errors.AsType[*publish.GoneError](err)
		if suffix == ".idx" && (err == nil || !strings.Contains(err.Error(), "1 of its objects are missing")) ||
			suffix != ".idx" && (!isGone || len(gone.Kept) > 0) {
			t.Errorf("without %s: %v", lost, err)
		}
		if got := serves(t, at); !strings.Contains(got, "acme.new@1.0.0") {
			t.Error("another generation is current")
		}
	}
}

// TestPurgeChunks checks that no chunk with a purged extension is left, not even one that no
// generation lists, and that the chunks of generations that stay are.
func TestPurgeChunks(t *testing.T) {
	at, remote := newFolder(t)
	root := t.TempDir()
	setMany(t, root)
	publishSite(t, at, root)
	without := currentOf(t, remote)
	setMany(t, root, "secret")
	publishSite(t, at, root)
	stray := catalog.ChunkDir + "00/" + strings.Repeat("00", 32) + ".idx"
	if err := at.Put(t.Context(), target.Bytes(stray, "application/octet-stream", target.Immutable, []byte("acme.secret"))); err != nil {
		t.Fatal(err)
	}
	subjects := decide(t, at, decision.Removed, "acme.secret")
	if _, err := publish.Purge(t.Context(), at, subjects, publish.Options{}); err != nil {
		t.Fatal(err)
	}
	want := chunksOf(t, remote, without, currentOf(t, remote))
	if got := chunksAt(t, at); !slices.Equal(got, want) {
		t.Errorf("%d files of chunks, want %d", len(got), len(want))
	}
	serves(t, at)
	if _, err := publish.Rollback(t.Context(), at, workspace(t), decision.Author{}, 1, publish.Options{}); err != nil {
		t.Error(err)
	}
	serves(t, at)
}

// TestPullChunks checks that a pull downloads only the chunks that have changed, each once, and
// that it continues after an interruption.
func TestPullChunks(t *testing.T) {
	for _, indexOnly := range []bool{false, true} {
		root := t.TempDir()
		setMany(t, root)
		at, remote := newFolder(t)
		publishSite(t, at, root)
		dir, err := site.Lock(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		pull := func(at target.Target) (chunks []string, err error) {
			g := newRequests(at)
			_, err = publish.Pull(t.Context(), g, dir, indexOnly, publish.Options{Jobs: 1})
			for _, key := range g.gets.keys {
				if isChunk(key) {
					chunks = append(chunks, key)
				}
			}
			slices.Sort(chunks)
			return chunks, err
		}
		lost := chunksAt(t, at)
		lost = slices.DeleteFunc(lost, func(key string) bool { return !strings.HasSuffix(key, ".idx") })
		file := filepath.Join(remote, filepath.FromSlash(lost[len(lost)-1]))
		if err := os.Rename(file, file+".away"); err != nil {
			t.Fatal(err)
		}
		first, err := pull(at)
		if !errors.Is(err, target.ErrNotExist) {
			t.Fatalf("without a chunk: %v", err)
		}
		if err := os.Rename(file+".away", file); err != nil {
			t.Fatal(err)
		}
		rest, err := pull(at)
		if err != nil {
			t.Fatal(err)
		}
		twice := slices.DeleteFunc(slices.Clone(rest), func(key string) bool { return !slices.Contains(first, key) })
		if len(first) < len(lost)/2 || len(twice) > 2 { // one was missing, and one was on its way
			t.Errorf("first %d, then %d files of chunks, and again %q", len(first), len(rest), twice)
		}
		setMany(t, root, "new")
		publishSite(t, at, root)
		if news, err := pull(at); err != nil || len(news) == 0 || len(news) > 4 || len(slices.Compact(news)) != len(news) {
			t.Errorf("one more: %q, %v", news, err)
		}
		if want := chunksOf(t, remote, currentOf(t, remote)); !slices.Equal(want, chunksOf(t, dir.Root, currentOf(t, dir.Root))) {
			t.Error("other chunks than at the target")
		}
		if report, err := render.Verify(t.Context(), dir.Root); !indexOnly && (err != nil || len(report.Problems) > 0) {
			t.Errorf("%+v, %v", report, err)
		}
	}
}

// TestPullLostChunks pulls into a site that has lost its chunks, although it has the generation of
// the target already: somebody has restored a backup without them.
func TestPullLostChunks(t *testing.T) {
	root := t.TempDir()
	setMany(t, root)
	at, remote := newFolder(t)
	publishSite(t, at, root)
	for _, indexOnly := range []bool{false, true} {
		dir, err := site.Lock(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		for i := range 3 {
			if _, err := publish.Pull(t.Context(), at, dir, indexOnly, publish.Options{}); err != nil {
				t.Fatal(err)
			}
			if want := chunksOf(t, remote, currentOf(t, remote)); !slices.Equal(want, chunksIn(t, dir.Root)) || !dir.HasGeneration(currentOf(t, remote).Generation) {
				t.Fatalf("index only: %t: pull %d: the site does not have the chunks of the target", indexOnly, i+1)
			}
			switch i {
			case 0:
				err = os.RemoveAll(filepath.Join(dir.Root, "index", "chunks"))
			case 1:
				err = os.Truncate(filepath.Join(dir.Root, filepath.FromSlash(chunksIn(t, dir.Root)[0])), 7)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// chunksIn returns the paths of the files of chunks in a folder, sorted.
func chunksIn(t *testing.T, root string) (paths []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), "index/chunks", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	slices.Sort(paths)
	return paths
}

// TestOtherTableOfChunks pulls a generation whose index has other chunks than its catalogue names.
// It does not become current.
func TestOtherTableOfChunks(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	setMany(t, root)
	setMany(t, other, "new")
	c, err := site.ReadCatalog(root, currentOf(t, root))
	if err != nil {
		t.Fatal(err)
	}
	head, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(currentOf(t, root).CatalogPath())))
	if err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(other, filepath.FromSlash(currentOf(t, other).IndexPath())))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := site.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := dir.MarkDirty(); err != nil {
		t.Fatal(err)
	}
	next, err := dir.WriteGeneration(head, func(w io.Writer) error { _, err := w.Write(index); return err }, nil)
	if err == nil {
		err = render.Commit(t.Context(), dir, site.Generation{Current: next, Catalog: c}, site.Previous{Current: currentOf(t, root)}, site.Commit{Command: "test"})
	}
	if err != nil {
		t.Fatal(err)
	}
	at, err := dirtarget.New(root)
	if err != nil {
		t.Fatal(err)
	}
	to, err := site.Lock(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	for _, indexOnly := range []bool{true, false} {
		if _, err := publish.Pull(t.Context(), at, to, indexOnly, publish.Options{}); err == nil || !strings.Contains(err.Error(), "the index has chunk") {
			t.Errorf("index only: %t: %v", indexOnly, err)
		}
		if got := currentOf(t, to.Root); !got.IsZero() {
			t.Errorf("index only: %t: generation %s is current", indexOnly, got.Generation)
		}
	}
}

// A renewer is a target at which a file is written again just after all files were listed.
type renewer struct {
	target.Target
	file string
}

func (r *renewer) List(ctx context.Context, prefix string) iter.Seq2[target.Entry, error] {
	return func(yield func(target.Entry, error) bool) {
		r.Target.List(ctx, prefix)(yield)
		if prefix == gallery.LatestDir { // Prune lists this prefix last
			later := time.Now().Add(time.Hour)
			os.Chtimes(r.file, later, later)
		}
	}
}

// TestPruneDuringPublish prunes while another process sends a chunk again that no generation has.
// The chunk stays, because the generation that is being sent needs it.
func TestPruneDuringPublish(t *testing.T) {
	root := t.TempDir()
	at, remote := newFolder(t)
	setMany(t, root)
	publishSite(t, at, root)
	first := currentOf(t, remote)
	setMany(t, root, "new")
	publishSite(t, at, root)
	old := slices.DeleteFunc(chunksOf(t, remote, first), func(key string) bool {
		return slices.Contains(chunksOf(t, remote, currentOf(t, remote)), key)
	})
	file := filepath.Join(remote, filepath.FromSlash(old[0]))
	removed, err := publish.Prune(t.Context(), &renewer{at, file}, 0, publish.Options{Commit: site.Commit{Keep: 1}})
	if _, lost := os.Stat(file); err != nil || lost != nil || slices.Contains(removed, old[0]) || !slices.Contains(removed, old[1]) {
		t.Errorf("%s: %v; removed %q, %v; want all of %q but the first", old[0], lost, removed, err, old)
	}
}
