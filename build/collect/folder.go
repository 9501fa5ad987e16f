package collect

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"galbuild/build/atomicfile"
	"galbuild/build/collect/lock"
	"galbuild/build/download"
	"galbuild/build/jsondoc"
	"galbuild/build/regularfile"
	"galbuild/build/retry"
	"galbuild/build/site"
	"galbuild/build/vsix"
)

// Folders in the work directory of a collection.
const (
	downloadsDir = site.WorkDir + "/downloads"
	responsesDir = site.WorkDir + "/responses"
	stateFile    = site.WorkDir + "/collect.json"
)

// Folder is the folder of a collection that is locked for this process.
type Folder struct {
	Dir  string
	root *os.Root
	lock *flock.Flock
}

// OpenFolder makes the folder of a collection if it is missing, and locks it for this process. The
// error wraps [site.ErrLocked] if another process has locked it.
func OpenFolder(dir string) (*Folder, error) {
	if current, err := site.ReadCurrent(dir); err == nil && !current.IsZero() {
		return nil, fmt.Errorf("%s is a site, and not a folder of packages", dir)
	}
	if err := atomicfile.MkdirAll(dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{Dir: dir, root: root}
	if err := f.lockAndClear(); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock the folder %s: %w", dir, err)
	}
	return f, nil
}

// lockAndClear locks the folder, and removes temporary files of a run that was killed.
func (f *Folder) lockAndClear() (err error) {
	if err := atomicfile.Mkdir(f.root, site.WorkDir); err != nil {
		return err
	}
	if f.lock, err = site.LockFile(f.root, "lock", (*flock.Flock).TryLock); err != nil {
		return err
	}
	return atomicfile.RemoveTemp(f.root, "", time.Now())
}

// Close releases the lock of the folder.
func (f *Folder) Close() error {
	var err error
	if f.lock != nil {
		err = f.lock.Close()
	}
	return errors.Join(err, f.root.Close())
}

// Responses returns the folder in which responses of upstreams are stored.
func (f *Folder) Responses() string { return filepath.Join(f.Dir, filepath.FromSlash(responsesDir)) }

// Download returns a function that downloads a package to the folder. It is not downloaded again
// when the plan is carried out. The client may be made later.
func (f *Folder) Download(client func() *retry.Client, limits vsix.Limits, log *slog.Logger) func(ctx context.Context, address string) (string, error) {
	return func(ctx context.Context, address string) (string, error) {
		limits := limits.WithDefaults()
		folder, err := download.Open(download.Config{
			Dir: f.downloads(), Client: client(), Log: log, MaxBytes: limits.PackageBytes, MaxRatio: limits.Ratio,
		})
		if err != nil {
			return "", err
		}
		file, err := download.Parse(address, download.Package(limits))
		if err != nil {
			return "", err
		}
		file.Fixed = true
		return folder.Get(ctx, file)
	}
}

func (f *Folder) downloads() string { return filepath.Join(f.Dir, filepath.FromSlash(downloadsDir)) }

// ReadLock reads the lock in a folder. It is nil if there is none.
func ReadLock(dir string) (*lock.Lock, error) {
	l, err := ReadLockFile(filepath.Join(dir, lock.FileName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return l, err
}

// ReadLockFile reads a lock.
func ReadLockFile(file string) (*lock.Lock, error) {
	text, err := regularfile.ReadFile(file, lock.MaxText)
	if err != nil {
		return nil, err
	}
	l, err := lock.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return l, nil
}

// maxState is the limit of the file of the state, in bytes.
const maxState = 256 << 20

// ReadState reads what the last run has learned. It is nil if there was none, or if the file is
// damaged, because a run without it makes the same plan.
func ReadState(dir string) *State {
	text, err := regularfile.ReadFile(filepath.Join(dir, filepath.FromSlash(stateFile)), maxState)
	if err != nil {
		return nil
	}
	s := new(State)
	if json.Unmarshal(text, s) != nil {
		return nil
	}
	return s
}

func (f *Folder) writeState(s *State) error {
	if s == nil {
		return nil
	}
	text, err := jsondoc.Line(s)
	if err != nil {
		return err
	}
	return atomicfile.WriteText(f.root, stateFile, text)
}

// writeIfChanged writes a file unless it has this text, so that its modification time stays. It
// does not wait for the disk.
func (f *Folder) writeIfChanged(name string, text []byte) error {
	if old, err := regularfile.ReadFile(filepath.Join(f.Dir, filepath.FromSlash(name)), int64(len(text))); err == nil && string(old) == string(text) {
		return nil
	}
	return atomicfile.CopyFile(f.root, name, atomicfile.FileMode, bytes.NewReader(text))
}

// remove removes files of the folder that exist, and returns their names.
func (f *Folder) remove(names []string) (removed []string, err error) {
	for _, name := range names {
		failed := f.root.Remove(name)
		if failed == nil {
			removed = append(removed, name)
		} else if !errors.Is(failed, fs.ErrNotExist) {
			err = cmp.Or(err, failed)
		}
	}
	return removed, err
}
