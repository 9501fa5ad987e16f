package galbuild

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"galbuild/build/site"
	"galbuild/cmd/internal/hint"
	"galbuild/cmd/internal/targets"
	"galbuild/cmd/internal/terminal"
	"galbuild/publish/target"
)

// A firstWrite is the folder of a site or a repository as it was before a command wrote to
// it, so that a command that fills the disk can remove what it wrote there.
type firstWrite struct {
	folder  string
	empty   bool     // it had no files, or did not exist
	missing []string // folders that the command makes: itself and those on the way to it
}

func newFirstWrite(folder string) firstWrite {
	f := firstWrite{folder: folder}
	there, err := os.ReadDir(folder)
	f.empty = err == nil && len(there) == 0 || errors.Is(err, fs.ErrNotExist)
	for at := filepath.Clean(folder); ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) || filepath.Dir(at) == at {
			return f
		}
		f.missing = append(f.missing, at)
	}
}

// firstWriteTo returns the folder that flags name as it is now. Of another target it returns one
// that is not empty, in which nothing is removed.
func firstWriteTo(f *targets.Flags) firstWrite {
	folder, ok := f.Folder()
	if !ok {
		return firstWrite{}
	}
	return newFirstWrite(folder)
}

// isFull tells whether a disk, a quota or the limit of a file's size does not let more be
// written.
func isFull(err error) bool {
	if _, output := errors.AsType[*terminal.OutputError](err); output {
		return false
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// closeTarget lets other processes, and takeBack, change the target.
func closeTarget(at target.Target) {
	if c, ok := at.(io.Closer); ok {
		_ = c.Close() // it has nothing left to write
	}
}

// takeBack removes what the command has written to the folder, if it was empty before and
// no generation is served from it: everything if err says that the disk is full, and a
// folder that nothing was put into after any other error. Downloads stay, to be continued.
// It returns err, with a hint if something was removed. The command must have closed the
// folder. If another process works there, everything stays.
func (f firstWrite) takeBack(err error) error {
	if err == nil || !f.empty || !isFull(err) && !f.hasNothing() {
		return err
	}
	if current, failed := site.ReadCurrent(f.folder); failed != nil || !current.IsZero() {
		return err
	}
	switch dir, failed := site.Lock(f.folder); {
	case failed == nil:
		err = errors.Join(err, dir.Discard())
	case errors.Is(failed, site.ErrLocked):
		return err
	case errors.Is(failed, site.ErrNotSite): // packages of a dbem repository
		return hint.Add(err, "free some space and run it again; what has been copied stays, and is not copied again")
	default: // there is no room for the lock either
		_ = os.Remove(filepath.Join(f.folder, site.WorkDir))
	}
	for _, made := range f.missing {
		_ = os.Remove(made) // unless somebody has put something into it
	}
	if !isFull(err) || hint.Has(err) {
		return err
	}
	return hint.Add(err, "%s and run it again; what this run has written is removed", makeRoom(err))
}

// hasNothing tells whether the folder has nothing but the builder's own folder, and that no
// downloads.
func (f firstWrite) hasNothing() bool {
	there, err := os.ReadDir(f.folder)
	if err != nil || len(there) != 1 || there[0].Name() != site.WorkDir {
		return false
	}
	downloads, err := os.ReadDir(filepath.Join(f.folder, site.WorkDir, "downloads"))
	return err != nil || len(downloads) == 0
}

// makeRoom says what to do about an error of [isFull].
func makeRoom(err error) string {
	if errors.Is(err, syscall.EFBIG) {
		return "raise the limit for the size of files (ulimit -f)"
	}
	return "free some space"
}
