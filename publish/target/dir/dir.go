// Package dir implements a target as a directory: one file for each object, with hard links
// between files of the same content. The directory may be on a network file system.
package dir

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
	"time"

	"github.com/gofrs/flock"

	"galbuild/build/atomicfile"
	"galbuild/build/regularfile"
	"galbuild/build/site"
	"galbuild/publish/target"
)

// Target is a directory. Files are written below it, and never through a symbolic link in it.
type Target struct {
	root      string
	open      func() (*writer, error) // opens writer, before the first change
	writer    *writer                 // nil before the first change
	checkSite func() error            // returns an error unless root is a site or may become one
}

// New returns the directory at path, which need not exist yet.
func New(path string) (*Target, error) {
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	t := &Target{root: root, checkSite: sync.OnceValue(func() error { return site.Check(root) })}
	t.open = sync.OnceValues(func() (w *writer, err error) {
		w, err = newWriter(root)
		t.writer = w
		return w, err
	})
	return t, nil
}

// Close releases the locks that keep builders of the site away, if the target has written to
// it. The target must not be used during or after Close.
func (t *Target) Close() error {
	if t.writer == nil {
		return nil
	}
	return t.writer.close()
}

// String implements [target.Target].
func (t *Target) String() string { return t.root }

func (t *Target) file(key string) string { return filepath.Join(t.root, filepath.FromSlash(key)) }

// Get implements [target.Target].
func (t *Target) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if inInbox(key) && isLink(t.file(key)) {
		return nil, fmt.Errorf("%s: %w", key, target.ErrNotExist)
	}
	f, err := regularfile.Open(t.file(key))
	if errors.Is(err, regularfile.ErrKind) {
		if info, err := os.Stat(t.file(key)); err == nil && info.IsDir() {
			return nil, fmt.Errorf("%s: %w", key, target.ErrNotExist)
		}
	}
	switch {
	case isMissing(err):
		return nil, fmt.Errorf("%s: %w", key, target.ErrNotExist)
	case err != nil:
		return nil, err
	case length < 0:
		length = 1<<63 - 1 - offset
	}
	return section{target.ContextReader(ctx, io.NewSectionReader(f, offset, length)), f}, nil
}

// isMissing reports whether a file does not exist. The error may also be ENOTDIR, if a parent
// of the path is a file.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || err != nil && strings.Contains(err.Error(), "not a directory")
}

// A section reads a part of a file.
type section struct {
	io.Reader
	io.Closer
}

// List implements [target.Target]. It skips the work directory of the builder, and temporary
// files that a killed process has left.
func (t *Target) List(ctx context.Context, prefix string) iter.Seq2[target.Entry, error] {
	return func(yield func(target.Entry, error) bool) {
		top := t.file(prefix[:strings.LastIndex(prefix, "/")+1])
		err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if isMissing(err) {
				return nil
			}
			if err := errors.Join(err, ctx.Err()); err != nil {
				return err
			}
			key := t.key(path)
			if d.IsDir() && key == site.WorkDir {
				return fs.SkipDir
			}
			if d.IsDir() || !strings.HasPrefix(key, prefix) || atomicfile.IsTemp(d.Name()) {
				return nil
			}
			info, err := d.Info()
			if isMissing(err) {
				return nil
			}
			if err != nil {
				return err
			}
			if !yield(target.Entry{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(target.Entry{}, err)
		}
	}
}

// RemoveTemp removes temporary files last modified before the given time, which killed
// processes left next to the final files. Earlier versions of galbuild wrote them there.
func (t *Target) RemoveTemp(ctx context.Context, before time.Time) error {
	w, err := t.open()
	if err != nil {
		return err
	}
	return errors.Join(ctx.Err(), atomicfile.RemoveTemp(w.root, site.WorkDir, before))
}

func (t *Target) key(path string) string {
	rel, err := filepath.Rel(t.root, path)
	if err != nil {
		return path // cannot happen: path is below the root
	}
	return filepath.ToSlash(rel)
}

// Put implements [target.Target].
func (t *Target) Put(ctx context.Context, o target.Object) error {
	from, err := o.Reader()
	if err != nil {
		return err
	}
	defer from.Close()
	if inInbox(o.Key) {
		return t.submit(o.Key, target.ContextReader(ctx, from))
	}
	w, err := t.openFor(o.Key)
	if err != nil {
		return err
	}
	return w.write(o.Key, target.ContextReader(ctx, from))
}

// openFor opens the directory for a change of key. If key belongs to a site, the directory must
// be a site or empty. Other keys are those of a dbem repository, whose package checks the
// directory itself.
func (t *Target) openFor(key string) (*writer, error) {
	if !fs.ValidPath(key) || key == "." {
		return nil, fmt.Errorf("%.200q is not a path below %s", key, t.root)
	}
	top, _, _ := strings.Cut(key, "/")
	if slices.Contains([]string{"blobs", "assets", "files", "index", "private", "api"}, top) {
		if err := t.checkSite(); err != nil {
			return nil, err
		}
	}
	return t.open()
}

// Copy implements [target.Target] with a hard link, or with a copy if the file system has no
// hard links.
func (t *Target) Copy(ctx context.Context, from string, o target.Object) error {
	if _, err := os.Stat(t.file(from)); isMissing(err) {
		return fmt.Errorf("%s: %w", from, target.ErrNotExist)
	}
	w, err := t.openFor(o.Key)
	if err != nil {
		return err
	}
	if err := w.link(from, o.Key); err == nil || errors.Is(err, atomicfile.ErrLink) {
		return err
	}
	o.Open = func() (io.ReadCloser, error) { return regularfile.Open(t.file(from)) }
	return t.Put(ctx, o)
}

// Delete implements [target.Target]. It also removes directories that become empty.
func (t *Target) Delete(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	w, err := t.openFor(keys[0])
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.remove(key); err != nil {
			return err
		}
	}
	return nil
}

// Swap implements [target.Target]. It holds the exclusive lock of the site's work directory, so
// only one publisher swaps at a time. Builders have been locked out since the first change.
func (t *Target) Swap(ctx context.Context, old []byte, o target.Object) error {
	w, err := t.openFor(o.Key)
	if err != nil {
		return err
	}
	lock, err := site.LockFile(w.root, "lock", func(f *flock.Flock) (bool, error) { return f.TryLockContext(ctx, 20*time.Millisecond) })
	if err != nil {
		return err
	}
	defer lock.Close()
	content, err := regularfile.ReadFile(t.file(o.Key), int64(len(old)))
	switch {
	case errors.Is(err, regularfile.ErrLong):
		return fmt.Errorf("%s: %w", o.Key, target.ErrChanged)
	case err != nil && !isMissing(err):
		return err
	case (old == nil) != (err != nil) || !bytes.Equal(content, old):
		return fmt.Errorf("%s: %w", o.Key, target.ErrChanged)
	}
	if inInbox(o.Key) {
		return t.Put(ctx, o)
	}
	if err := site.Sync(t.root); err != nil { // what o refers to must be on the disk before o is
		return err
	}
	if err := t.Put(ctx, o); err != nil {
		return err
	}
	return site.Sync(t.root)
}
