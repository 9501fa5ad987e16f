// Package folder is a folder as a place for a site: the same tree, with hard links
// where content is the same. It may be on a disk of another machine.
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

	"galbuild/build/beneath"
	"galbuild/build/regular"
	"galbuild/build/site"
	"galbuild/publish/target"
)

// Target is a folder. Files are written below it, and never through a symbolic link in it.
type Target struct {
	root   string
	open   func() (*writer, error) // called before the first change
	writer *writer                 // nil before that
	site   func() error            // returns an error unless it is a site or may become one
}

// New returns the folder at path, which need not be there yet.
func New(path string) (*Target, error) {
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	t := &Target{root: root, site: sync.OnceValue(func() error { return site.Check(root) })}
	t.open = sync.OnceValues(func() (w *writer, err error) {
		w, err = newWriter(root)
		t.writer = w
		return w, err
	})
	return t, nil
}

// Close lets builders change the site, if the target has written to it. The target must not
// be in use, and writes no more.
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
	f, err := regular.Open(t.file(key))
	if errors.Is(err, regular.ErrKind) {
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
	return &section{Reader: io.NewSectionReader(f, offset, length), file: f, ctx: ctx}, nil
}

// isMissing also tells of a path below what is a file.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || err != nil && strings.Contains(err.Error(), "not a directory")
}

// A section is a stretch of a file that closes it, and ends with its context.
type section struct {
	io.Reader
	file *os.File
	ctx  context.Context
}

func (s *section) Read(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.Reader.Read(b)
}

func (s *section) Close() error { return s.file.Close() }

// List implements [target.Target]. The builder's desk and what a killed process left
// half written are no objects.
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
			if d.IsDir() && key == site.Desk {
				return fs.SkipDir
			}
			if d.IsDir() || !strings.HasPrefix(key, prefix) || beneath.IsTemp(d.Name()) {
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

// RemoveTemp removes unfinished files older than that, which killed processes left next to
// the final files. Earlier versions of galbuild wrote them there.
func (t *Target) RemoveTemp(ctx context.Context, before time.Time) error {
	w, err := t.open()
	if err != nil {
		return err
	}
	return errors.Join(ctx.Err(), beneath.RemoveTemp(w.root, site.Desk, before))
}

func (t *Target) key(path string) string {
	rel, err := filepath.Rel(t.root, path)
	if err != nil {
		return path // it is below the root
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
	w, err := t.begin(o.Key)
	if err != nil {
		return err
	}
	return w.write(o.Key, &untilDone{from, ctx})
}

type untilDone struct {
	io.Reader
	ctx context.Context
}

func (u *untilDone) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(b)
}

// begin is called before a key is changed. What is a site's goes into no folder of other
// things; those of dbem are nobody's but its own.
func (t *Target) begin(key string) (*writer, error) {
	if !fs.ValidPath(key) || key == "." {
		return nil, fmt.Errorf("%.200q is not a path below %s", key, t.root)
	}
	top, _, _ := strings.Cut(key, "/")
	if slices.Contains([]string{"blobs", "assets", "files", "index", "api"}, top) {
		if err := t.site(); err != nil {
			return nil, err
		}
	}
	return t.open()
}

// Copy implements [target.Target] with a hard link, or a copy where there are none.
func (t *Target) Copy(ctx context.Context, from string, o target.Object) error {
	if _, err := os.Stat(t.file(from)); isMissing(err) {
		return fmt.Errorf("%s: %w", from, target.ErrNotExist)
	}
	w, err := t.begin(o.Key)
	if err != nil {
		return err
	}
	if err := w.link(from, o.Key); err == nil || errors.Is(err, beneath.ErrLink) {
		return err
	}
	o.Open = func() (io.ReadCloser, error) { return regular.Open(t.file(from)) }
	return t.Put(ctx, o)
}

// Delete implements [target.Target]. Folders that are empty then go too.
func (t *Target) Delete(ctx context.Context, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	w, err := t.begin(keys[0])
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

// Swap implements [target.Target]. It takes the lock that builders of the site take,
// who are kept away already.
func (t *Target) Swap(ctx context.Context, old []byte, o target.Object) error {
	w, err := t.begin(o.Key)
	if err != nil {
		return err
	}
	lock, err := site.LockFile(w.root, "lock", func(f *flock.Flock) (bool, error) { return f.TryLockContext(ctx, 20*time.Millisecond) })
	if err != nil {
		return err
	}
	defer lock.Close()
	is, err := regular.ReadFile(t.file(o.Key), int64(len(old)))
	switch {
	case errors.Is(err, regular.ErrLong):
		return fmt.Errorf("%s: %w", o.Key, target.ErrChanged)
	case err != nil && !isMissing(err):
		return err
	case (old == nil) != (err != nil) || !bytes.Equal(is, old):
		return fmt.Errorf("%s: %w", o.Key, target.ErrChanged)
	}
	return t.Put(ctx, o)
}
