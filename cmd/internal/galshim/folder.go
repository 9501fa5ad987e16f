package galshim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/usage"
	"galbuild/index"
	"galbuild/index/segment"
)

// A folder is a site on disk. Each poll opens the folder again, so that a folder that has replaced
// it is detected, even if it has the same generation.
type folder struct{ path string }

// close implements [source].
func (folder) close() {}

// next implements [source].
func (f folder) next(ctx context.Context, old *generation, t *trust) (*generation, error) {
	dir, err := filepath.EvalSymlinks(f.path)
	if err != nil {
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			err = failed.Err
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w%s", err, usage.SimilarFiles(f.path))
		}
		return nil, hint.Add(fmt.Errorf("open site %s: %w", f.path, err), "build one with: galbuild SOURCE… -o %s", f.path)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open site: %w", err)
	}
	g, err := openFolder(ctx, root, old, t)
	if g == nil {
		return nil, errors.Join(err, root.Close())
	}
	return g, nil
}

// explainFormat adds a hint to the error of a site of another format.
func explainFormat(err error) error {
	if errors.Is(err, catalog.ErrFormat) {
		return hint.Add(err, "build it again from its packages into an empty folder, with: galbuild SOURCE… -o FOLDER")
	}
	return err
}

// openFolder returns the current generation of the site in root, or nil if it is old. The
// generation closes root when it is closed.
func openFolder(ctx context.Context, root *os.Root, old *generation, t *trust) (*generation, error) {
	text, err := readIn(root, site.CurrentPath, maxCurrent)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hint.Add(fmt.Errorf("open site %s: it has no %s", root.Name(), site.CurrentPath), "build it with: galbuild SOURCE… -o %s", root.Name())
	}
	if err != nil {
		return nil, fmt.Errorf("open site %s: %w", root.Name(), err)
	}
	current, named, err := site.ParseCurrent(text)
	if err != nil {
		return nil, explainFormat(fmt.Errorf("open site %s: %w", root.Name(), err))
	}
	head, err := t.check(func(path string, limit int64) ([]byte, error) { return readIn(root, path, limit) }, current, named)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(root.Name(), filepath.FromSlash(current.IndexPath()))
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("open generation %s: %w", current.Generation, err)
	}
	if old := sound(old); old != nil && old.Current == current && sameFolder(root, old.blobs.(blobFolder).root) && old.unchanged(info) {
		return nil, t.accept(head)
	}
	if err := verifyIndex(file, current.Index); err != nil {
		return nil, fmt.Errorf("open generation %s: %w", current.Generation, err)
	}
	chunks := filepath.Join(root.Name(), filepath.FromSlash(catalog.ChunkDir))
	ix, err := index.Open(file, index.ChunksIn(chunks))
	if err != nil {
		return nil, fmt.Errorf("open generation %s: %w", current.Generation, err)
	}
	g := newGeneration(current, ix, blobFolder{root})
	g.opened = openedFile{info}
	if g.files, err = statChunks(chunks, ix.Chunks()); err == nil {
		err = g.openNew(ctx, old)
	}
	if err != nil {
		old.damagedBy(err)
		return nil, errors.Join(fmt.Errorf("open generation %s: %w", current.Generation, err), ix.Close())
	}
	if err := t.accept(head); err != nil {
		return nil, errors.Join(err, ix.Close())
	}
	return g, nil
}

// unchanged reports whether the files of the index and its chunks are as they were when the
// generation was opened.
func (g *generation) unchanged(now os.FileInfo) bool {
	folder := filepath.Join(g.blobs.(blobFolder).root.Name(), filepath.FromSlash(catalog.ChunkDir))
	chunks, err := statChunks(folder, g.ix.Chunks())
	return err == nil && g.opened.unchanged(now) && slices.EqualFunc(g.files, chunks, func(was, is openedFile) bool { return was.unchanged(is.FileInfo) })
}

// statChunks returns the files of chunks in a folder. The error names a file that is missing, or
// whose size is wrong.
func statChunks(folder string, chunks []index.Chunk) ([]openedFile, error) {
	all := make([]openedFile, len(chunks))
	for i := range chunks {
		info, err := os.Stat(filepath.Join(folder, filepath.FromSlash(chunks[i].Name())))
		if err == nil && info.Size() != chunks[i].Size {
			err = fmt.Errorf("%w: %d bytes, want %d", segment.ErrCorrupt, info.Size(), chunks[i].Size)
		}
		if err != nil {
			return nil, &index.ChunkError{Chunk: chunks[i], Err: err}
		}
		all[i] = openedFile{info}
	}
	return all, nil
}

// damagedBy marks the generation as damaged if it has the chunk that err is about, and the chunk is
// damaged and not only missing.
func (g *generation) damagedBy(err error) {
	failed, ok := errors.AsType[*index.ChunkError](err)
	if !ok || g == nil || errors.Is(err, fs.ErrNotExist) {
		return
	}
	if slices.ContainsFunc(g.ix.Chunks(), func(c index.Chunk) bool { return c.SHA256 == failed.Chunk.SHA256 }) {
		g.suspect.Store(&failed.Chunk.SHA256)
		g.damaged.Store(true)
	}
}

// readIn returns the first bytes of a file of a site.
func readIn(root *os.Root, path string, limit int64) ([]byte, error) {
	f, err := regularfile.OpenIn(root, filepath.FromSlash(path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// openedFile describes the file of an index or a chunk when it was opened.
type openedFile struct{ os.FileInfo }

// unchanged reports whether it is still the same file and was not written to. Reading a
// mapped chunk that was overwritten does not fail, but gives wrong data.
func (f openedFile) unchanged(now os.FileInfo) bool {
	return os.SameFile(f.FileInfo, now) && f.Size() == now.Size() && f.ModTime().Equal(now.ModTime())
}

func sameFolder(a, b *os.Root) bool {
	x, err := a.Stat(".")
	if err != nil {
		return false
	}
	y, err := b.Stat(".")
	return err == nil && os.SameFile(x, y)
}

// A blobFolder serves the blobs of a site on disk. Links in it cannot lead out of it.
type blobFolder struct{ root *os.Root }

func (b blobFolder) serve(w http.ResponseWriter, r *http.Request, f index.File) error {
	file, err := regularfile.OpenIn(b.root, filepath.FromSlash(blob.Ref(f.SHA256).Path()))
	if errors.Is(err, fs.ErrNotExist) && b.indexOnly() {
		return notFound("%s: this server has only the index of the gallery, and serves no files", r.URL.Path)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != f.Size {
		return fmt.Errorf("%s: %d bytes long, want %d as in the index", file.Name(), info.Size(), f.Size)
	}
	if _, plain := w.(*reply); plain { // the file is not compressed, and is sent with its length
		http.ServeContent(w, r, "", time.Time{}, file)
		return nil
	}
	content := &wholeFile{ReadSeeker: file}
	http.ServeContent(w, r, "", time.Time{}, content)
	if content.short.Load() {
		panic(cutOff{fmt.Errorf("%s: cut short while it was sent", file.Name())})
	}
	return nil
}

// indexOnly reports whether the site has no blobs, as after galbuild pull --index-only.
func (b blobFolder) indexOnly() bool {
	_, err := b.root.Stat("blobs")
	return errors.Is(err, fs.ErrNotExist)
}

// wholeFile fails if a file is shorter than it was when it was opened. A compressed response
// has no length, so a response with a part of the file would look complete to the client.
type wholeFile struct {
	io.ReadSeeker
	short atomic.Bool
}

// Read implements [io.Reader]. A caller that knows the length never reads the end of the
// file, so the end means that bytes are missing.
func (f *wholeFile) Read(b []byte) (int, error) {
	n, err := f.ReadSeeker.Read(b)
	if err == io.EOF {
		f.short.Store(true)
	}
	return n, err
}

// Close implements [io.Closer].
func (b blobFolder) Close() error { return b.root.Close() }
