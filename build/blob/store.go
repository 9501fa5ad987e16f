package blob

import (
	"errors"
	"fmt"
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

	mutex sync.Mutex
	dirs  map[string]bool // some folders known to exist, so that each is made once

	drafts  atomic.Uint64 // how many temporary files were begun, to name them
	buffers sync.Pool     // of *buffer
}

// NewStore keeps blobs under the site root, and unfinished ones in temp, which
// must be an empty folder that nobody else uses.
func NewStore(root, temp string) *Store {
	return &Store{root: filepath.Clean(root), temp: temp, dirs: make(map[string]bool)}
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
	return ref, s.put(ref, b)
}

func (s *Store) put(ref Ref, b []byte) error {
	if s.dry || s.Has(ref, int64(len(b))) {
		return nil
	}
	temp := s.tempName()
	if err := writeNew(temp, b); err != nil {
		return err
	}
	return s.move(temp, ref.Path())
}

// Put stores what r holds, and returns its name and size.
func (s *Store) Put(r io.Reader) (Ref, int64, error) {
	d := s.Draft()
	defer d.Discard()
	if _, err := d.ReadFrom(r); err != nil {
		return Ref{}, 0, err
	}
	return d.Commit()
}

// tempPrefix begins the name of a file being copied, in the folder it is for.
// One that is left over was the work of a killed process.
const tempPrefix = ".galbuild-copy-"

func (s *Store) tempName() string {
	return filepath.Join(s.temp, "blob-"+strconv.FormatUint(s.drafts.Add(1), 10))
}

// Adopt gives a finished file, in the folder for unfinished ones, its path relative to
// the site. It replaces what is there.
func (s *Store) Adopt(file, path string) error { return s.move(file, path) }

// move gives a temporary file its name, a path relative to the site. It replaces
// what is there. The file is gone afterwards, also if that fails.
func (s *Store) move(temp, path string) error {
	target := filepath.Join(s.root, filepath.FromSlash(path))
	err := s.mkdir(filepath.Dir(target))
	if err == nil {
		err = rename(temp, target)
	}
	if err == nil {
		return nil
	}
	defer os.Remove(temp)
	if isOtherDevice(err) {
		return copyFile(temp, target)
	}
	return err
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

// manyDirs is how many folders are known at a time: those of a version are used
// one after the other and then no more.
const manyDirs = 4096

// mkdir makes a folder of the site and those above it, up to the root, which is
// there.
func (s *Store) mkdir(dir string) error {
	if dir == s.root || s.knows(dir) {
		return nil
	}
	if err := s.mkdir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.dirs) >= manyDirs {
		clear(s.dirs)
	}
	s.dirs[dir] = true
	return nil
}

func (s *Store) knows(dir string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.dirs[dir]
}
