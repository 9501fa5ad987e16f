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

	"galbuild/build/beneath"
	"galbuild/build/blob"
	"galbuild/build/regular"
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
	root    *os.Root // nil for a dry run
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
	d := &Dir{Root: root, temp: filepath.Join(root, Desk, "tmp"), made: errors.Is(err, fs.ErrNotExist)}
	if d.root, err = Open(root); err != nil {
		return nil, fmt.Errorf("make site %s: %w", root, err)
	}
	if err := d.lockAndClear(); err != nil {
		d.closeAll()
		return nil, fmt.Errorf("lock site %s: %w", root, err)
	}
	return d, nil
}

// Open opens a folder to write below it, and makes the builder's own folder in it. The
// error wraps [beneath.ErrLink] if a folder of the site is a link. Somebody may have
// planted it, or wants the content elsewhere, for which a mount works.
func Open(root string) (*os.Root, error) {
	if err := beneath.MkdirAll(root); err != nil {
		return nil, err
	}
	at, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{Desk, "blobs", "assets", "files", "index", "api", "item", "publishers"} {
		if info, err := at.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			at.Close()
			return nil, fmt.Errorf("%s: %w", filepath.Join(root, name), beneath.ErrLink)
		}
	}
	if err := beneath.Mkdir(at, Desk); err != nil {
		at.Close()
		return nil, err
	}
	return at, nil
}

// lockAndClear locks the folder for this process, and makes its temporary folder.
func (d *Dir) lockAndClear() (err error) {
	if d.lock, err = LockFile(d.root, "lock", (*flock.Flock).TryLock); err != nil {
		return err
	}
	if d.others, err = LockFile(d.root, publishers, (*flock.Flock).TryLock); err != nil {
		return err
	}
	if d.Blobs, err = blob.NewStore(d.root, Desk+"/tmp"); err != nil {
		return err
	}
	return d.clearTemp()
}

// LockFile locks a file in the builder's own folder of the site at root, by calling try. It
// returns ErrLocked if another process has the lock.
func LockFile(root *os.Root, name string, try func(*flock.Flock) (bool, error)) (*flock.Flock, error) {
	name = filepath.Join(Desk, name)
	f, err := root.OpenFile(name, os.O_RDONLY|os.O_CREATE|regular.NoWait, 0o600)
	if err != nil {
		return nil, err
	}
	f.Close()
	if info, err := root.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or(err, fmt.Errorf("%s: %w", filepath.Join(root.Name(), name), beneath.ErrLink))
	}
	lock := flock.New(filepath.Join(root.Name(), name))
	if ok, err := try(lock); err != nil || !ok {
		return nil, cmp.Or(err, ErrLocked)
	}
	return lock, nil
}

// Publishing is the folder for unfinished files of commands that publish to the site as to
// any other target. It is in the builder's own folder.
const Publishing = "publishing"

// publishers is the name of a lock that those share who publish to the folder as to
// any other place, and whom a builder would sweep away.
const publishers = "publishers"

// Share keeps builders away from the site at root, but not others who share it, until
// the lock is closed. It makes the folder where there is none. It returns ErrLocked,
// wrapped, if a builder is at work.
func Share(root string) (*flock.Flock, error) {
	at, err := Open(root)
	if err != nil {
		return nil, fmt.Errorf("make site %s: %w", root, err)
	}
	defer at.Close()
	lock, err := LockFile(at, publishers, (*flock.Flock).TryRLock)
	if err != nil {
		return nil, fmt.Errorf("lock site %s: %w", root, err)
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
	at, err := os.OpenRoot(temp)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(temp))
	}
	return &Dir{Root: root, Blobs: blob.NewDryStore(at), temp: temp}, nil
}

// clearTemp removes what a killed builder left on the desk.
func (d *Dir) clearTemp() error {
	left, err := os.ReadDir(d.temp)
	if err != nil {
		return err
	}
	if err := d.root.RemoveAll(Desk + "/" + Publishing); err != nil { // the lock shows that no publisher is running
		return err
	}
	for _, f := range left { // a process may have been killed while it saved its cache
		d.Unclean = true
		if f.Name() == markName { // stays until a builder comes to its end
			continue
		}
		if err := d.root.RemoveAll(filepath.Join(Desk, "tmp", f.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Begin marks the site as being changed; End takes the mark away. A mark that is
// still there when the site is locked again makes it Unclean.
func (d *Dir) Begin() error {
	return beneath.WriteText(d.root, mark, nil)
}

// End says that everything in the site is listed by a generation.
func (d *Dir) End() error {
	return d.root.Remove(mark)
}

// The marker is in the folder that must be empty when no builder is running.
const mark = Desk + "/tmp/" + markName

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
	err = d.root.RemoveAll(Desk)
	if err == nil && d.made {
		err = os.Remove(d.Root)
	}
	return errors.Join(err, d.Close())
}

// Discard removes all files from the folder, and closes it. The caller knows that they are
// those of a first build that failed.
func (d *Dir) Discard() error {
	there, err := os.ReadDir(d.Root)
	for _, e := range there {
		if e.Name() != Desk && e.Name() != "lost+found" {
			err = errors.Join(err, d.root.RemoveAll(e.Name()))
		}
	}
	return errors.Join(err, d.root.RemoveAll(Desk), d.Close()) // the lock last
}

// Close lets others change the site.
func (d *Dir) Close() error {
	if d.lock == nil {
		return errors.Join(d.Blobs.Close(), os.RemoveAll(d.temp))
	}
	return d.closeAll()
}

// closeAll closes all open folders.
func (d *Dir) closeAll() error {
	var errs []error
	if d.Blobs != nil {
		errs = append(errs, d.Blobs.Close())
	}
	for _, lock := range []*flock.Flock{d.others, d.lock} {
		if lock != nil {
			errs = append(errs, lock.Close())
		}
	}
	return errors.Join(append(errs, d.root.Close())...)
}

// indexOnly marks a folder that has a generation and none of its content.
const indexOnly = "index-only"

// SetIndexOnly marks the site as having a generation and none of its content, or no
// longer.
func (d *Dir) SetIndexOnly(is bool) error {
	if is {
		return beneath.WriteText(d.root, Desk+"/"+indexOnly, nil)
	}
	return d.Remove(Desk + "/" + indexOnly)
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

// WriteOwn replaces a small file in the builder's own folder of the site at root, in one
// step. It makes no folder.
func WriteOwn(root, name string, text []byte) error {
	at, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer at.Close()
	if _, err := at.Lstat(Desk); err != nil {
		return err
	}
	return beneath.WriteText(at, Desk+"/"+name, text)
}

// Temp returns the folder for unfinished files.
func (d *Dir) Temp() string { return d.temp }

// FoldsCase reports whether the file system treats names that differ only in case as one.
func (d *Dir) FoldsCase() (bool, error) {
	const probe, other = Desk + "/tmp/case", Desk + "/tmp/CASE"
	if err := beneath.WriteText(d.root, probe, nil); err != nil {
		return false, err
	}
	_, err := d.root.Lstat(other)
	return err == nil, d.root.Remove(probe)
}

// Path returns where a path of the site, slash-separated, is on disk.
func (d *Dir) Path(path string) string { return filepath.Join(d.Root, filepath.FromSlash(path)) }

// WriteFile replaces a small file of the site in one step, unless it is the same
// already.
func (d *Dir) WriteFile(path string, text []byte) error {
	if old, err := regular.ReadFile(d.Path(path), int64(len(text))); err == nil && string(old) == string(text) {
		return nil
	}
	return d.Blobs.WriteFile(path, text)
}

// Remove removes a file of the site if it exists. Of a link, it removes the link.
func (d *Dir) Remove(path string) error {
	if err := d.root.Remove(filepath.FromSlash(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// RemoveAll removes a folder of the site with everything in it. It removes links and does
// not follow them.
func (d *Dir) RemoveAll(path string) error { return d.root.RemoveAll(filepath.FromSlash(path)) }

// RemoveTemp removes unfinished files that a killed builder or publisher left next to the
// files of the site. It skips the folders that RemoveUnless cleans.
func (d *Dir) RemoveTemp() error {
	generations, err := d.Generations()
	if err != nil {
		return err
	}
	folders := []string{".", Desk, "api", "index", "item", "publishers"}
	for _, name := range generations {
		folders = append(folders, "index/"+name)
	}
	for _, folder := range folders {
		entries, err := fs.ReadDir(d.root.FS(), folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			if !beneath.IsTemp(e.Name()) {
				continue
			}
			if err := d.root.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// RemoveUnless removes the files below a folder of the site that are not wanted, and then
// empty folders. Paths are relative to the site and slash-separated. Links are removed like
// files, because a site has none.
func (d *Dir) RemoveUnless(top string, wanted func(path string) bool) error {
	info, err := d.root.Lstat(top)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return d.Remove(top)
	}
	at, err := d.root.OpenRoot(top)
	if err != nil {
		return err
	}
	defer at.Close()
	if err := removeUnless(at, top, wanted); err != nil {
		return err
	}
	_ = d.root.Remove(top) // fails, as it should, for one that is not empty
	return nil
}

func removeUnless(at *os.Root, dir string, wanted func(path string) bool) error {
	entries, err := fs.ReadDir(at.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := dir + "/" + e.Name()
		if !e.IsDir() {
			if wanted(path) {
				continue
			}
			if err := at.Remove(e.Name()); err != nil {
				return err
			}
			continue
		}
		sub, err := at.OpenRoot(e.Name())
		if err != nil {
			return err
		}
		err = removeUnless(sub, path, wanted)
		sub.Close()
		if err != nil {
			return err
		}
		_ = at.Remove(e.Name()) // fails, as it should, for one that is not empty
	}
	return nil
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
	if err := d.root.Chtimes("index/"+c.Generation, now, now); err != nil {
		return err
	}
	return syncAll(d.Root)
}
