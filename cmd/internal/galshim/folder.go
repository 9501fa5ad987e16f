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
	"sync/atomic"
	"time"

	"galbuild/build/blob"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/usage"
	"galbuild/index"
)

// A folder is a site on disk. Each poll opens the folder again, so that a folder that has replaced
// it is detected, even if it has the same generation.
type folder struct{ path string }

func (f folder) next(_ context.Context, old *generation) (*generation, error) {
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
	g, err := openFolder(root, old)
	if g == nil {
		return nil, errors.Join(err, root.Close())
	}
	return g, nil
}

// openFolder returns the current generation of the site in root, or nil if it is old. The
// generation closes root when it is closed.
func openFolder(root *os.Root, old *generation) (*generation, error) {
	text, err := readCurrentIn(root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hint.Add(fmt.Errorf("open site %s: it has no %s", root.Name(), site.CurrentPath), "build it with: galbuild SOURCE… -o %s", root.Name())
	}
	if err != nil {
		return nil, fmt.Errorf("open site %s: %w", root.Name(), err)
	}
	current, _, err := site.ParseCurrent(text)
	if err != nil {
		return nil, fmt.Errorf("open site %s: %w", root.Name(), err)
	}
	file := filepath.Join(root.Name(), filepath.FromSlash(current.IndexPath()))
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("open generation %s: %w", current.Generation, err)
	}
	if old := sound(old); old != nil && old.Current == current && sameFolder(root, old.blobs.(blobFolder).root) && old.opened.unchanged(info) {
		return nil, nil
	}
	ix, err := index.Open(file)
	if err != nil {
		if old != nil && os.SameFile(old.opened.FileInfo, info) {
			old.damaged.Store(true) // the mapped file was overwritten
		}
		return nil, fmt.Errorf("open generation %s: %w", current.Generation, err)
	}
	g := newGeneration(current, ix, blobFolder{root})
	g.opened = openedFile{info}
	return g, nil
}

// readCurrentIn returns the first maxCurrent bytes of a site's CURRENT.
func readCurrentIn(root *os.Root) ([]byte, error) {
	f, err := regularfile.OpenIn(root, filepath.FromSlash(site.CurrentPath))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxCurrent))
}

// openedFile describes the file of an index when it was opened.
type openedFile struct{ os.FileInfo }

// unchanged reports whether the index is still the same file and was not written to. Reading a
// mapped file that was overwritten does not fail, but gives wrong data.
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
