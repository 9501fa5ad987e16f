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

// A firstWrite is the state of the folder of a site or a repository before a command writes to it.
// If the command fills the disk, it can remove its files again.
type firstWrite struct {
	folder  string
	empty   bool     // it has no files, or does not exist
	missing []string // folders that the command makes: folder and its parents
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

// isFull reports whether a disk or a quota is full, or a file has reached the limit of its size.
func isFull(err error) bool {
	if _, output := errors.AsType[*terminal.OutputError](err); output {
		return false
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// closeTarget releases the lock of a target, so that other processes and takeBack can change it.
func closeTarget(at target.Target) {
	if c, ok := at.(io.Closer); ok {
		_ = c.Close() // everything has been written
	}
}

// takeBack removes the files of a failed command from a folder that was empty before. If the disk
// is full, it removes all of them. After another error it removes only a folder without content.
// Downloads stay, because the next run continues them. Everything stays if a generation is current,
// or if another process has locked the folder. takeBack returns err, with a hint if it has removed
// files. The command must have closed the folder.
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
		return hint.Add(err, "free some space and run it again; files that were copied are not copied again")
	default: // the lock could not be written, because the disk is full
		_ = os.Remove(filepath.Join(f.folder, site.WorkDir))
	}
	for _, made := range f.missing {
		_ = os.Remove(made) // has no effect if it is not empty
	}
	if !isFull(err) || hint.Has(err) {
		return err
	}
	return hint.Add(err, "%s and run it again; the files of this run were removed", makeRoom(err))
}

// hasNothing reports whether the folder contains only a work directory without downloads.
func (f firstWrite) hasNothing() bool {
	there, err := os.ReadDir(f.folder)
	if err != nil || len(there) != 1 || there[0].Name() != site.WorkDir {
		return false
	}
	downloads, err := os.ReadDir(filepath.Join(f.folder, site.WorkDir, "downloads"))
	return err != nil || len(downloads) == 0
}

// makeRoom returns the advice for an error of [isFull].
func makeRoom(err error) string {
	if errors.Is(err, syscall.EFBIG) {
		return "raise the limit for the size of files (ulimit -f)"
	}
	return "free some space"
}
