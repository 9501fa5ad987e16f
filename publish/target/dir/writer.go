package dir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"galbuild/build/atomicfile"
	"galbuild/build/regularfile"
	"galbuild/build/site"
)

// A writer changes a directory. It does not use [atomicfile.WriteFile]: it writes files in the work
// directory and then renames them, so that the temporary files of a killed process are all in one
// directory, and Swap writes them all to the disk at once.
type writer struct {
	root *os.Root
	temp *os.Root // for temporary files
	held []*flock.Flock

	mutex    sync.Mutex
	verified map[string]bool // paths of directories that exist and are not links
}

// maxVerified limits the number of verified directories that are remembered.
const maxVerified = 4096

// newWriter opens a directory. If the directory does not exist, newWriter creates it. Builders of
// the site are locked out until close.
func newWriter(root string) (*writer, error) {
	shared, err := site.Share(root)
	if err != nil {
		return nil, err
	}
	w := &writer{held: []*flock.Flock{shared}, verified: make(map[string]bool)}
	if w.root, err = site.Open(root); err != nil {
		return nil, err
	}
	return w, w.openTemp()
}

// close releases the locks.
func (w *writer) close() error {
	var errs []error
	for _, lock := range w.held {
		errs = append(errs, lock.Close())
	}
	for _, root := range []*os.Root{w.temp, w.root} {
		if root != nil {
			errs = append(errs, root.Close())
		}
	}
	return errors.Join(errs...)
}

// openTemp opens the directory for temporary files. If no other publisher holds the lock that
// all publishers share, it first removes the files that killed processes have left there.
func (w *writer) openTemp() error {
	const dir = site.WorkDir + "/" + site.Publishing
	acquire := func(f *flock.Flock) (bool, error) {
		alone, err := f.TryLock()
		if err != nil {
			return false, err
		}
		if alone {
			if err := errors.Join(w.root.RemoveAll(dir), f.Unlock()); err != nil {
				return false, err
			}
		}
		return true, f.RLock() // waits only for processes that are removing files
	}
	lock, err := site.LockFile(w.root, site.Publishing+".lock", acquire)
	if err != nil {
		return err
	}
	w.held = append(w.held, lock)
	w.temp, err = atomicfile.Dir(w.root, dir)
	return err
}

// write creates or replaces a file atomically.
func (w *writer) write(key string, from io.Reader) error {
	temp, err := atomicfile.CreateTemp(w.temp, "")
	if err != nil {
		return err
	}
	name := filepath.Base(temp.Name())
	defer atomicfile.Discard(w.temp, temp)
	_, err = io.Copy(temp, from)
	if err := errors.Join(err, temp.Chmod(atomicfile.FileMode), temp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Join(w.root.Name(), filepath.FromSlash(key)), err)
	}
	return w.rename(name, key)
}

// link creates or replaces a file by a hard link to another. Both get the current time, because
// they are one file, so prune does not remove the other because of its age.
func (w *writer) link(from, key string) error {
	name := fmt.Sprintf("%s%d-%d-%p", atomicfile.TempPrefix, os.Getpid(), time.Now().UnixNano(), &key)
	temp := path.Join(site.WorkDir, site.Publishing, name)
	if err := w.root.Link(from, temp); err != nil {
		return err
	}
	defer w.temp.Remove(name)
	now := time.Now()
	if err := w.root.Chtimes(temp, now, now); err != nil {
		return err
	}
	return w.rename(name, key)
}

// rename moves a temporary file to its path, and replaces an existing file.
func (w *writer) rename(name, key string) error {
	temp := path.Join(site.WorkDir, site.Publishing, name)
	err := w.prepare(path.Dir(key))
	if err == nil {
		err = w.root.Rename(temp, key)
	}
	if errors.Is(err, fs.ErrNotExist) { // another process has removed the empty directory
		w.forget()
		if err = w.prepare(path.Dir(key)); err == nil {
			err = w.root.Rename(temp, key)
		}
	}
	if errors.Is(err, syscall.EXDEV) { // the directory is a mount point
		return w.copy(temp, key)
	}
	return err
}

// copy copies a temporary file to its path, which is on another file system.
func (w *writer) copy(temp, key string) error {
	from, err := regularfile.OpenIn(w.root, temp)
	if err != nil {
		return err
	}
	defer from.Close()
	return atomicfile.CopyFile(w.root, key, atomicfile.FileMode, from)
}

// prepare makes a directory if it is missing, and checks that it is not a link.
func (w *writer) prepare(dir string) error {
	w.mutex.Lock()
	verified := w.verified[dir]
	w.mutex.Unlock()
	if verified {
		return nil
	}
	at, err := atomicfile.Dir(w.root, dir)
	if err != nil {
		return err
	}
	at.Close()
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if len(w.verified) >= maxVerified {
		clear(w.verified)
	}
	w.verified[dir] = true
	return nil
}

// forget clears the verified directories.
func (w *writer) forget() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	clear(w.verified)
}

// remove removes a file, and then its parent directories that are empty.
func (w *writer) remove(key string) error {
	if !fs.ValidPath(key) {
		return fmt.Errorf("%.200q is not a path below %s", key, w.root.Name())
	}
	if err := w.root.Remove(key); err != nil && !isMissing(err) {
		return err
	}
	if inInbox(key) { // the folder of a publisher has permissions that somebody has set
		return nil
	}
	for dir := path.Dir(key); dir != "." && w.root.Remove(dir) == nil; {
		dir = path.Dir(dir)
	}
	return nil
}
