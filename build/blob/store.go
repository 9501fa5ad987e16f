package blob

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
)

// Store is the blobs/ folder of a site. Its methods are safe for concurrent
// use, and harmless to repeat.
type Store struct {
	root string
	temp string
	dry  bool
	dirs sync.Map // folders known to exist, so that each is made once

	drafts atomic.Uint64 // how many were begun, to name them
}

// NewStore keeps blobs under the site root, and unfinished ones in temp, which
// must be an empty folder that nobody else uses.
func NewStore(root, temp string) *Store {
	return &Store{root: root, temp: temp}
}

// NewDryStore is a store that names blobs but keeps none: every Put and Link
// succeeds and changes nothing. Unfinished blobs go to temp.
func NewDryStore(temp string) *Store {
	return &Store{temp: temp, dry: true}
}

// File returns the path of the blob on disk, whether or not it is there.
func (s *Store) File(r Ref) string { return filepath.Join(s.root, filepath.FromSlash(r.Path())) }

// Has tells whether the blob is there with this size.
func (s *Store) Has(r Ref, size int64) bool {
	info, err := os.Stat(s.File(r))
	return err == nil && info.Mode().IsRegular() && info.Size() == size
}

// PutBytes stores b.
func (s *Store) PutBytes(b []byte) (Ref, error) {
	ref := Sum(b)
	if s.dry || s.Has(ref, int64(len(b))) {
		return ref, nil
	}
	d, err := s.Draft()
	if err != nil {
		return Ref{}, err
	}
	defer d.Discard()
	if _, err := d.file.Write(b); err != nil {
		return Ref{}, err
	}
	return ref, d.commit(ref, int64(len(b)))
}

// smallFile is up to where a file is held in memory to learn its name before it
// is written: one that is known already then costs no write.
const smallFile = 1 << 20

// Put stores what r holds, expected to be size bytes long (a hint), and returns
// its name and true size.
func (s *Store) Put(r io.Reader, size int64) (Ref, int64, error) {
	if size <= smallFile {
		var small bytes.Buffer
		small.Grow(int(max(size, 0)) + bytes.MinRead)
		n, err := io.Copy(&small, io.LimitReader(r, smallFile+1))
		if err != nil {
			return Ref{}, 0, err
		}
		if n <= smallFile {
			ref, err := s.PutBytes(small.Bytes())
			return ref, n, err
		}
		r = io.MultiReader(&small, r)
	}
	d, err := s.Draft()
	if err != nil {
		return Ref{}, 0, err
	}
	defer d.Discard()
	if _, err := io.Copy(d, r); err != nil {
		return Ref{}, 0, err
	}
	return d.Commit()
}

// tempPrefix begins the name of a file being copied, in the folder it is for.
// One that is left over was the work of a killed process.
const tempPrefix = ".galbuild-copy-"

// Draft is a blob being written, whose name is not known yet.
type Draft struct {
	store *Store
	file  *os.File
	hash  hash.Hash
	size  int64
	done  bool
}

// Draft starts a blob. Discard must be called, also after Commit.
func (s *Store) Draft() (*Draft, error) {
	// Readable by the web server, writable by no one afterwards: a blob never changes.
	name := filepath.Join(s.temp, "blob-"+strconv.FormatUint(s.drafts.Add(1), 10))
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return nil, err
	}
	return &Draft{store: s, file: f, hash: sha256.New()}, nil
}

// Write implements [io.Writer].
func (d *Draft) Write(b []byte) (int, error) {
	n, err := d.file.Write(b)
	d.hash.Write(b[:n])
	d.size += int64(n)
	return n, err
}

// ReadAt reads back what was written, so that a package can be examined before
// it is kept.
func (d *Draft) ReadAt(b []byte, off int64) (int, error) { return d.file.ReadAt(b, off) }

// Size returns how many bytes were written.
func (d *Draft) Size() int64 { return d.size }

// Ref returns the name the bytes written so far would have.
func (d *Draft) Ref() Ref { return Ref(d.hash.Sum(nil)) }

// Commit gives the blob its name.
func (d *Draft) Commit() (Ref, int64, error) {
	ref := d.Ref()
	return ref, d.size, d.commit(ref, d.size)
}

func (d *Draft) commit(ref Ref, size int64) error {
	if d.store.dry || d.store.Has(ref, size) {
		return nil
	}
	return d.CommitAs(ref.Path())
}

// CommitAs gives the file another name than that of a blob: a path relative to
// the site. It replaces what is there.
func (d *Draft) CommitAs(path string) error {
	if d.store.dry {
		return nil
	}
	if err := d.file.Close(); err != nil {
		return err
	}
	target := filepath.Join(d.store.root, filepath.FromSlash(path))
	if err := d.store.mkdir(filepath.Dir(target)); err != nil {
		return err
	}
	if err := os.Rename(d.file.Name(), target); err != nil {
		if !isOtherDevice(err) {
			return err
		}
		return copyFile(d.file.Name(), target)
	}
	d.done = true
	return nil
}

// Discard drops what was not committed.
func (d *Draft) Discard() {
	if !d.done {
		d.file.Close()
		os.Remove(d.file.Name())
	}
}

// Link makes path, relative to the site, a hard link to the blob, or a copy
// where the file system has no links or no more of them. What is there already
// is replaced in one step.
func (s *Store) Link(r Ref, path string) error {
	if s.dry {
		return nil
	}
	source, target := s.File(r), filepath.Join(s.root, filepath.FromSlash(path))
	if err := s.mkdir(filepath.Dir(target)); err != nil {
		return err
	}
	err := os.Link(source, target)
	switch {
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return err
	case !errors.Is(err, fs.ErrExist):
		return copyFile(source, target)
	case same(source, target):
		return nil
	}
	beside := filepath.Join(filepath.Dir(target), tempPrefix+r.String())
	if err := os.Link(source, beside); err != nil {
		return copyFile(source, target)
	}
	return os.Rename(beside, target)
}

// isOtherDevice tells whether a rename failed because blobs/ or assets/ is a
// mount of its own.
func isOtherDevice(err error) bool { return errors.Is(err, syscall.EXDEV) }

// copyFile makes target a copy of source: under a temporary name in the same
// folder first, so that the file is never seen half written.
func copyFile(source, target string) (err error) {
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.CreateTemp(filepath.Dir(target), tempPrefix+"*")
	if err != nil {
		return err
	}
	defer os.Remove(to.Name())
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		return fmt.Errorf("copy to %s: %w", target, err)
	}
	if err := errors.Join(to.Chmod(0o444), to.Close()); err != nil {
		return err
	}
	return os.Rename(to.Name(), target)
}

func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// mkdir makes a folder of the site and those above it: from below, for most are
// there already.
func (s *Store) mkdir(dir string) error {
	if _, known := s.dirs.Load(dir); known {
		return nil
	}
	err := os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		if err := s.mkdir(filepath.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o755)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	s.dirs.Store(dir, true)
	return nil
}
