// Package site reads and changes the folder of a site, in which a gallery is built and from which
// it is served.
//
//	blobs/sha256/ab/abcd…            every distinct file once
//	assets/<pub>/<name>/<version>[@<platform>]/<asset type>
//	files/<pub>/<name>/<version>[@<platform>]/…
//	api/…  control.json  manifest.json  index.html  item/  …
//	index/<generation>/              the catalogue and the index, without their chunks
//	index/chunks/ab/abcd…            chunks of all generations, see package catalog
//	index/history/                   the heads of the history, see package history
//	index/CURRENT                    names the current generation and the head of the history
//	private/<generation>.jsonl.zst   what only auditors need, without its chunks: never served
//	private/chunks/ab/abcd…          chunks of all generations with packages: never served
//	private/history/                 the entries of the history: never served
//	inbox/                           what authors submit: belongs to no generation, never served
//	.galbuild/                       the work directory: never served, never published
//
// The folder of a generation and the chunks never change. A chunk is named by its hash, and belongs
// to all generations that list it in the main file of their catalogue. If a generation differs from
// the one before in one extension, it has a few new chunks, and shares the others. A chunk is
// removed when no generation of the site lists it any more.
//
// CURRENT is replaced last, in one rename, when all files of its generation are on the disk. So a
// reader sees either the old generation or the new one, and each is complete. If a builder is
// killed, the old generation stays current, and the next builder removes the files that no
// generation lists. render.Commit describes all steps.
package site

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"

	"galbuild/build/atomicfile"
	"galbuild/build/blob"
	"galbuild/build/catalog"
	"galbuild/build/regularfile"
)

// WorkDir is the name of the work directory in a site. It contains the locks, temporary files,
// downloads and the build cache.
const WorkDir = ".galbuild"

// Errors of [Lock], [Share] and [Check].
var (
	ErrLocked  = errors.New("another galbuild is changing it")
	ErrNotSite = errors.New("directory is not empty and not a site")
)

// ErrNoGeneration is wrapped by the errors of [RequireCurrent] and [Read] for a folder that has no
// current generation. Its text follows the name of the folder.
var ErrNoGeneration = errors.New("is not a site")

// ErrDamaged is wrapped by the errors of commands that change a site whose current generation
// cannot be read.
var ErrDamaged = errors.New("the site is damaged")

// Damaged wraps an error of reading the current generation in ErrDamaged, unless the site has
// another format.
func Damaged(err error) error {
	if errors.Is(err, catalog.ErrFormat) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// Dir is a site that is locked for this process, or the site of a dry run.
type Dir struct {
	Root  string
	Blobs *blob.Store
	// Dirty is set if an earlier change was interrupted or failed. Then there may be files that
	// no generation lists, and pages and static responses of a generation that was never
	// current.
	Dirty  bool
	root   *os.Root // nil for a dry run
	temp   string
	made   bool         // Lock made the folder
	lock   *flock.Flock // nil for a dry run
	shared *flock.Flock // the lock of Share
}

// Lock makes the folder of a site if it is missing, and locks it for this process. The error wraps
// ErrLocked if another process has locked it, and ErrNotSite if the folder is neither a site nor
// empty, because a builder removes the files that no generation lists.
func Lock(root string) (*Dir, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if err := Check(root); err != nil {
		return nil, err
	}
	_, err = os.Lstat(root)
	d := &Dir{Root: root, temp: filepath.Join(root, WorkDir, "tmp"), made: errors.Is(err, fs.ErrNotExist)}
	if d.root, err = Open(root); err != nil {
		return nil, fmt.Errorf("make site %s: %w", root, err)
	}
	if err := d.lockAndClear(); err != nil {
		d.closeAll()
		return nil, fmt.Errorf("lock site %s: %w", root, err)
	}
	return d, nil
}

// Open opens the folder of a site for writing. It makes the folder and its work directory if they
// are missing. The error wraps [atomicfile.ErrLink] if a folder of the site is a symbolic link,
// which an attacker may have made. To have a folder on another disk, it can be a mount point.
func Open(root string) (*os.Root, error) {
	if err := atomicfile.MkdirAll(root); err != nil {
		return nil, err
	}
	at, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{WorkDir, "blobs", "assets", "files", "index", "private", "api", "item", "publishers"} {
		if info, err := at.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			at.Close()
			return nil, fmt.Errorf("%s: %w", filepath.Join(root, name), atomicfile.ErrLink)
		}
	}
	if err := atomicfile.Mkdir(at, WorkDir); err != nil {
		at.Close()
		return nil, err
	}
	return at, nil
}

// lockAndClear locks the folder for this process, and makes its folder for temporary files, or
// removes the files in it.
func (d *Dir) lockAndClear() (err error) {
	if d.lock, err = LockFile(d.root, "lock", (*flock.Flock).TryLock); err != nil {
		return err
	}
	if d.shared, err = LockFile(d.root, publishers, (*flock.Flock).TryLock); err != nil {
		return err
	}
	if d.Blobs, err = blob.NewStore(d.root, WorkDir+"/tmp"); err != nil {
		return err
	}
	return d.clearTemp()
}

// LockFile locks a file in the work directory of the site at root, by calling try. It returns
// ErrLocked if another process has the lock.
func LockFile(root *os.Root, name string, try func(*flock.Flock) (bool, error)) (*flock.Flock, error) {
	name = filepath.Join(WorkDir, name)
	f, err := root.OpenFile(name, os.O_RDONLY|os.O_CREATE|regularfile.NoWait, 0o600)
	if err != nil {
		return nil, err
	}
	f.Close()
	if info, err := root.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or(err, fmt.Errorf("%s: %w", filepath.Join(root.Name(), name), atomicfile.ErrLink))
	}
	lock := flock.New(filepath.Join(root.Name(), name))
	if ok, err := try(lock); err != nil || !ok {
		return nil, cmp.Or(err, ErrLocked)
	}
	return lock, nil
}

// Publishing is the folder in the work directory for temporary files of commands that publish to
// the site as a target.
const Publishing = "publishing"

// publishers is the name of the lock file of Share.
const publishers = "publishers"

// Share locks the site at root for commands that publish to it as a target, until the lock is
// closed. Several of them may share it. A builder may not, because it would remove their files.
// Share makes the folder if it is missing. The error wraps ErrLocked if a builder has locked the
// site.
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

// Check returns an error that wraps ErrNotSite unless root is a site, empty or missing. A folder
// with nothing but an inbox is empty: authors may submit packages before there is a gallery.
func Check(root string) error {
	for _, name := range []string{WorkDir, filepath.FromSlash(CurrentPath)} {
		if _, err := os.Lstat(filepath.Join(root, name)); err == nil {
			return nil
		}
	}
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make site %s: %w", root, err)
	}
	// A new file system, mounted at root, contains lost+found.
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == "lost+found" || e.Name()+"/" == InboxDir })
	if len(entries) > 0 {
		return fmt.Errorf("make site %s: %w: it contains %s", root, ErrNotSite, entries[0].Name())
	}
	return nil
}

// DryRun returns a Dir for a run that must not change the folder at root, which may be missing.
// Files that are put into Blobs are not stored.
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

// IsDryRun reports whether the Dir is for a run that must not change the folder.
func (d *Dir) IsDryRun() bool { return d.lock == nil }

// clearTemp removes the temporary files of a builder that was killed.
func (d *Dir) clearTemp() error {
	left, err := os.ReadDir(d.temp)
	if err != nil {
		return err
	}
	if err := d.root.RemoveAll(WorkDir + "/" + Publishing); err != nil { // the lock shows that no publisher is running
		return err
	}
	for _, f := range left { // a process may have been killed while it saved its cache
		d.Dirty = true
		if f.Name() == dirtyName { // it stays until ClearDirty
			continue
		}
		if err := d.root.RemoveAll(filepath.Join(WorkDir, "tmp", f.Name())); err != nil {
			return err
		}
	}
	return nil
}

// MarkDirty marks the site as dirty before it is changed. Unless the mark is cleared, Dirty is set
// for the next process that locks the site. If an earlier change by this process failed and left
// the mark, MarkDirty sets Dirty.
func (d *Dir) MarkDirty() error {
	if _, err := d.root.Lstat(dirtyPath); err == nil {
		d.Dirty = true
	}
	return atomicfile.WriteText(d.root, dirtyPath, nil)
}

// ClearDirty removes the mark of MarkDirty, and sets Dirty to false. The caller has removed the
// files that no generation lists.
func (d *Dir) ClearDirty() error {
	err := d.root.Remove(dirtyPath)
	d.Dirty = d.Dirty && err != nil
	return err
}

// IsDirty reports whether the site at root has the mark of [Dir.MarkDirty]: it is being changed, or
// a change was interrupted.
func IsDirty(root string) bool {
	_, err := os.Lstat(filepath.Join(root, filepath.FromSlash(dirtyPath)))
	return err == nil
}

// dirtyPath is the path of the mark. It is in the folder for temporary files, which is empty when
// no command is changing the site.
const dirtyPath = WorkDir + "/tmp/" + dirtyName

const dirtyName = "dirty"

// Abandon closes the site, and removes it if it contains only the work directory.
func (d *Dir) Abandon() error {
	if d.IsDryRun() {
		return d.Close()
	}
	entries, err := os.ReadDir(d.Root)
	if err != nil || len(entries) > 1 {
		return errors.Join(err, d.Close())
	}
	err = d.root.RemoveAll(WorkDir)
	if err == nil && d.made {
		err = os.Remove(d.Root)
	}
	return errors.Join(err, d.Close())
}

// Discard removes all files of the site, and closes it. It is for a first build that failed.
func (d *Dir) Discard() error {
	entries, err := os.ReadDir(d.Root)
	for _, e := range entries {
		if e.Name() != WorkDir && e.Name() != "lost+found" {
			err = errors.Join(err, d.root.RemoveAll(e.Name()))
		}
	}
	return errors.Join(err, d.root.RemoveAll(WorkDir), d.Close()) // the lock last
}

// Close unlocks the site. It removes the temporary files of a dry run.
func (d *Dir) Close() error {
	if d.IsDryRun() {
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
	for _, lock := range []*flock.Flock{d.shared, d.lock} {
		if lock != nil {
			errs = append(errs, lock.Close())
		}
	}
	return errors.Join(append(errs, d.root.Close())...)
}

// indexOnly is the name of the mark of SetIndexOnly.
const indexOnly = "index-only"

// SetIndexOnly marks the site as one that has a generation without its content, or removes the
// mark.
func (d *Dir) SetIndexOnly(is bool) error {
	if is {
		return atomicfile.WriteText(d.root, WorkDir+"/"+indexOnly, nil)
	}
	return d.Remove(WorkDir + "/" + indexOnly)
}

// IndexOnly reports whether SetIndexOnly has marked the site.
func (d *Dir) IndexOnly() bool { return hasMark(d.Root, indexOnly) }

// publicOnly is the name of the mark of SetPublicOnly.
const publicOnly = "public-only"

// PublicOnlyPath is the path of the mark of SetPublicOnly, an empty file.
const PublicOnlyPath = WorkDir + "/" + publicOnly

// SetPublicOnly marks the site as a copy of one whose private parts of records are not served, or
// removes the mark.
func (d *Dir) SetPublicOnly(is bool) error {
	if is {
		return atomicfile.WriteText(d.root, WorkDir+"/"+publicOnly, nil)
	}
	return d.Remove(WorkDir + "/" + publicOnly)
}

// PublicOnly reports whether SetPublicOnly has marked the site.
func (d *Dir) PublicOnly() bool { return hasMark(d.Root, publicOnly) }

// MayLackPrivate reports whether the current generation of the site at root may lack the private
// parts of its records, because it was copied from where they are not served.
func MayLackPrivate(root string) bool { return hasMark(root, publicOnly) || hasMark(root, indexOnly) }

func hasMark(root, name string) bool {
	_, err := os.Stat(filepath.Join(root, WorkDir, name))
	return err == nil
}

// CacheFile returns the file of the build cache.
func (d *Dir) CacheFile() string { return filepath.Join(d.Root, WorkDir, "sources.jsonl") }

// Downloads returns the folder for downloaded packages.
func (d *Dir) Downloads() string {
	if d.IsDryRun() {
		return filepath.Join(d.temp, "downloads")
	}
	return filepath.Join(d.Root, WorkDir, "downloads")
}

// WriteWorkFile makes or replaces a small file in the work directory of the site at root, in one
// step. It is an error if there is no work directory.
func WriteWorkFile(root, name string, text []byte) error {
	at, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer at.Close()
	if _, err := at.Lstat(WorkDir); err != nil {
		return err
	}
	return atomicfile.WriteText(at, WorkDir+"/"+name, text)
}

// Temp returns the folder for temporary files.
func (d *Dir) Temp() string { return d.temp }

// FoldsCase reports whether names that differ only in case are the same file in this file system.
func (d *Dir) FoldsCase() (bool, error) {
	const probe, other = WorkDir + "/tmp/case", WorkDir + "/tmp/CASE"
	if err := atomicfile.WriteText(d.root, probe, nil); err != nil {
		return false, err
	}
	_, err := d.root.Lstat(other)
	return err == nil, d.root.Remove(probe)
}

// Path returns the path on disk of a file of the site. Its path in the site is slash-separated.
func (d *Dir) Path(path string) string { return filepath.Join(d.Root, filepath.FromSlash(path)) }

// WriteFile makes or replaces a small file of the site in one step, unless the file has this
// content already.
func (d *Dir) WriteFile(path string, text []byte) error {
	if old, err := regularfile.ReadFile(d.Path(path), int64(len(text))); err == nil && string(old) == string(text) {
		return nil
	}
	return d.Blobs.WriteFile(path, text)
}

// LinkFile makes a file of the site a hard link to another one, or a copy of it on a file system
// without hard links. It does nothing if there is a file at its path, or no regular file at that of
// the other one.
func (d *Dir) LinkFile(from, to string) error {
	from, name := filepath.FromSlash(from), filepath.FromSlash(to)
	info, err := d.root.Lstat(from)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := d.root.Lstat(name); err == nil {
		return nil
	}
	folder, err := atomicfile.Dir(d.root, path.Dir(to)) // it refuses links to other folders
	if err != nil {
		return err
	}
	defer folder.Close()
	if d.root.Link(from, name) == nil {
		return nil
	}
	text, err := regularfile.OpenIn(d.root, from)
	if err != nil {
		return err
	}
	defer text.Close()
	return atomicfile.CopyFile(d.root, to, atomicfile.FileMode, text)
}

// Remove removes a file of the site if it exists. If it is a link, only the link is removed.
func (d *Dir) Remove(path string) error {
	if err := d.root.Remove(filepath.FromSlash(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// RemoveAll removes a folder of the site with everything in it. It removes links and does
// not follow them.
func (d *Dir) RemoveAll(path string) error { return d.root.RemoveAll(filepath.FromSlash(path)) }

// RemoveTemp removes the temporary files that a killed builder or publisher has left next to the
// files of the site. It skips the folders that are cleaned with RemoveUnless.
func (d *Dir) RemoveTemp() error {
	generations, err := d.Generations()
	if err != nil {
		return err
	}
	folders := []string{".", WorkDir, WorkDir + "/downloads", "api", "index", "index/history", "item", "private", "private/history", "publishers"}
	for _, name := range generations {
		folders = append(folders, "index/"+name)
	}
	for _, folder := range folders {
		entries, err := fs.ReadDir(d.root.FS(), folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, e := range entries {
			if !atomicfile.IsTemp(e.Name()) {
				continue
			}
			if err := d.root.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// RemoveUnless removes the files below a folder of the site for which wanted returns false, and
// then the empty folders. Paths are relative to the site and slash-separated. Links are always
// removed, because a site has none.
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
	_ = d.root.Remove(top) // has no effect if the folder is not empty
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
		_ = at.Remove(e.Name()) // has no effect if the folder is not empty
	}
	return nil
}

// Switch makes c the current generation, with the head h of the history. It waits until all files
// of the site are on the disk, and then replaces CURRENT, so that CURRENT names a complete
// generation even after a power failure. If both are current already, Switch only waits for the
// files. If it returns an error, CURRENT has not been replaced, unless the last wait failed.
func (d *Dir) Switch(ctx context.Context, c Current, h Head) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := Sync(d.Root); err != nil {
		return err
	}
	if oldC, oldH, err := ReadCurrentHead(d.Root); err == nil && oldC == c && oldH == h {
		return nil
	}
	if err := d.WriteFile(CurrentPath, FormatCurrent(c, h)); err != nil {
		return err
	}
	return Sync(d.Root)
}
