package galshim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"galbuild/index"
)

// manyChunks is a sample whose index has several chunks.
var manyChunks = sample{more: 300}

// chunkFiles returns the files of the chunks of a generation in a folder, in the order of their
// numbers.
func chunkFiles(t testing.TB, g *generation, folder string) (files []string) {
	t.Helper()
	for _, c := range g.ix.Chunks() {
		files = append(files, filepath.Join(folder, filepath.FromSlash(c.Name())))
	}
	if len(files) == 0 {
		t.Fatal("the index has no chunks")
	}
	return files
}

// isChunk reports whether a request to a published site is for a chunk of the index.
func isChunk(r *http.Request) bool { return strings.Contains(r.URL.Path, "/index/chunks/") }

// isOf reports whether a request to a published site is for this chunk.
func isOf(r *http.Request, c index.Chunk) bool { return strings.HasSuffix(r.URL.Path, c.Name()) }

// chunkOf returns the chunk with an extension.
func (g *testGallery) chunkOf(t testing.TB, id string) (number int, c index.Chunk) {
	t.Helper()
	ix := g.live.now.Load().ix
	hit, ok := ix.Find(id)
	if !ok {
		t.Fatalf("no extension %s", id)
	}
	number = ix.ChunkOf(hit)
	return number, ix.Chunks()[number]
}

// inOtherChunk returns the id of an extension that is in another chunk than the given one.
func (g *testGallery) inOtherChunk(t testing.TB, id string) string {
	t.Helper()
	number, _ := g.chunkOf(t, id)
	for i := range manyChunks.more {
		other := fmt.Sprintf("many.n%d", i)
		if n, _ := g.chunkOf(t, other); n != number {
			return other
		}
	}
	t.Fatal("the index has only one chunk")
	return ""
}

// find sends a query for an id, and returns the status and the names of the extensions found.
func (g *testGallery) find(t *testing.T, id string) (status int, names string) {
	t.Helper()
	resp := g.request("POST", "/api/extensionquery", byName(id))
	body := text(t, resp)
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode, ""
	}
	return resp.StatusCode, strings.TrimSpace(ids(t, body))
}

// wantFound checks that a query finds an extension.
func (g *testGallery) wantFound(t *testing.T, id string) {
	t.Helper()
	if status, names := g.find(t, id); status != http.StatusOK || names != strings.Split(id, ".")[1] {
		t.Errorf("%s: status %d, found %q", id, status, names)
	}
}

// logTo makes the gallery log into the buffer that is returned.
func (g *testGallery) logTo() *lockedBuffer {
	lines := new(lockedBuffer)
	g.live.log = slog.New(slog.NewTextHandler(lines, nil))
	return lines
}

// follow runs live.follow until stop is called or the test ends.
func (g *testGallery) follow(t testing.TB) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() { g.live.follow(ctx, 0, nil) })
	stop = func() { cancel(); following.Wait() }
	t.Cleanup(stop)
	return stop
}

// await waits until a condition is true.
func await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not after a minute: %s", what)
		}
	}
}

// flipSameTime replaces a file by one with another bit and the same modification time.
func flipSameTime(t *testing.T, file string) {
	t.Helper()
	rewriteFlipped(t, file, func(text []byte) error { overwrite(t, file, string(text)); return nil })
}

// flipUnnoticed changes a bit of a file in place, and restores its modification time.
func flipUnnoticed(t *testing.T, file string) {
	t.Helper()
	rewriteFlipped(t, file, func(text []byte) error {
		return errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, text, 0o600))
	})
}

// rewriteFlipped writes a file again with another bit, and restores its modification time.
func rewriteFlipped(t *testing.T, file string, write func(text []byte) error) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := errors.Join(write(b), os.Chtimes(file, info.ModTime(), info.ModTime())); err != nil {
		t.Fatal(err)
	}
}

// TestStartWithoutChunk starts with a folder that lacks a chunk, or has a shorter one. The error
// names it.
func TestStartWithoutChunk(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, file string){
		"missing": func(t *testing.T, file string) { os.Remove(file) },
		"shorter": halve,
	} {
		dir := t.TempDir()
		manyChunks.write(t, dir)
		g := open(t, dir, folder{dir})
		file := chunkFiles(t, g.live.now.Load(), filepath.Join(dir, "index/chunks"))[1]
		spoil(t, file)
		l := newLive(folder{dir}, nil, slog.New(slog.DiscardHandler))
		if err := l.poll(t.Context()); err == nil || !strings.Contains(err.Error(), filepath.Base(file)) {
			t.Errorf("%s: %v, want an error that names %s", name, err, filepath.Base(file))
		}
	}
}

// TestDamagedChunk serves a folder in which one chunk is damaged. galshim starts, because it reads
// chunks later. Requests that need the chunk fail, others do not, and the damage is logged once.
func TestDamagedChunk(t *testing.T) {
	dir := t.TempDir()
	manyChunks.write(t, dir)
	const id = "many.n7"
	before := open(t, dir, folder{dir})
	number, chunk := before.chunkOf(t, id)
	file := chunkFiles(t, before.live.now.Load(), filepath.Join(dir, "index/chunks"))[number]
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipSameTime(t, file)

	g := open(t, dir, folder{dir})
	lines := g.logTo()
	for range 3 {
		if status, _ := g.find(t, id); status != http.StatusInternalServerError {
			t.Errorf("status %d, want 500", status)
		}
		g.wantFound(t, g.inOtherChunk(t, id))
		if resp := g.request("GET", "/api/vscode/many/n7/latest", ""); resp.StatusCode != http.StatusInternalServerError {
			t.Errorf("latest: status %d, want 500", resp.StatusCode)
		}
		g.live.report(g.live.poll(t.Context()))
		if resp := g.request("GET", "/healthz", ""); resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("health: %d", resp.StatusCode)
		}
	}
	if n := strings.Count(lines.String(), "\n"); n != 2 || strings.Count(lines.String(), chunk.Name()) != 2 {
		t.Errorf("want two lines with %s: the damage, and that it is still there; got:\n%s", chunk.Name(), lines)
	}
	overwrite(t, file, string(whole))
	if err := g.live.poll(t.Context()); err != nil {
		t.Error(err)
	}
	g.wantFound(t, id)
	if resp := g.request("GET", "/healthz", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("health: %d", resp.StatusCode)
	}
}

// TestDamageFoundInBackground finds a damaged chunk that no request needs.
func TestDamageFoundInBackground(t *testing.T) {
	dir := t.TempDir()
	manyChunks.write(t, dir)
	before := open(t, dir, folder{dir})
	files := chunkFiles(t, before.live.now.Load(), filepath.Join(dir, "index/chunks"))
	file := files[len(files)-1]
	flipSameTime(t, file)
	g := open(t, dir, folder{dir})
	lines := g.logTo()
	stop := g.follow(t)
	await(t, "the damage is logged", func() bool { return strings.Contains(lines.String(), "the index is damaged") })
	stop()
	if !strings.Contains(lines.String(), filepath.Base(file)) {
		t.Errorf("the log does not name %s:\n%s", filepath.Base(file), lines)
	}
}

// TestChunksOfFolderAreLoaded checks that all chunks are opened in the background, and that a new
// generation with one more extension needs no second check of the others.
func TestChunksOfFolderAreLoaded(t *testing.T) {
	dir := t.TempDir()
	manyChunks.write(t, dir)
	g := open(t, dir, folder{dir})
	if n := len(g.live.now.Load().unchecked()); n < 5 {
		t.Fatalf("%d chunks are to be checked, want several", n)
	}
	stop := g.follow(t)
	await(t, "all chunks are checked", func() bool { return len(g.live.now.Load().unchecked()) == 0 })
	stop()
	old := g.live.now.Load()
	if err := g.live.poll(t.Context()); err != nil || g.live.now.Load() != old {
		t.Errorf("the generation has not changed, but was opened again: %v", err)
	}
	_, added := g.chunkOf(t, "many.n299")
	for i, file := range chunkFiles(t, old, filepath.Join(dir, "index/chunks")) {
		if old.ix.Chunks()[i].First < added.First {
			flipUnnoticed(t, file) // opening it again would fail
		}
	}
	sample{more: manyChunks.more + 1}.write(t, dir)
	if err := g.live.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := g.live.now.Load(); now == old || len(now.unchecked()) != 0 {
		t.Errorf("%d chunks are to be checked again", len(now.unchecked()))
	}
}

// TestNewChunkRefused damages a chunk that only the newer generation has. The old generation stays.
func TestNewChunkRefused(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, file string){
		"missing": func(_ *testing.T, file string) { os.Remove(file) },
		"shorter": halve,
		"flipped": flipSameTime,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			manyChunks.write(t, dir)
			g := open(t, dir, folder{dir})
			lines := g.logTo()
			folderOfChunks := filepath.Join(dir, "index/chunks")
			old := chunkFiles(t, g.live.now.Load(), folderOfChunks)
			next := sample{more: manyChunks.more + 1}
			next.write(t, dir)
			fresh := ""
			for _, file := range chunkFiles(t, open(t, dir, folder{dir}).live.now.Load(), folderOfChunks) {
				if !slices.Contains(old, file) {
					fresh = file
				}
			}
			whole, err := os.ReadFile(fresh)
			if err != nil {
				t.Fatal(err)
			}
			spoil(t, fresh)
			for range 3 {
				g.live.report(g.live.poll(t.Context()))
			}
			if n := g.extensions(t); n != manyChunks.more+1 {
				t.Errorf("serves %d extensions, want those from before", n)
			}
			if got := lines.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "keeping the old generation") || !strings.Contains(got, filepath.Base(fresh)) {
				t.Errorf("want one line that names %s, got:\n%s", filepath.Base(fresh), got)
			}
			if resp := g.request("GET", "/healthz", ""); resp.StatusCode != http.StatusOK {
				t.Errorf("health: %d, but the served generation is sound", resp.StatusCode)
			}
			overwrite(t, fresh, string(whole))
			if err := g.live.poll(t.Context()); err != nil || g.extensions(t) != next.more+1 {
				t.Errorf("poll: %v, %d extensions", err, g.extensions(t))
			}
		})
	}
}

// TestOverwrittenChunk writes to a chunk that is being served. Reading it does not fail, so that
// must be noticed.
func TestOverwrittenChunk(t *testing.T) {
	dir := t.TempDir()
	manyChunks.write(t, dir)
	g := open(t, dir, folder{dir})
	const id = "many.n7"
	number, chunk := g.chunkOf(t, id)
	file := chunkFiles(t, g.live.now.Load(), filepath.Join(dir, "index/chunks"))[number]
	g.wantFound(t, id)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Repeat([]byte{7}, len(whole)), 0o600); err != nil { // in place
		t.Fatal(err)
	}
	age(t, file, time.Hour)
	if err := g.live.poll(t.Context()); err == nil || !strings.Contains(err.Error(), chunk.Name()) {
		t.Errorf("poll: %v, want an error that names %s", err, chunk.Name())
	}
	if resp := g.request("GET", "/healthz", ""); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("health: %d", resp.StatusCode)
	}
	overwrite(t, file, string(whole))
	if err := g.live.poll(t.Context()); err != nil {
		t.Error(err)
	}
	g.wantFound(t, id)
	if resp := g.request("GET", "/healthz", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("health: %d", resp.StatusCode)
	}
}
