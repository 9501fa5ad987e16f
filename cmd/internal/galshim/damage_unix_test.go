//go:build unix

package galshim

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/index"
	"galbuild/index/query"
	"galbuild/render/gallery"
)

// TestChangedIndex truncates the index of a running server, as cp -rf does before it rewrites a
// file, or overwrites it in place. All requests are answered as before. The file is opened again
// when it is complete, even if the generation is the same.
func TestChangedIndex(t *testing.T) {
	for name, damage := range map[string]func(file string, whole []byte) error{
		"truncated":   func(file string, _ []byte) error { return os.Truncate(file, 0) },
		"overwritten": func(file string, whole []byte) error { return os.WriteFile(file, make([]byte, len(whole)), 0o600) },
		"removed":     func(file string, _ []byte) error { return os.Remove(file) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c := sample{more: 300, full: true}.write(t, dir)
			file := filepath.Join(dir, filepath.FromSlash(c.IndexPath()))
			whole, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			g := open(t, dir, folder{dir})
			old := g.live.now.Load()
			if err := errors.Join(os.Chmod(file, 0o600), damage(file, whole)); err != nil {
				t.Fatal(err)
			}
			if name != "removed" {
				age(t, file, time.Hour)
			}
			for range 2 {
				if n := g.extensions(t); n != 301 {
					t.Errorf("%d extensions, want 301", n)
				}
				g.wantFound(t, "many.n7")
				err := g.live.poll(t.Context())
				if err == nil || !strings.Contains(err.Error(), filepath.FromSlash(c.IndexPath())) {
					t.Errorf("poll: %v, want an error that names %s", err, c.IndexPath())
				}
				g.live.report(err)
				if resp := g.request("GET", "/healthz", ""); resp.StatusCode != http.StatusOK || !strings.Contains(text(t, resp), `"stale":true`) {
					t.Errorf("health: %d, want it stale", resp.StatusCode)
				}
			}
			if err := os.WriteFile(file, whole, 0o600); err != nil { // in place
				t.Fatal(err)
			}
			if err := g.live.poll(t.Context()); err != nil || g.live.now.Load() == old {
				t.Errorf("the file was not opened again: %v", err)
			}
		})
	}
}

// TestTruncatedChunk truncates a chunk that is being served. Requests that need it fail, others do
// not, and the log names it.
func TestTruncatedChunk(t *testing.T) {
	dir := t.TempDir()
	sample{more: 300, full: true}.write(t, dir)
	g := open(t, dir, folder{dir})
	lines := g.logTo()
	const id = "many.n7"
	number, chunk := g.chunkOf(t, id)
	file := chunkFiles(t, g.live.now.Load(), filepath.Join(dir, "index/chunks"))[number]
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g.wantFound(t, id)
	if err := errors.Join(os.Chmod(file, 0o600), os.Truncate(file, 0)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if status, _ := g.find(t, id); status != http.StatusInternalServerError {
			t.Errorf("status %d, want 500", status)
		}
		g.wantFound(t, g.inOtherChunk(t, id))
		if err := g.live.poll(t.Context()); err == nil || !strings.Contains(err.Error(), chunk.Name()) {
			t.Errorf("poll: %v, want an error that names %s", err, chunk.Name())
		}
	}
	if got := lines.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, chunk.Name()) {
		t.Errorf("want one line that names %s, got:\n%s", chunk.Name(), got)
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil { // in place
		t.Fatal(err)
	}
	if err := g.live.poll(t.Context()); err != nil {
		t.Error(err)
	}
	g.wantFound(t, id)
}

// TestDamageIsDetected checks that a damaged index is opened again at once, without polling.
func TestDamageIsDetected(t *testing.T) {
	g := openSample(t)
	g.live.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); g.live.follow(ctx, 0, nil) }()
	old := g.live.now.Load()
	g.live.damaged(old, io.ErrUnexpectedEOF)
	for g.live.now.Load() == old {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
}

// TestDamageReleasesSlots damages all chunks between searching and writing. The request that
// compresses the response must end its turn, or no heavy query would get one again.
func TestDamageReleasesSlots(t *testing.T) {
	dir := t.TempDir()
	sample{more: 100, full: true}.write(t, dir)
	g := open(t, dir, folder{dir})
	files := chunkFiles(t, g.live.now.Load(), filepath.Join(dir, "index/chunks"))
	r := httptest.NewRequest("POST", "/api/extensionquery", nil)
	w := newReply(httptest.NewRecorder(), r, time.Minute)
	q, err := query.Parse([]byte(queryBody("", 100, 0)))
	if err != nil {
		t.Fatal(err)
	}
	found, err := gallery.Respond(index.NewWork(t.Context()), g.live.now.Load().ix, q)
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, g, files, func() {
		g.compressJSON(w, r, found, gallery.NewAddress("http://"+strings.Repeat("long.", 20)+"example"))
	})
}

// wantFault truncates files of chunks and encodes a response. That must end with a fault, and must
// release what it has taken.
func wantFault(t *testing.T, g *testGallery, files []string, encode func()) {
	t.Helper()
	for _, file := range files {
		if err := errors.Join(os.Chmod(file, 0o600), os.Truncate(file, 0)); err != nil {
			t.Fatal(err)
		}
	}
	func() {
		defer func() {
			if p := recover(); index.FaultError(p) == nil {
				t.Errorf("encoding ended with %v, want a fault", p)
			}
		}()
		index.PanicOnFault()
		encode()
	}()
	if n := len(g.turns.heavy) + len(g.turns.light); n != 0 {
		t.Errorf("%d turns have not ended", n)
	}
	if n := g.buffers.budget.used.Load(); n != 0 {
		t.Errorf("%d bytes are still reserved", n)
	}
}

// TestDamageWhileCaching truncates the chunks between searching and encoding for a cache. The
// request must release what it has taken, or nothing would be encoded again.
func TestDamageWhileCaching(t *testing.T) {
	t.Run("gzip", func(t *testing.T) { damageWhileCaching(t, func(g *testGallery) *form { return &g.main.gzip }) })
	t.Run("json", func(t *testing.T) { damageWhileCaching(t, func(g *testGallery) *form { return &g.main.json }) })
}

func damageWhileCaching(t *testing.T, formOf func(*testGallery) *form) {
	g := openCaching(t, sample{more: 100, full: true})
	q, err := query.Parse([]byte(queryBody("", 50, 0)))
	if err != nil {
		t.Fatal(err)
	}
	now, at := g.live.now.Load(), g.main.address("http://gallery.test")
	form := formOf(g)
	found, err := gallery.Respond(index.NewWork(t.Context()), now.ix, q)
	if err != nil || g.cached(form, now, found, at) != nil {
		t.Fatalf("encoded for the first request, or %v", err)
	}
	chunks, err := filepath.Glob(filepath.Join(g.dir, filepath.FromSlash(catalog.ChunkDir), "*", "*.idx"))
	if err != nil || len(chunks) == 0 {
		t.Fatalf("no chunks: %v", err)
	}
	wantFault(t, g, chunks, func() { g.cached(form, now, found, at) })
	if n := len(form.cache.Load().bodies); n != 0 {
		t.Errorf("%d entries, want none", n)
	}
	worked := false
	g.spare.do(func() { worked = true })
	if !worked {
		t.Error("nothing is encoded any more")
	}
}

// truncating is a response that truncates a file when its header is written.
type truncating struct {
	*httptest.ResponseRecorder
	file string
}

func (w truncating) WriteHeader(status int) {
	os.Truncate(w.file, 100)
	w.ResponseRecorder.WriteHeader(status)
}

// TestTruncatedBlob truncates a file while it is sent, as cp -rf does. A compressed response has no
// length by which the client could detect that, so the connection must be cut.
func TestTruncatedBlob(t *testing.T) {
	g := openSample(t)
	now := g.live.now.Load()
	f, ok, err := now.ix.File("files/acme/hello/1.2.3@web/extension/main.js")
	if !ok {
		t.Fatal("the sample has no such file: ", err)
	}
	file := filepath.Join(g.dir, filepath.FromSlash(blob.Ref(f.SHA256).Path()))
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	w := truncating{httptest.NewRecorder(), file}
	w.Header().Set("Content-Type", f.Type)
	defer func() {
		if cut, ok := recover().(cutOff); !ok || !strings.Contains(cut.Error(), "cut short") {
			t.Errorf("%d of %d bytes were sent as if they were all", w.Body.Len(), f.Size)
		}
	}()
	now.blobs.serve(w, httptest.NewRequest("GET", "/", nil), f)
}

// TestPipeInSite puts a named pipe in the place of a blob, and of CURRENT. If opening one
// waited for a writer, the test would run into the time limit of the test run.
func TestPipeInSite(t *testing.T) {
	dir := t.TempDir()
	sample{pages: map[string]string{"page.txt": "text"}}.write(t, dir)
	g := open(t, dir, folder{dir})
	sum := sha256.Sum256([]byte("text"))
	for _, path := range []string{blob.Ref(sum).Path(), site.CurrentPath} {
		file := filepath.Join(dir, filepath.FromSlash(path))
		if err := errors.Join(os.Remove(file), syscall.Mkfifo(file, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if resp := g.request("GET", "/page.txt", ""); resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("status %d, want 500", resp.StatusCode)
	}
	if err := g.live.poll(t.Context()); !errors.Is(err, regularfile.ErrKind) {
		t.Errorf("looking for a new generation: %v, want %v", err, regularfile.ErrKind)
	}
}
