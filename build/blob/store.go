package blob

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"galbuild/build/atomicfile"
	"galbuild/build/regularfile"
)

// Store is the blobs/ folder of a site. It also writes the other files of the site. It writes
// neither outside the site nor through a symbolic link in it, see package atomicfile. Its methods
// are safe for concurrent use. Storing or linking a file again is not an error.
//
// It does not write files with [atomicfile.WriteFile]: the name of a blob is known only at its end,
// temporary files of a killed process must be in one folder, and a site of a hundred thousand files
// is written to the disk once, before its generation becomes current.
type Store struct {
	root string   // of the site
	site *os.Root // nil for a read-only store
	temp *os.Root // for temporary files
	dir  string   // path of temp below the site
	at   *folder  // temp
	dry  bool
	link func(from *folder, name string, to *folder, as string) error // (*folder).link

	parents *cache // of folders in which there are other folders
	folders *cache
	shards  *cache // of blobs/

	drafts  atomic.Uint64 // number of temporary files so far, for their names
	buffers sync.Pool     // of *buffer
}

// NewStore returns the store of a site. It writes temporary files to temp, a slash-separated path
// below the site. That folder is made if it is missing. Otherwise it must be empty, and no other
// process may use it. The caller closes the store, and then the site's root.
func NewStore(site *os.Root, temp string) (*Store, error) {
	at, err := atomicfile.Dir(site, temp)
	if err != nil {
		return nil, err
	}
	s := &Store{root: site.Name(), site: site, temp: at, dir: temp, link: (*folder).link}
	s.parents = newCache(maxParents, s.openFolder)
	s.folders = newCache(maxFolders, s.openFolder)
	s.shards = newCache(maxShards, s.openFolder)
	if s.at, err = s.openFolder(temp); err != nil {
		s.closeFolders()
		return nil, errors.Join(err, at.Close())
	}
	return s, nil
}

// ReadStore returns a read-only store, for File and Has.
func ReadStore(root string) *Store { return &Store{root: filepath.Clean(root)} }

// NewDryStore returns a store that hashes blobs and does not store them. Put, Link and WriteFile
// have no effect. Drafts are written to temp, which the store closes.
func NewDryStore(temp *os.Root) *Store { return &Store{temp: temp, dry: true} }

// Close closes all folders. The store must not be used afterwards.
func (s *Store) Close() error {
	var err error
	if s.site != nil {
		s.closeFolders()
		err = s.at.Close()
	}
	return errors.Join(err, s.temp.Close())
}

// File returns the path of the blob on disk. The blob may be missing.
func (s *Store) File(r Ref) string { return filepath.Join(s.root, filepath.FromSlash(r.Path())) }

// Has reports whether the store has the blob, with this size in bytes.
func (s *Store) Has(r Ref, size int64) bool {
	info, err := os.Lstat(s.File(r))
	return err == nil && info.Mode().IsRegular() && info.Size() == size
}

// PutBytes stores b as a blob, and returns its name.
func (s *Store) PutBytes(b []byte) (Ref, error) {
	ref := Sum(b)
	return ref, s.put(ref, b)
}

// put writes a blob under its name. If there is a file of that name with another size, a killed
// process has left it, or another goroutine is writing it. It is replaced in one step. An empty
// blob is not written under its name: its size would not show whether its mode has been set.
func (s *Store) put(ref Ref, b []byte) error {
	if s.dry {
		return nil
	}
	done := false
	err := s.retry(func() error {
		return s.withShard(ref, func(at *folder, name string) error {
			if len(b) > 0 {
				if err := at.writeNew(name, b, blobMode); !errors.Is(err, fs.ErrExist) {
					done = err == nil
					return err
				}
			}
			done = at.has(name, int64(len(b)))
			return nil
		})
	})
	if err != nil || done {
		return err
	}
	temp := s.tempName()
	if err := s.at.writeNew(temp, b, blobMode); err != nil {
		return err
	}
	return s.move(temp, ref.Path())
}

// Put stores all bytes of r as a blob, and returns its name and size in bytes.
func (s *Store) Put(r io.Reader) (Ref, int64, error) {
	d := s.Draft()
	defer d.Discard()
	if _, err := d.ReadFrom(r); err != nil {
		return Ref{}, 0, err
	}
	return d.Commit()
}

// WriteFile makes or replaces a small file of the site that is not a blob, in one step.
func (s *Store) WriteFile(file string, text []byte) error {
	if s.dry {
		return nil
	}
	temp := s.tempName()
	if err := s.at.writeNew(temp, text, atomicfile.FileMode); err != nil {
		return err
	}
	return s.move(temp, file)
}

func (s *Store) tempName() string { return "blob-" + strconv.FormatUint(s.drafts.Add(1), 10) }

// Temp makes a temporary file. The caller moves it to its path with Adopt, or removes it with
// Drop, both with the name that Temp returns.
func (s *Store) Temp() (f *os.File, name string, err error) {
	name = s.tempName()
	f, err = s.temp.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, atomicfile.FileMode)
	return f, name, err
}

// Drop removes a temporary file.
func (s *Store) Drop(temp string) error { return s.temp.Remove(temp) }

// Adopt moves a temporary file to a path relative to the site, and replaces an existing file.
func (s *Store) Adopt(temp, file string) error { return s.move(temp, file) }

// move moves a temporary file to a path relative to the site, and replaces an existing file. If it
// fails, it removes the temporary file.
func (s *Store) move(temp, file string) error {
	if err := s.checkPath(file); err != nil {
		return errors.Join(err, s.temp.Remove(temp))
	}
	err := s.retry(func() error {
		return s.withAnyFolder(file, func(to *folder, name string) error { return s.at.rename(temp, to, name) })
	})
	if err == nil {
		return nil
	}
	defer s.temp.Remove(temp)
	if isOtherDevice(err) {
		return s.copy(path.Join(s.dir, temp), file)
	}
	return err
}

// withAnyFolder calls withShard if file is the path of a blob, and withFolder otherwise.
func (s *Store) withAnyFolder(file string, do func(at *folder, name string) error) error {
	if ref, err := Parse(path.Base(file)); err == nil && ref.Path() == file {
		return s.withShard(ref, do)
	}
	return s.withFolder(file, do)
}

// checkPath returns an error unless a path is one of a file below the site.
func (s *Store) checkPath(file string) error {
	if !fs.ValidPath(file) || file == "." {
		return fmt.Errorf("%.200q is not a path below %s", file, s.root)
	}
	return nil
}

// retry repeats an operation if a folder is missing. A folder that is open may have been removed
// because it was empty.
func (s *Store) retry(do func() error) error {
	err := do()
	if errors.Is(err, fs.ErrNotExist) {
		s.closeFolders()
		err = do()
	}
	return err
}

// Link makes file, a path relative to the site, a hard link to the blob. It makes a copy if the
// file system has no links, or no more links to the blob. It replaces an existing file in one
// step.
func (s *Store) Link(r Ref, file string) error {
	if s.dry {
		return nil
	}
	if err := s.checkPath(file); err != nil {
		return err
	}
	err := s.retry(func() error {
		return s.withShard(r, func(from *folder, blob string) error {
			return s.withFolder(file, func(to *folder, name string) error {
				err := s.link(from, blob, to, name)
				if errors.Is(err, fs.ErrExist) {
					return s.relink(from, blob, to, name)
				}
				return err
			})
		})
	})
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist), errors.Is(err, atomicfile.ErrLink):
		return err
	}
	return s.copy(r.Path(), file)
}

// relink replaces an existing file by a link in one step.
func (s *Store) relink(from *folder, blob string, to *folder, name string) error {
	if sameFile(from.path(blob), to.path(name)) {
		return nil
	}
	temp := s.tempName()
	if err := s.link(from, blob, s.at, temp); err != nil {
		return err
	}
	if err := s.at.rename(temp, to, name); err != nil {
		return errors.Join(err, s.temp.Remove(temp))
	}
	return nil
}

// isOtherDevice reports whether a rename failed because a folder of the site is a mount point.
func isOtherDevice(err error) bool { return errors.Is(err, syscall.EXDEV) }

// copy makes file a copy of source, both relative to the site.
func (s *Store) copy(source, file string) error {
	from, err := regularfile.OpenIn(s.site, source)
	if err != nil {
		return err
	}
	defer from.Close()
	return atomicfile.CopyFile(s.site, file, blobMode, from)
}

// sameFile reports whether two paths are links to one file.
func sameFile(a, b string) bool {
	x, err := os.Lstat(a)
	if err != nil {
		return false
	}
	y, err := os.Lstat(b)
	return err == nil && os.SameFile(x, y)
}
