// Package site is the folder a gallery is built in and served from.
//
//	blobs/sha256/ab/abcd…            every distinct file once
//	assets/<pub>/<name>/<version>[@<platform>]/<asset type>
//	files/<pub>/<name>/<version>[@<platform>]/…
//	api/…  control.json  manifest.json  index.html  item/  publishers/
//	index/<generation>/              the catalogue and the index of one generation
//	index/CURRENT                    says which generation counts
//	.galbuild/                       the builder's own: never served, never published
//
// A generation's folder never changes; CURRENT is replaced last, in one rename,
// when everything that its generation lists is on the disk. A reader sees the old
// generation or the new one, whole. Killing a builder at any moment leaves the
// old one counting, and files that nothing lists, which the next builder sweeps.
package site

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"

	"galbuild/build/blob"
)

// Desk is the builder's own folder in a site: its lock, its temporary files,
// its downloads and what it remembers of the sources.
const Desk = ".galbuild"

// Errors of Lock, for which see there.
var (
	ErrLocked  = errors.New("another galbuild is at work on it")
	ErrNotSite = errors.New("it holds other things")
)

// Dir is a site that this process alone may change.
type Dir struct {
	Root  string
	Blobs *blob.Store
	// Unclean tells that an earlier builder did not come to its end, so that
	// there may be files nothing lists.
	Unclean bool
	temp    string
	made    bool         // the folder was not there before
	lock    *flock.Flock // nil for a dry run
	others  *flock.Flock // against those who Share the folder
}

// Lock makes the folder where there is none and takes it for this process. It
// returns ErrLocked, wrapped, if another has it, and ErrNotSite if the folder is
// neither a site nor empty: what no generation lists is swept from a site.
func Lock(root string) (*Dir, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if err := Check(root); err != nil {
		return nil, err
	}
	_, err = os.Lstat(root)
	made := errors.Is(err, fs.ErrNotExist)
	temp := filepath.Join(root, Desk, "tmp")
	if err := os.MkdirAll(temp, 0o755); err != nil {
		return nil, fmt.Errorf("make site %s: %w", root, err)
	}
	lock := flock.New(filepath.Join(root, Desk, "lock"))
	switch ok, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock site %s: %w", root, err)
	case !ok:
		return nil, fmt.Errorf("lock site %s: %w", root, ErrLocked)
	}
	others := flock.New(filepath.Join(root, Desk, publishers))
	if ok, err := others.TryLock(); err != nil || !ok {
		lock.Close()
		return nil, fmt.Errorf("lock site %s: %w", root, cmp.Or(err, ErrLocked))
	}
	d := &Dir{Root: root, Blobs: blob.NewStore(root, temp), temp: temp, made: made, lock: lock, others: others}
	return d, d.clearTemp()
}

// publishers is the name of a lock that those share who publish to the folder as to
// any other place, and whom a builder would sweep away.
const publishers = "publishers"

// Share keeps builders away from the site at root, but not others who share it, until
// the lock is closed. It makes the folder where there is none. It returns ErrLocked,
// wrapped, if a builder is at work.
func Share(root string) (*flock.Flock, error) {
	if err := os.MkdirAll(filepath.Join(root, Desk), 0o755); err != nil {
		return nil, fmt.Errorf("make site %s: %w", root, err)
	}
	lock := flock.New(filepath.Join(root, Desk, publishers))
	if ok, err := lock.TryRLock(); err != nil || !ok {
		return nil, fmt.Errorf("lock site %s: %w", root, cmp.Or(err, ErrLocked))
	}
	return lock, nil
}

// Check returns ErrNotSite, wrapped, unless root is a site, or may become one.
func Check(root string) error {
	for _, sign := range []string{Desk, filepath.FromSlash(CurrentPath)} {
		if _, err := os.Lstat(filepath.Join(root, sign)); err == nil {
			return nil
		}
	}
	there, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make site %s: %w", root, err)
	}
	there = slices.DeleteFunc(there, func(e fs.DirEntry) bool { return e.Name() == "lost+found" }) // of a disk of its own
	if len(there) > 0 {
		return fmt.Errorf("make site %s: %w, such as %s", root, ErrNotSite, there[0].Name())
	}
	return nil
}

// DryRun is for a run that shall change nothing at root, which need not be
// there: what is stored in Blobs is forgotten.
func DryRun(root string) (*Dir, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "galbuild-dry-run-")
	if err != nil {
		return nil, err
	}
	return &Dir{Root: root, Blobs: blob.NewDryStore(temp), temp: temp}, nil
}

// clearTemp removes what a killed builder left on the desk.
func (d *Dir) clearTemp() error {
	left, err := os.ReadDir(d.temp)
	if err != nil {
		return err
	}
	for _, f := range left {
		d.Unclean = true
		if f.Name() == markName { // stays until a builder comes to its end
			continue
		}
		if err := os.RemoveAll(filepath.Join(d.temp, f.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Begin marks the site as being changed; End takes the mark away. A mark that is
// still there when the site is locked again makes it Unclean.
func (d *Dir) Begin() error {
	return os.WriteFile(d.mark(), nil, 0o644)
}

// End says that everything in the site is listed by a generation.
func (d *Dir) End() error {
	return os.Remove(d.mark())
}

// mark lies in the folder that must be empty when no builder is at work.
func (d *Dir) mark() string { return filepath.Join(d.temp, markName) }

const markName = "unfinished"

// Abandon removes a site that nothing was put into, and closes it.
func (d *Dir) Abandon() error {
	if d.lock == nil {
		return d.Close()
	}
	there, err := os.ReadDir(d.Root)
	if err != nil || len(there) > 1 {
		return errors.Join(err, d.Close())
	}
	err = os.RemoveAll(filepath.Join(d.Root, Desk))
	if err == nil && d.made {
		err = os.Remove(d.Root)
	}
	return errors.Join(err, d.Close())
}

// Close lets others change the site.
func (d *Dir) Close() error {
	if d.lock == nil {
		return os.RemoveAll(d.temp)
	}
	return errors.Join(d.others.Close(), d.lock.Close())
}

// indexOnly marks a folder that has a generation and none of its content.
const indexOnly = "index-only"

// SetIndexOnly marks the site as having a generation and none of its content, or no
// longer.
func (d *Dir) SetIndexOnly(is bool) error {
	file := filepath.Join(d.Root, Desk, indexOnly)
	if is {
		return os.WriteFile(file, nil, 0o644)
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// IndexOnly reports the mark.
func (d *Dir) IndexOnly() bool {
	_, err := os.Stat(filepath.Join(d.Root, Desk, indexOnly))
	return err == nil
}

// Memory returns the file in which a builder remembers its sources.
func (d *Dir) Memory() string { return filepath.Join(d.Root, Desk, "sources.jsonl") }

// Downloads returns the folder for packages fetched from elsewhere.
func (d *Dir) Downloads() string {
	if d.lock == nil {
		return filepath.Join(d.temp, "downloads")
	}
	return filepath.Join(d.Root, Desk, "downloads")
}

// Temp returns the folder for unfinished files.
func (d *Dir) Temp() string { return d.temp }

// Path returns where a path of the site, slash-separated, is on disk.
func (d *Dir) Path(path string) string { return filepath.Join(d.Root, filepath.FromSlash(path)) }

// WriteFile replaces a small file of the site in one step, unless it is the same
// already.
func (d *Dir) WriteFile(path string, text []byte) error {
	target := d.Path(path)
	if old, err := os.ReadFile(target); err == nil && string(old) == string(text) {
		return nil
	}
	f, err := os.CreateTemp(d.temp, "file-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), target); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}

// Switch makes c the generation that counts. Everything written before is on the
// disk before CURRENT is, so that a power cut leaves no pointer to nothing.
func (d *Dir) Switch(ctx context.Context, c Current) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := syncAll(d.Root); err != nil {
		return err
	}
	if err := d.WriteFile(CurrentPath, c.Bytes()); err != nil {
		return err
	}
	// The dates of the generations' folders tell which one counted when.
	now := time.Now()
	if err := os.Chtimes(d.Path("index/"+c.Generation), now, now); err != nil {
		return err
	}
	return syncAll(d.Root)
}
